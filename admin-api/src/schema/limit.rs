//! A plan's limit in a body.

use serde::{Deserialize, Serialize};
use tollgate_domain::{Anchor, Budget, Enforcement, Limit, LimitKind, LimitPer, Period};
use utoipa::ToSchema;

use crate::body::Text;

/// One limit of a plan. A rate is per second, minute, hour or day; a quota is per day or month. A plan has at most four
/// rates and three quotas, one of them `shared`.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Limit, example = json!({
    "name": "burst", "kind": "rate", "amount": 10, "period": "second", "burst": 20, "per": "subscription", "visible": true,
    "enforcement": "shared", "anchor": "calendar", "rollover": 0, "alerts": [50, 80, 100]
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
    /// How exactly a quota is kept: `shared` (calendar months in UTC; goes on without the database), `exact` (never a unit
    /// over), `soft` (nothing is refused, the rest is billed).
    #[serde(default)]
    #[schema(value_type = super::Enforcement, default = "shared")]
    pub enforcement: Enforcement,
    /// When a quota's months begin, in the organization's time zone: with the calendar's, or on the day of the month on
    /// which the subscription began.
    #[serde(default)]
    #[schema(value_type = super::Anchor, default = "calendar")]
    pub anchor: Anchor,
    /// Of the units that one period left over, so many at most are had in the next one.
    #[serde(default)]
    #[schema(maximum = 1_000_000_000_000_u64)]
    pub rollover: u64,
    /// Percentages of a quota at which its users are told.
    #[serde(default = "alerts")]
    #[schema(max_items = 5, default = json!([50, 80, 100]), value_type = Vec<u8>)]
    pub alerts: Vec<u8>,
}

fn alerts() -> Vec<u8> {
    Budget::ALERTS.to_vec()
}

const fn shown() -> bool {
    true
}

impl From<LimitBody> for Limit {
    fn from(body: LimitBody) -> Self {
        let LimitBody {
            name,
            kind,
            amount,
            period,
            burst,
            per,
            visible,
            enforcement,
            anchor,
            rollover,
            alerts,
        } = body;
        let budget = Budget { enforcement, anchor, rollover, alerts };
        Self { name: name.0, kind, amount, period, burst, per, visible, budget }
    }
}

impl From<Limit> for LimitBody {
    fn from(limit: Limit) -> Self {
        let Limit { name, kind, amount, period, burst, per, visible, budget } = limit;
        let Budget { enforcement, anchor, rollover, alerts } = budget;
        Self {
            name: Text(name),
            kind,
            amount,
            period,
            burst,
            per,
            visible,
            enforcement,
            anchor,
            rollover,
            alerts,
        }
    }
}
