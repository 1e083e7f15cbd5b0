//! What calls are held to besides their plans, as schemas; the bodies themselves are those of the domain.

use serde::Serialize;
use tollgate_domain::{Period, RatePer};
use utoipa::ToSchema;

/// What all calls are held to, whatever they call and on whatever plan.
///
/// Policies of all scopes hold together: each rate of the platform, the API, the operation and the plan must admit a call,
/// and nothing is taken from any where one refuses; each scope that names networks must have the caller. Of
/// `body_bytes_max` the nearest scope holds: operation, API, platform, and then the gateway's setting.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[schema(example = json!({
    "rates": [{ "name": "each", "amount": 50, "period": "second", "per": "subscription" }],
    "networks": [], "body_bytes_max": 1_048_576
}))]
pub struct Policies {
    /// How fast calls may come.
    #[schema(required = false, max_items = 4)]
    rates: Vec<RatePolicy>,
    /// Where calls may come from: addresses and networks. Empty means from anywhere. From elsewhere they are refused with 403
    /// `address_not_allowed`, before their key is looked at.
    #[schema(required = false, max_items = 100, example = json!(["10.0.0.0/8", "2001:db8::/32"]))]
    networks: Vec<String>,
    /// Bytes of a request's body. What is larger is refused with 413 `body_too_large`: at once where its length is announced,
    /// else where it passes the limit. Of gRPC it is each message that is held to it.
    #[schema(required = false, value_type = u64, maximum = 1_099_511_627_776_u64)]
    body_bytes_max: Option<u64>,
}

/// What the calls of one API are held to, besides what all are.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[schema(example = json!({
    "rates": [{ "name": "shield", "amount": 500, "period": "second", "per": "all" }],
    "body_bytes_max": 65536,
    "operations": [{ "method": "POST", "path": "/images", "body_bytes_max": 52_428_800 }]
}))]
pub struct ApiPolicies {
    /// How fast the calls of all its operations together may come.
    #[schema(required = false, max_items = 4)]
    rates: Vec<RatePolicy>,
    /// Where they may come from.
    #[schema(required = false, max_items = 100)]
    networks: Vec<String>,
    /// Bytes of a request's body, in the place of what holds for all calls.
    #[schema(required = false, value_type = u64, maximum = 1_099_511_627_776_u64)]
    body_bytes_max: Option<u64>,
    /// Operations that are held to more.
    #[schema(required = false, max_items = 1_000)]
    operations: Vec<OperationPolicies>,
}

/// What the calls of one operation are held to, besides what those of its API are.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub struct OperationPolicies {
    /// Upper-case method.
    method: String,
    /// Path template, as in the API's document.
    path: String,
    /// How fast its calls may come.
    #[schema(required = false, max_items = 4)]
    rates: Vec<RatePolicy>,
    /// Where they may come from.
    #[schema(required = false, max_items = 100)]
    networks: Vec<String>,
    /// Bytes of a request's body, in the place of what holds for its API; 0 takes no body.
    #[schema(required = false, value_type = u64, maximum = 1_099_511_627_776_u64)]
    body_bytes_max: Option<u64>,
}

/// A limit of speed. A call that is refused by it gets 429 `rate_limited` with its name and scope; it is not among the
/// `RateLimit` fields of calls that are admitted. Budgets stay on plans.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "name": "shield", "amount": 500, "period": "second", "burst": 1000, "per": "all" }))]
pub struct RatePolicy {
    /// Told to whoever is refused by it; unique in its scope.
    #[schema(pattern = "^[a-z0-9_-]{1,32}$")]
    name: String,
    /// Calls per period.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_u64)]
    amount: u64,
    /// The period that `amount` is for: `second`, `minute`, `hour` or `day`.
    #[schema(value_type = String, pattern = "^(second|minute|hour|day)$")]
    period: Period,
    /// Calls that may come at once; `amount` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = u64, minimum = 1, maximum = 1_000_000_000_000_u64)]
    burst: Option<u64>,
    /// Whose calls are counted together: those of each subscription, of each key, or all. All are counted on each gateway for
    /// itself: that protects what answers.
    #[schema(required = false, value_type = super::RatePer, default = "subscription")]
    per: RatePer,
}

impl From<tollgate_domain::RatePolicy> for RatePolicy {
    fn from(rate: tollgate_domain::RatePolicy) -> Self {
        let tollgate_domain::RatePolicy { name, amount, period, burst, per } = rate;
        Self { name, amount, period, burst, per }
    }
}
