//! `/v1/subscriptions/{subscription}/limits`: how they stand, and amounts of a subscription's own.

use axum::extract::Path;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::{LimitStanding, OverrideInput};
use tollgate_domain::SubscriptionId;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::{Json, Text};
use crate::path::Id;
use crate::problem::Answer;
use crate::schema::{self, LimitBody};

/// The limits that hold for a subscription.
#[derive(Debug, Serialize, ToSchema)]
pub struct Limits {
    /// In the plan's order; none where the subscription is not active.
    data: Vec<HeldLimit>,
}

/// A limit that holds, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "limit": {
        "name": "day", "kind": "quota", "amount": 5000, "period": "day", "burst": null, "per": "subscription", "visible": true,
        "enforcement": "exact", "anchor": "calendar", "rollover": 0, "alerts": [50, 80, 100]
    },
    "of_plan": 1000,
    "own": { "amount": 5000, "reason": "Launch week", "expires_at": "2026-12-01T00:00:00Z" },
    "period": {
        "starts": "2026-11-20T23:00:00Z", "ends": "2026-11-21T23:00:00Z", "carried": 0, "amount": 5000, "used": 1200, "remaining": 3800
    }
}))]
pub struct HeldLimit {
    /// The limit, with the amount that holds.
    limit: LimitBody,
    /// The plan's amount.
    of_plan: u64,
    /// The subscription's own amount, where it has one.
    #[schema(schema_with = own_amount)]
    own: Option<OwnAmount>,
    /// Of quotas: how the present period stands.
    #[schema(schema_with = quota_period)]
    period: Option<QuotaPeriod>,
}

fn own_amount() -> RefOr<Schema> {
    or_null::<OwnAmount>("The subscription's own amount, where it has one.")
}

fn quota_period() -> RefOr<Schema> {
    or_null::<QuotaPeriod>("Of quotas: how the present period stands.")
}

/// A schema or null, with words of its own.
fn or_null<T: PartialSchema>(text: &str) -> RefOr<Schema> {
    let null = ObjectBuilder::new().schema_type(Type::Null).description(Some("None."));
    OneOfBuilder::new().description(Some(text)).item(null).item(T::schema()).into()
}

/// An amount in place of the plan's.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnAmount {
    /// In place of the plan's amount.
    amount: u64,
    /// Why.
    reason: String,
    /// From then on the plan's amount holds again.
    expires_at: Option<DateTime<Utc>>,
}

/// A period of a quota. What is left is derived from what was counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuotaPeriod {
    /// The first instant in it.
    starts: DateTime<Utc>,
    /// The first instant after it.
    ends: DateTime<Utc>,
    /// Units left over from the period before.
    carried: u64,
    /// Units in all.
    amount: u64,
    /// Units used, as counted so far.
    used: u64,
    /// Units left.
    remaining: u64,
}

impl From<LimitStanding> for HeldLimit {
    fn from(standing: LimitStanding) -> Self {
        let (amount, remaining) = (standing.amount(), standing.remaining().unwrap_or(0));
        let period = standing.period.map(|period| QuotaPeriod {
            starts: period.window.starts,
            ends: period.window.ends,
            carried: period.carried,
            amount,
            used: period.used,
            remaining,
        });
        let own = standing.own.map(|own| OwnAmount {
            amount: own.amount.unsigned_abs(),
            reason: own.reason,
            expires_at: own.expires_at,
        });
        Self { limit: standing.limit.into(), of_plan: standing.of_plan, own, period }
    }
}

impl From<Vec<LimitStanding>> for Limits {
    fn from(all: Vec<LimitStanding>) -> Self {
        Self { data: all.into_iter().map(HeldLimit::from).collect() }
    }
}

/// Another amount for one limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 5000, "reason": "Launch week", "expires_at": "2099-12-01T00:00:00Z" }))]
pub struct NewOwnAmount {
    /// In place of the plan's amount.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_u64)]
    amount: u64,
    /// Why, for whoever looks after it.
    #[serde(default)]
    #[schema(value_type = String, max_length = 500)]
    reason: Text,
    /// From then on the plan's amount holds again; `null` or absent: it stays.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

/// List a subscription's limits
///
/// As they hold now: the plan's, with the subscription's own amounts, and how each quota stands.
#[utoipa::path(
    get, path = "/v1/subscriptions/{subscription}/limits", tag = "Subscriptions", operation_id = "listSubscriptionLimits",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id.")),
    responses((status = 200, description = "Its limits.", body = Limits))
)]
pub async fn list_subscription_limits(reader: Reader, Id(id): Id<SubscriptionId>) -> Answer {
    Ok(answer::ok(Limits::from(reader.control.limits_of(&reader.actor, id).await?)))
}

/// Give a subscription an amount of its own
///
/// In place of the plan's, for one limit, at once. It holds until it is removed or its time is over, also on another plan of
/// the product that has a limit of this name.
#[utoipa::path(
    put, path = "/v1/subscriptions/{subscription}/limits/{limit}", tag = "Subscriptions",
    operation_id = "putSubscriptionLimit",
    params(
        ("subscription" = schema::SubscriptionId, Path, description = "Its id."),
        ("limit" = String, Path, description = "The limit's name in the plan.")
    ),
    request_body = NewOwnAmount,
    responses((status = 200, description = "The subscription's limits after the change.", body = Limits))
)]
pub async fn put_subscription_limit(
    writer: Writer,
    Path((id, limit)): Path<(String, String)>,
    Json(body): Json<NewOwnAmount>,
) -> Answer {
    let id = subscription(&id)?;
    let input = OverrideInput { amount: body.amount, reason: body.reason.0, expires_at: body.expires_at };
    Ok(answer::ok(Limits::from(writer.control.put_limit_override(&writer.actor, id, &limit, input).await?)))
}

/// Let the plan's amount hold again
#[utoipa::path(
    delete, path = "/v1/subscriptions/{subscription}/limits/{limit}", tag = "Subscriptions",
    operation_id = "deleteSubscriptionLimit",
    params(
        ("subscription" = schema::SubscriptionId, Path, description = "Its id."),
        ("limit" = String, Path, description = "The limit's name in the plan.")
    ),
    responses((status = 204, description = "The plan's amount holds."))
)]
pub async fn delete_subscription_limit(writer: Writer, Path((id, limit)): Path<(String, String)>) -> Answer {
    writer.control.delete_limit_override(&writer.actor, subscription(&id)?, &limit).await?;
    Ok(answer::no_content())
}

fn subscription(text: &str) -> Result<SubscriptionId, crate::problem::Refusal> {
    Ok(text.parse().map_err(|_| tollgate_web::Problem::not_found())?)
}
