//! `GET /v1/proofs`

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tollgate_domain::CalendarMonth;
use tollgate_store::ProofRow;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::Reader;
use crate::problem::Answer;

/// The latest comparisons.
#[derive(Debug, Serialize, ToSchema)]
pub struct Proofs {
    /// Newest first, 100 at most.
    data: Vec<Proof>,
}

/// A comparison of the ledgers of a month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "month": "2026-11", "made_at": "2026-11-21T03:00:00Z", "allowed": 120400, "metered": 120400, "billable": 118000,
    "differences": []
}))]
pub struct Proof {
    /// The calendar month in UTC.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// When it was made.
    made_at: DateTime<Utc>,
    /// Units that decisions took from quotas and kept.
    allowed: i64,
    /// Units of the calls that were counted.
    metered: i64,
    /// Of them, those of live keys: what bills are made from.
    billable: i64,
    /// Subscriptions of which two ledgers say different things; none is what should be.
    #[schema(value_type = Vec<Difference>)]
    differences: Value,
}

/// A subscription of which two ledgers say different things.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
struct Difference {
    /// Which two: `quota_count` (calls against what quotas counted, in units), `budget_overdrawn` (an exact quota against
    /// its use, in units), `invoice_amount` and `invoice_without_use` (what the month comes to against what was billed for
    /// it, in minor units).
    kind: String,
    /// Which.
    #[schema(value_type = crate::schema::SubscriptionId)]
    subscription_id: String,
    /// What the facts say.
    expected: i64,
    /// What the other ledger says.
    found: i64,
}

impl From<ProofRow> for Proof {
    fn from(row: ProofRow) -> Self {
        Self {
            month: CalendarMonth::from(row.month).to_string(),
            made_at: row.made_at,
            allowed: row.allowed,
            metered: row.metered,
            billable: row.billable,
            differences: row.differences,
        }
    }
}

/// List proofs
///
/// Every night the ledgers of this month and of the last one are compared: what was allowed, metered and invoiced.
#[utoipa::path(
    get, path = "/v1/proofs", tag = "Usage", operation_id = "listProofs",
    responses((status = 200, description = "The latest comparisons.", body = Proofs))
)]
pub async fn list_proofs(reader: Reader) -> Answer {
    let rows = reader.control.list_proofs(&reader.actor).await?;
    Ok(answer::ok(Proofs { data: rows.into_iter().map(Proof::from).collect() }))
}
