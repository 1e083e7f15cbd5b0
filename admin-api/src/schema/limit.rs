//! A plan's limit in a body.

use serde::{Deserialize, Serialize};
use tollgate_domain::{Limit, LimitKind, LimitPer, Period};
use utoipa::ToSchema;

use crate::body::Text;

/// One limit of a plan. A rate is per second, minute, hour or day; a quota is per month. A plan has at most four
/// rates and one quota.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Limit, example = json!({
    "name": "burst", "kind": "rate", "amount": 10, "period": "second", "burst": 20, "per": "subscription", "visible": true
}))]
pub struct LimitBody {
    /// Shown to callers in `RateLimit-Policy`; unique in its plan.
    #[schema(value_type = String, pattern = "^[a-z0-9_-]{1,32}$")]
    pub name: Text,
    /// Speed or budget.
    #[schema(value_type = super::LimitKind)]
    pub kind: LimitKind,
    /// Calls per period.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_u64)]
    pub amount: u64,
    /// The period that `amount` is for.
    #[schema(value_type = super::Period)]
    pub period: Period,
    /// Calls that may come at once; `amount` where `null` or absent. Rates only.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_u64)]
    pub burst: Option<u64>,
    /// Whose calls are counted together. A quota is always the subscription's.
    #[serde(default)]
    #[schema(value_type = super::LimitPer, default = "subscription")]
    pub per: LimitPer,
    /// Whether callers see it in headers: contractual limits do, protective ones hide.
    #[serde(default = "shown")]
    #[schema(default = true)]
    pub visible: bool,
}

const fn shown() -> bool {
    true
}

impl From<LimitBody> for Limit {
    fn from(body: LimitBody) -> Self {
        let LimitBody { name, kind, amount, period, burst, per, visible } = body;
        Self { name: name.0, kind, amount, period, burst, per, visible }
    }
}

impl From<Limit> for LimitBody {
    fn from(limit: Limit) -> Self {
        let Limit { name, kind, amount, period, burst, per, visible } = limit;
        Self { name: Text(name), kind, amount, period, burst, per, visible }
    }
}
