//! States, roles and periods as schemas: strings out of a list, taken from the domain itself.

use std::borrow::Cow;

use tollgate_domain as domain;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! word_schemas {
    ($($name:ident = $values:expr, $text:literal;)+) => {$(
        #[doc = concat!("Schema: ", $text)]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = $values.iter().filter_map(|value| serde_json::to_value(value).ok());
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($text))
                    .enum_values(Some(words))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

word_schemas! {
    ServiceProtocol = domain::ServiceProtocol::ALL,
        "How a service is spoken to: `h1` is HTTP/1.1, `h2` HTTP/2 over TLS, `h2c` HTTP/2 without TLS and with prior \
        knowledge. Its targets begin with `https://` for `h2` and with `http://` for `h2c`.";
    CertificateSource = domain::CertificateSource::ALL,
        "Where a certificate comes from: `upload` was brought by somebody, `acme` is issued when asked.";
    ChallengeKind = domain::ChallengeKind::ALL,
        "How it is proven to a certificate authority that a host is ours: `http-01` by an answer on port 80, `tls-alpn-01` \
        by a handshake on port 443.";
    ApiState = domain::ApiState::ALL,
        "Where an API stands in its life: `draft` is not served, `published` is, `deprecated` is until its sunset and every \
        answer says so (RFC 9745, RFC 8594), `retired` is gone: its calls are answered with 410.";
    ProductState = domain::ProductState::ALL,
        "Whether a product is on offer: `draft` is for operators' eyes, `retired` takes no new subscriptions.";
    PlanState = domain::PlanState::ALL,
        "Whether a plan can be chosen: `open` can, `announced` shows its price only, `closed` is kept by its present subscribers.";
    StartingTheme = domain::StartingTheme::ALL,
        "What those see who have chosen no theme: `light`, `dark`, or with `auto` what their system says.";
    Trouble = domain::Trouble::ALL,
        "How an API does that does not do well: `degraded` fails some calls, `down` most of them.";
    Visibility = domain::Visibility::ALL, "Who sees a product in the portal: everybody, people who signed in, or the organizations of its audience (`chosen`).";
    ApplicationState = domain::ApplicationState::ALL, "Whether an application may call.";
    SubscriptionState = domain::SubscriptionState::ALL,
        "An application's standing on a plan: requested → active ⇄ suspended → ended, and nothing follows ended.";
    InvoiceState = domain::InvoiceState::ALL,
        "Where an invoice stands: `open` is to be paid, `void` was given up; both ends are final.";
    PaymentKind = domain::PaymentKind::ALL,
        "What happened about money: a `payment`, a `failure` to pay, a `refund`, or a `credit` note that lowered an invoice.";
    PaymentState = domain::PaymentState::ALL,
        "Whether it is certain: `pending` was asked of the payment provider and is not confirmed yet.";
    UnpaidLanding = domain::UnpaidLanding::ALL,
        "What becomes of calls when an invoice stays unpaid past its grace: `block` refuses them with 402, `throttle` holds them to the product's free plan, `go_on` does nothing.";
    EventType = tollgate_control::events::EVENT_TYPES,
        "What a webhook can be told.";
    OperatorRole = domain::OperatorRole::ALL,
        "What somebody may do to the platform: `admin` everything; `publisher` changes services, APIs, products, plans and \
        certificates, and answers requests for subscriptions; `support` reads; `finance` reads, and settles, refunds and credits invoices; `auditor` reads, the audit log too.";
    TokenScope = domain::TokenScope::ALL,
        "What a token is narrowed to within its role: `read`; `publish` (services to certificates); `tenants` \
        (organizations to keys); `people` (users, roles, tokens).";
    KeyState = domain::CredentialState::ALL, "Whether a key opens anything. A revoked key stays revoked.";
    Environment = [domain::Environment::Live, domain::Environment::Test],
        "What traffic a key is for; it is spelled out inside the key.";
    Enforcement = domain::Enforcement::ALL,
        "How exactly a quota is kept.";
    CapLanding = domain::CapLanding::ALL,
        "What becomes of calls when a spend cap is reached: `block` refuses them with 402, `throttle` holds them to the free \
        plan and charges nothing more, `notify` lets them go on and cost what they cost.";
    Anchor = domain::Anchor::ALL, "When a quota's months begin.";
    LimitKind = [domain::LimitKind::Rate, domain::LimitKind::Quota],
        "`rate` is speed: calls per period, smoothed. `quota` is budget: units of charged calls per day or month.";
    LimitPer = [domain::LimitPer::Subscription, domain::LimitPer::Credential],
        "Whose calls are counted together: all keys of the subscription, or each key (`credential`) for itself.";
    PolicyScope = [
        domain::PolicyScope::Platform, domain::PolicyScope::Api, domain::PolicyScope::Operation, domain::PolicyScope::Plan,
    ], "Where a limit was written: for all calls, for those of an API, of an operation, or on a plan.";
    RatePer = domain::RatePer::ALL,
        "Whose calls a rate counts together: those of each subscription, of each key (`credential`), or everybody's (`all`).";
    Period = [
        domain::Period::Second, domain::Period::Minute, domain::Period::Hour, domain::Period::Day, domain::Period::Month,
    ], "The time that an amount or a price is for.";
    Outcome = [
        domain::Outcome::Served, domain::Outcome::RateLimited, domain::Outcome::QuotaExceeded,
        domain::Outcome::UpstreamFailed, domain::Outcome::Canceled, domain::Outcome::Abandoned,
    ], "How a call ended: answered by the upstream, refused by a limit, not answered, left by its caller after the \
        upstream was asked, or given up before it was.";
}
