//! `GET /v1/explain`

use serde::Serialize;
use tollgate_control::{
    AnyLimit, CreditsLeft, EffectiveLimit, Error, Explanation, FieldFault, HeldTo, Question,
};
use tollgate_domain::{
    ApiId, ApplicationId, CredentialId, PlanId, PolicyScope, ProductId, RouteId, SubscriptionId,
};
use utoipa::ToSchema;

use crate::answer;
use crate::auth::Reader;
use crate::problem::{Answer, Refusal, invalid_parameter};
use crate::query::Params;
use crate::routes::subscriptions::spend_cap::SpendCap;
use crate::schema::{self, LimitBody, RatePolicy};

/// What would happen to a call, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "verdict": "admitted", "because": "nothing stands against it but its rate limits, as they are at that moment",
    "api_id": "api_01ks2v8d3tf5cs9y0v3jq1q7zb", "route_id": "rte_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "operation": "GET /countries/{code}", "key_id": "key_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "application_id": "app_01ks2v8d3tf5cs9y0v3jq1q7zb", "subscription_id": "sub_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "product_id": "prd_01ks2v8d3tf5cs9y0v3jq1q7zb", "plan_id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "limits": [{
        "limit": { "name": "month", "kind": "quota", "amount": 1000, "period": "month", "burst": null, "per": "subscription", "visible": true },
        "scope": "plan", "from": "plan free of product atlas", "used": 412, "is_first": true
    }],
    "networks": [{ "scope": "api", "networks": ["10.0.0.0/8"] }], "body_bytes_max": { "scope": "platform", "bytes": 1_048_576 },
    "spend_cap": null, "credits": null
}))]
pub struct Explained {
    /// `admitted`, or the `code` of the problem that it would be refused with.
    #[schema(value_type = String)]
    verdict: &'static str,
    /// The verdict in plain words.
    because: String,
    /// The API that the call would reach; `null`, like the members about the route, where none has its path.
    #[schema(required, value_type = Option<String>)]
    api_id: Option<ApiId>,
    /// The operation.
    #[schema(required, value_type = Option<String>)]
    route_id: Option<RouteId>,
    /// Its method and path template, with the API's base path.
    #[schema(required)]
    operation: Option<String>,
    /// The key.
    #[schema(value_type = schema::KeyId)]
    key_id: CredentialId,
    /// Whose key it is.
    #[schema(value_type = schema::ApplicationId)]
    application_id: ApplicationId,
    /// The subscription that opens the API; `null`, like the members about the terms, where none does.
    #[schema(required, value_type = Option<String>)]
    subscription_id: Option<SubscriptionId>,
    /// The product that it is to.
    #[schema(required, value_type = Option<String>)]
    product_id: Option<ProductId>,
    /// The plan that it is on.
    #[schema(required, value_type = Option<String>)]
    plan_id: Option<PlanId>,
    /// Every limit that holds, in the order in which they are checked.
    limits: Vec<ExplainedLimit>,
    /// Where the call may come from by policies; each entry must have the caller. Empty means from anywhere.
    networks: Vec<ExplainedNetworks>,
    /// How large its body may be by policies; `null` where the gateway's setting holds.
    #[schema(required)]
    body_bytes_max: Option<ExplainedBytes>,
    /// The subscription's spend cap; `null` where it has none.
    #[schema(required)]
    spend_cap: Option<SpendCap>,
    /// What the organization's credits still allow, where the plan is prepaid; else `null`.
    #[schema(required)]
    credits: Option<ExplainedCredits>,
}

/// What credits still allow.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedCredits {
    /// What is there, before what calls have taken this month is billed; in minor units.
    balance_minor: u64,
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// Calls of one unit each that are paid for, those that gateways hold ready among them.
    calls_left: u64,
}

impl From<CreditsLeft> for ExplainedCredits {
    fn from(left: CreditsLeft) -> Self {
        Self {
            balance_minor: left.balance.minor,
            currency: left.balance.currency.as_str().to_owned(),
            calls_left: left.calls_left,
        }
    }
}

/// A limit that holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedLimit {
    /// The limit, as its plan or its policy has it.
    limit: ExplainedTerms,
    /// The scope that it was written for.
    #[schema(value_type = schema::PolicyScope)]
    scope: PolicyScope,
    /// Where it was written.
    from: String,
    /// What was charged this month, for a quota; `null` for a rate.
    #[schema(required)]
    used: Option<i64>,
    /// Whether it is the first to refuse, where calls come one behind the other without a pause and no rate has been used for
    /// long. Those that count the calls of others too may be hit earlier.
    is_first: bool,
}

/// A limit of a plan, or a rate of a policy.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ExplainedTerms {
    /// Of a plan.
    OfPlan(LimitBody),
    /// Of a policy.
    OfPolicy(RatePolicy),
}

/// Networks that a scope says.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedNetworks {
    /// The scope.
    #[schema(value_type = schema::PolicyScope)]
    scope: PolicyScope,
    /// Addresses and networks.
    networks: Vec<String>,
}

/// How large a body may be.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedBytes {
    /// The scope that says so: the nearest of those that do.
    #[schema(value_type = schema::PolicyScope)]
    scope: PolicyScope,
    /// Bytes.
    bytes: u64,
}

impl From<EffectiveLimit> for ExplainedLimit {
    fn from(held: EffectiveLimit) -> Self {
        let limit = match held.limit {
            AnyLimit::OfPlan(limit) => ExplainedTerms::OfPlan(limit.into()),
            AnyLimit::OfPolicy(rate) => ExplainedTerms::OfPolicy(rate.into()),
        };
        Self { limit, scope: held.scope, from: held.from, used: held.used, is_first: held.is_first }
    }
}

impl From<Explanation> for Explained {
    fn from(found: Explanation) -> Self {
        let (api, route) = match found.route {
            Some((api, route)) => (Some(api), Some(route)),
            None => (None, None),
        };
        let base = api.as_ref().map(|api| api.base_path.clone()).unwrap_or_default();
        let terms = found.terms.as_ref();
        let (subscription_id, product_id, plan_id) = (
            terms.map(|terms| terms.subscription.id),
            terms.map(|terms| terms.product.id),
            terms.map(|terms| terms.plan.id),
        );
        let (limits, funds) = found.terms.map(|terms| (terms.limits, terms.funds)).unwrap_or_default();
        let HeldTo { networks, body_bytes_max, .. } = found.held;
        let networks = networks.into_iter().map(|(scope, networks)| ExplainedNetworks { scope, networks });
        Self {
            verdict: found.verdict,
            because: found.because,
            api_id: api.map(|api| api.id),
            route_id: route.as_ref().map(|route| route.id),
            operation: route.map(|route| format!("{} {base}{}", route.method, route.path)),
            key_id: found.key.id,
            application_id: found.application.id,
            subscription_id,
            product_id,
            plan_id,
            limits: limits.into_iter().map(ExplainedLimit::from).collect(),
            networks: networks.collect(),
            body_bytes_max: body_bytes_max.map(|(scope, bytes)| ExplainedBytes { scope, bytes }),
            spend_cap: funds.cap.map(SpendCap::from),
            credits: funds.credits.map(ExplainedCredits::from),
        }
    }
}

/// Explain a call
///
/// What would happen to a call with this key now, which limits hold for it, and where each of them was written. Nothing is
/// called and nothing is counted.
#[utoipa::path(
    get, path = "/v1/explain", tag = "Requests", operation_id = "explainCall",
    params(
        ("key" = String, Query, description = "The key's id, or its first characters.", min_length = 4, max_length = 64),
        ("path" = String, Query, description = "The path of the call, without query.", max_length = 2048),
        ("method" = Option<String>, Query, description = "Its method; GET where absent.", pattern = "^[A-Z]{1,16}$"),
        ("host" = Option<String>, Query, description = "Its host, where APIs answer on hosts of their own.", max_length = 253),
        ("headers" = Option<String>, Query, description = "Its headers, as far as APIs are told apart by them: `name: value`, one per line.", max_length = 2048)
    ),
    responses((status = 200, description = "What would happen.", body = Explained))
)]
pub async fn explain_call(reader: Reader, mut params: Params) -> Answer {
    let text = |most: usize| {
        move |text: &str| ((1..=most).contains(&text.len()) && !text.contains('\0')).then(|| text.to_owned())
    };
    let key = params.take("key", "a key's id, or 4 to 64 of its first characters", |key| {
        text(64)(key).filter(|key| key.len() >= 4)
    })?;
    let path = params.take("path", "a path, like /countries/de", text(2048))?;
    let method = params.take("method", "a method in capitals", text(16))?.unwrap_or_else(|| "GET".to_owned());
    let host = params.take("host", "a host without port", text(253))?.unwrap_or_default();
    let headers = params.take("headers", "lines like x-api-version: 2", headers_of)?.unwrap_or_default();
    params.finish()?;
    let key = key.ok_or_else(|| invalid_parameter("key", "is required"))?;
    let path = path.ok_or_else(|| invalid_parameter("path", "is required"))?;
    let question = Question { key, method, path, host, headers };
    let found = reader.control.explain(&reader.actor, &question).await.map_err(of_parameters)?;
    Ok(answer::ok(Explained::from(found)))
}

fn headers_of(text: &str) -> Option<Vec<(String, String)>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let pair = |(name, value): (&str, &str)| (name.trim().to_owned(), value.trim().to_owned());
    lines.map(|line| line.split_once(':').map(pair)).collect()
}

/// The brain names fields; here they are parameters.
fn of_parameters(error: Error) -> Refusal {
    match error {
        Error::Invalid(faults) => match faults.first() {
            Some(FieldFault { pointer, message }) => {
                invalid_parameter(pointer.trim_start_matches('/'), message).into()
            }
            None => Error::Invalid(faults).into(),
        },
        other => other.into(),
    }
}
