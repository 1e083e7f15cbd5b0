//! `/v1/subscriptions/{subscription}/spend-cap`: the most that the use of a subscription may cost in a month.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::{SpendCapInput, SpendStanding};
use tollgate_domain::{Amount, CapLanding, SubscriptionId};
use utoipa::ToSchema;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// A spend cap, and how the present month stands against it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "amount_minor": 5000, "currency": "EUR", "landing": "block", "spent_minor": 3120, "percent": 62,
    "calls_left": 9400, "ends": "2026-12-01T00:00:00Z", "free_plan": "Free", "is_estimated": false
}))]
pub struct SpendCap {
    /// The most, in minor units of the currency.
    amount_minor: u64,
    /// The currency of the subscription's plan when it was set.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// What becomes of calls when it is reached.
    #[schema(value_type = schema::CapLanding)]
    landing: CapLanding,
    /// What the use of this month costs so far, as far as it is counted. Base fees are not use.
    spent_minor: u64,
    /// Of the cap.
    percent: u64,
    /// Calls of one unit each that it still allows; `null` where what a call costs is known only when it is over.
    #[schema(required)]
    calls_left: Option<u64>,
    /// When it counts anew.
    ends: DateTime<Utc>,
    /// The product's free plan, for `throttle`; `null` where it has none: then calls are refused.
    #[schema(required)]
    free_plan: Option<String>,
    /// Whether the plan prices bytes or numbers read from answers: then the cap may be passed by what calls cost between two
    /// looks, a few seconds apart.
    is_estimated: bool,
}

impl From<SpendStanding> for SpendCap {
    fn from(standing: SpendStanding) -> Self {
        let Amount { minor, currency } = standing.cap;
        Self {
            amount_minor: minor,
            currency: currency.as_str().to_owned(),
            landing: standing.landing,
            spent_minor: standing.spent.minor,
            percent: standing.percent(),
            calls_left: standing.calls_left,
            ends: standing.ends,
            free_plan: standing.free_plan,
            is_estimated: standing.is_estimated,
        }
    }
}

/// A spend cap to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount_minor": 5000, "landing": "block" }))]
pub struct NewSpendCap {
    /// The most that use may cost in a calendar month (UTC), in minor units of the currency of the subscription's plan.
    #[schema(maximum = 100_000_000_000_u64)]
    amount_minor: u64,
    /// What becomes of calls when it is reached.
    #[schema(value_type = schema::CapLanding)]
    landing: CapLanding,
}

/// Get a subscription's spend cap
#[utoipa::path(
    get, path = "/v1/subscriptions/{subscription}/spend-cap", tag = "Subscriptions", operation_id = "getSpendCap",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id.")),
    responses((status = 200, description = "The cap, and how it stands; 404 where there is none.", body = SpendCap))
)]
pub async fn get_spend_cap(reader: Reader, Id(id): Id<SubscriptionId>) -> Answer {
    let cap = reader.control.spend_cap(&reader.actor, id, Utc::now()).await?;
    let cap = cap.ok_or_else(tollgate_web::Problem::not_found)?;
    Ok(answer::ok(SpendCap::from(cap)))
}

/// Set a subscription's spend cap
///
/// It holds at gateways within seconds. With `dry_run`, what it would mean now.
#[utoipa::path(
    put, path = "/v1/subscriptions/{subscription}/spend-cap", tag = "Subscriptions", operation_id = "putSpendCap",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id.")),
    request_body = NewSpendCap,
    responses((status = 200, description = "The cap, and how it stands.", body = SpendCap))
)]
pub async fn put_spend_cap(
    writer: Writer,
    Id(id): Id<SubscriptionId>,
    Json(body): Json<NewSpendCap>,
) -> Answer {
    let input = SpendCapInput { amount_minor: body.amount_minor, landing: body.landing };
    let standing = writer.control.set_spend_cap(&writer.actor, id, input, Utc::now()).await?;
    Ok(answer::ok(SpendCap::from(standing)))
}

/// Lift a subscription's spend cap
#[utoipa::path(
    delete, path = "/v1/subscriptions/{subscription}/spend-cap", tag = "Subscriptions", operation_id = "deleteSpendCap",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id.")),
    responses((status = 204, description = "Use costs what it costs."))
)]
pub async fn delete_spend_cap(writer: Writer, Id(id): Id<SubscriptionId>) -> Answer {
    writer.control.lift_spend_cap(&writer.actor, id).await?;
    Ok(answer::no_content())
}
