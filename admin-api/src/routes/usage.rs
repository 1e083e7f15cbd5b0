//! `GET /v1/usage`

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tollgate_domain::Outcome;
use tollgate_store::{TrafficRange, TrafficRow, UsageTotals};
use utoipa::ToSchema;

use crate::answer;
use crate::auth::Reader;
use crate::page::take_limit;
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

const RANGE_DEFAULT: TimeDelta = TimeDelta::hours(24);

/// Calls of known consumers in a range.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "since": "2026-11-20T09:30:00Z", "until": null, "counted_up_to": "2026-11-21T09:29:58Z",
    "totals": {
        "calls": 1280, "charged": 1200, "refused": 64, "client_errors": 40, "server_errors": 3, "mean_duration_ms": 12.5
    },
    "traffic": [{
        "api": "countries", "method": "GET", "path": "/countries/{code}", "status": 200, "outcome": "served",
        "calls": 1173, "mean_duration_ms": 11.9
    }]
}))]
pub struct Usage {
    /// Where the range begins, by the minute.
    since: DateTime<Utc>,
    /// The minute that it ends before; `null` is now.
    #[schema(required)]
    until: Option<DateTime<Utc>>,
    /// Until when the counts are complete: the oldest of the latest words of the gateways. `null` where none serves.
    #[schema(required)]
    counted_up_to: Option<DateTime<Utc>>,
    /// Sums over the range.
    totals: Totals,
    /// Calls by operation, status and outcome, most first.
    traffic: Vec<Traffic>,
}

/// Sums.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageTotals)]
struct Totals {
    /// Calls.
    calls: i64,
    /// Of them, counted against the quota.
    charged: i64,
    /// Of them, refused by a limit (429).
    refused: i64,
    /// Of them, answered 4xx by the upstream.
    client_errors: i64,
    /// Of them, answered 5xx by the upstream, or not answered.
    server_errors: i64,
    /// Mean time of a call in milliseconds; 0 where there was none.
    mean_duration_ms: f64,
}

/// One line of traffic.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrafficLine)]
struct Traffic {
    /// The API's slug; `null` where the route is gone.
    #[schema(required)]
    api: Option<String>,
    /// Method; `null` where the route is gone.
    #[schema(required)]
    method: Option<String>,
    /// Path template with the API's base path; `null` where the route is gone.
    #[schema(required)]
    path: Option<String>,
    /// The status that callers saw.
    status: i16,
    /// How the calls ended.
    #[schema(value_type = schema::Outcome, required)]
    outcome: Option<Outcome>,
    /// Calls.
    calls: i64,
    /// Their mean time in milliseconds.
    mean_duration_ms: f64,
}

impl From<UsageTotals> for Totals {
    fn from(sums: UsageTotals) -> Self {
        Self {
            mean_duration_ms: milliseconds(sums.duration_us.checked_div(sums.calls).unwrap_or(0)),
            calls: sums.calls,
            charged: sums.charged,
            refused: sums.refused,
            client_errors: sums.client_errors,
            server_errors: sums.server_errors,
        }
    }
}

impl From<TrafficRow> for Traffic {
    fn from(row: TrafficRow) -> Self {
        Self {
            api: row.api,
            method: row.method,
            path: row.path,
            status: row.status,
            outcome: Outcome::from_code(row.outcome),
            calls: row.calls,
            mean_duration_ms: milliseconds(row.mean_us),
        }
    }
}

/// Lossy above 2^53 µs, which is 285 years.
fn milliseconds(us: i64) -> f64 {
    us as f64 / 1_000.0
}

/// Get usage
///
/// What the gateways counted between two instants, of one application, one organization or of all. Calls with
/// no key or a wrong one are nobody's and not in it.
#[utoipa::path(
    get, path = "/v1/usage", tag = "Usage", operation_id = "getUsage",
    params(
        ("since" = Option<DateTime<Utc>>, Query, description = "Where the range begins (RFC 3339); 24 hours before its end where absent."),
        ("until" = Option<DateTime<Utc>>, Query, description = "Where the range ends (RFC 3339), to the minute; now where absent."),
        ("organization_id" = Option<schema::OrganizationId>, Query, description = "Only this organization's calls."),
        ("application_id" = Option<schema::ApplicationId>, Query, description = "Only this application's calls."),
        ("limit" = Option<u16>, Query, description = "How many lines of traffic to answer at most.", minimum = 1, maximum = 200)
    ),
    responses((status = 200, description = "Sums and lines.", body = Usage))
)]
pub async fn get_usage(reader: Reader, mut params: Params) -> Answer {
    let scope = reader.narrowed(params.organization()?)?;
    let application = params.id("application_id")?;
    let limit = take_limit(&mut params)?;
    // An instant ahead of ours is no fault: the caller's clock may be.
    let (since, until) = (params.instant("since")?, params.instant("until")?);
    params.finish()?;
    let since = since.unwrap_or_else(|| until.unwrap_or_else(Utc::now) - RANGE_DEFAULT);
    let range = TrafficRange { since, until };
    let store = reader.control.store();
    let totals = store.usage_totals(scope, application, range).await?;
    let traffic = store.traffic(scope, application, range, limit as i64).await?;
    Ok(answer::ok(Usage {
        since,
        until,
        counted_up_to: store.counted_up_to().await?,
        totals: totals.into(),
        traffic: traffic.into_iter().map(Traffic::from).collect(),
    }))
}
