//! Typed ids, names and documents as schemas.

use std::borrow::Cow;

use tollgate_domain as domain;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! id_schemas {
    ($($name:ident = $id:ident, $what:literal;)+) => {$(
        #[doc = concat!("Schema of ", $what, "'s id.")]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let prefix = domain::$id::PREFIX;
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!("The id of ", $what, ".")))
                    .pattern(Some(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")))
                    .examples([format!("{prefix}_01ks2v8d3tf5cs9y0v3jq1q7zb")])
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

id_schemas! {
    ServiceId = ServiceId, "a service";
    CertificateId = CertificateId, "a certificate";
    ApiId = ApiId, "an API";
    RouteId = RouteId, "a route";
    ProductId = ProductId, "a product";
    PageId = PageId, "a page";
    IncidentId = IncidentId, "an incident";
    PlanId = PlanId, "a plan";
    OrganizationId = OrganizationId, "an organization";
    ApplicationId = ApplicationId, "an application";
    SubscriptionId = SubscriptionId, "a subscription";
    KeyId = CredentialId, "a key";
    InvoiceId = InvoiceId, "an invoice";
    EventId = EventId, "an event";
    WebhookId = WebhookId, "a webhook";
    TokenId = TokenId, "a service token";
    UserId = UserId, "a user";
    OperatorInvitationId = OperatorInvitationId, "an invitation to run the platform";
}

macro_rules! text_schemas {
    ($($name:ident = $pattern:literal, $chars_max:literal, $example:literal, $what:literal;)+) => {$(
        #[doc = concat!("Schema: ", $what)]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($what))
                    .pattern(Some($pattern))
                    .max_length(Some($chars_max))
                    .examples([$example])
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

text_schemas! {
    Slug = "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$", 64, "countries",
        "A name for URLs and headers: 1 to 64 of a-z, 0-9 and inner hyphens.";
    Name = "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$",
        120, "Countries", "A name for people: 1 to 120 characters, no line breaks.";
    Meter = "^[a-z][a-z0-9_]{0,23}$", 24, "calls",
        "What is counted of charged calls: `calls`; `units`, calls weighted by what their operations cost; `megabytes_in` and \
        `megabytes_out`, bodies by begun 10⁶ bytes; or a number that an API has read from its answers, by name.";
    Host = "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$",
        253, "api.example.com", "A host name without port.";
    BasePath = "^(/(?!\\.{1,2}(/|$))[A-Za-z0-9._~-]+)*$", 200, "/countries",
        "What stands before every path: empty, or `/segments` without a final slash.";
}

/// Schema of an OpenAPI document inside a body.
#[derive(Debug)]
pub struct Document;

impl PartialSchema for Document {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().schema_type(Type::Object).description(Some("As it is."));
        let text =
            ObjectBuilder::new().schema_type(Type::String).description(Some("Its text, JSON or YAML."));
        OneOfBuilder::new()
            .description(Some("An OpenAPI document: 3.1, 3.0 or Swagger 2."))
            .item(object)
            .item(text)
            .into()
    }
}

impl ToSchema for Document {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Document")
    }
}
