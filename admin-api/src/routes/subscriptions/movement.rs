//! `POST` and `DELETE /v1/subscriptions/{subscription}/move`: another plan or the end, now or when the month is over.

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::{Move, MovePreview, When};
use tollgate_domain::{Amount, PlanId, SubscriptionId};
use utoipa::ToSchema;

use super::{Subscription, shown};
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, given};
use crate::path::Id;
use crate::precondition::{OptionalIfMatch, OptionalIfMatchParam};
use crate::problem::{Answer, Refusal, invalid, named_by};
use crate::schema;

/// What is named by the body.
const NAMED: &[(&str, &str)] = &[("plan", "/plan_id")];

/// Where a subscription goes: to another plan of its product, or to its end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "plan_id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb" }))]
pub struct SubscriptionMove {
    /// The plan that it moves to.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::PlanId)]
    plan_id: Option<PlanId>,
    /// Whether it ends instead.
    #[serde(default)]
    #[schema(default = false)]
    end: bool,
    /// `now`, or `period_end`: when the calendar month (UTC) is over. Absent, what costs more comes at once, and what
    /// costs less or ends when the month is over.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, pattern = "^(now|period_end)$")]
    when: Option<Time>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Time {
    Now,
    PeriodEnd,
}

/// What a move comes to, as it would if no further call were made this month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "when": "now", "at": "2026-11-16T00:00:00Z",
    "this_month_before": [{ "minor": 900, "currency": "EUR" }], "this_month_after": [{ "minor": 1900, "currency": "EUR" }],
    "base_before": { "minor": 900, "currency": "EUR" }, "base_after": { "minor": 2900, "currency": "EUR" },
    "setup": null, "trial_ends_at": null, "used": 12_345, "quota_after": 100_000, "over_cap": null
}))]
pub struct MoveEstimate {
    /// `now` or `period_end`.
    #[schema(pattern = "^(now|period_end)$")]
    when: &'static str,
    /// When it happens.
    at: DateTime<Utc>,
    /// What this month comes to without it; one amount per currency.
    #[schema(value_type = Vec<Object>)]
    this_month_before: Vec<Amount>,
    /// What this month comes to with it.
    #[schema(value_type = Vec<Object>)]
    this_month_after: Vec<Amount>,
    /// The base fee of a whole month without it.
    #[schema(value_type = Object)]
    base_before: Amount,
    /// The base fee of a whole month with it; `null` where it ends.
    #[schema(value_type = Option<Object>, required)]
    base_after: Option<Amount>,
    /// The one-time fee of a plan that it was never on; `null` without one. It is due when a trial is over.
    #[schema(value_type = Option<Object>, required)]
    setup: Option<Amount>,
    /// Until when the new plan is tried; `null` without a trial.
    #[schema(required)]
    trial_ends_at: Option<DateTime<Utc>>,
    /// Calls of this month, which count on: moving never sets them back.
    used: u64,
    /// How many calls a month the new plan's quota has; `null` without one.
    #[schema(required)]
    quota_after: Option<u64>,
    /// Why the move would break the spend cap: its owner cannot make it, an operator can; `null` where it does not.
    #[schema(required)]
    over_cap: Option<String>,
}

/// A subscription that moved or will, and what that comes to.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovedSubscription {
    /// As it is now.
    subscription: Subscription,
    /// What it comes to; with `dry_run` before anything is done.
    estimate: MoveEstimate,
}

impl From<MovePreview> for MoveEstimate {
    fn from(preview: MovePreview) -> Self {
        Self {
            when: match preview.when {
                When::Now => "now",
                When::PeriodEnd => "period_end",
            },
            at: preview.at,
            this_month_before: preview.this_month_before,
            this_month_after: preview.this_month_after,
            base_before: preview.base_before,
            base_after: preview.base_after,
            setup: preview.setup,
            trial_ends_at: preview.trial_ends,
            used: preview.used,
            quota_after: preview.quota_after,
            over_cap: preview.over_cap,
        }
    }
}

fn wanted(body: &SubscriptionMove) -> Result<Move, Refusal> {
    match (body.plan_id, body.end) {
        (Some(plan), false) => Ok(Move::To(plan)),
        (None, true) => Ok(Move::End),
        _ => {
            Err(invalid(vec![tollgate_control::FieldFault::new("/plan_id", "a plan, or `end`: one of them")])
                .into())
        }
    }
}

/// Move a subscription to another plan, or end it
///
/// Now, or when the month is over. Told to the cent: with `dry_run` nothing is done. What was used this month counts on.
#[utoipa::path(
    post, path = "/v1/subscriptions/{subscription}/move", tag = "Subscriptions", operation_id = "moveSubscription",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id."), OptionalIfMatchParam),
    request_body = SubscriptionMove,
    responses((status = 200, description = "The subscription, and what the move comes to.", body = MovedSubscription))
)]
pub async fn move_subscription(
    writer: Writer,
    Id(id): Id<SubscriptionId>,
    condition: OptionalIfMatch,
    Json(body): Json<SubscriptionMove>,
) -> Answer {
    let (control, actor) = (&writer.control, &writer.actor);
    let to = wanted(&body)?;
    let row = control.movable_subscription(actor, id).await?;
    let when = match body.when {
        Some(Time::Now) => When::Now,
        Some(Time::PeriodEnd) => When::PeriodEnd,
        None => control.usual_time(&row, to).await.map_err(named_by(NAMED))?,
    };
    let estimate = control.preview_move(actor, id, to, when, Utc::now()).await.map_err(named_by(NAMED))?;
    let moved =
        control.move_subscription(actor, id, condition.version, to, when).await.map_err(named_by(NAMED))?;
    let version = moved.version;
    let body = MovedSubscription { subscription: moved.into(), estimate: estimate.into() };
    Ok(answer::tagged(version, answer::ok(body)))
}

/// Take a planned move back
///
/// The subscription goes on as it is. Taking back nothing is no error.
#[utoipa::path(
    delete, path = "/v1/subscriptions/{subscription}/move", tag = "Subscriptions", operation_id = "keepSubscription",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id.")),
    responses((status = 204, description = "Nothing is planned for it."))
)]
pub async fn keep_subscription(writer: Writer, Id(id): Id<SubscriptionId>) -> Answer {
    writer.control.keep_subscription(&writer.actor, id).await?;
    Ok(answer::no_content())
}

/// Pause a subscription
///
/// Its calls are refused and nothing is due for it until it is resumed; its owner may do both.
#[utoipa::path(
    post, path = "/v1/subscriptions/{subscription}/pause", tag = "Subscriptions", operation_id = "pauseSubscription",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id."), OptionalIfMatchParam),
    responses((status = 200, description = "The subscription, paused.", body = Subscription))
)]
pub async fn pause_subscription(
    writer: Writer,
    Id(id): Id<SubscriptionId>,
    condition: OptionalIfMatch,
) -> Answer {
    pause(writer, id, condition, true).await
}

/// Resume a subscription
///
/// Paused or suspended, it opens its APIs again.
#[utoipa::path(
    post, path = "/v1/subscriptions/{subscription}/resume", tag = "Subscriptions", operation_id = "resumeSubscription",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id."), OptionalIfMatchParam),
    responses((status = 200, description = "The subscription, active.", body = Subscription))
)]
pub async fn resume_subscription(
    writer: Writer,
    Id(id): Id<SubscriptionId>,
    condition: OptionalIfMatch,
) -> Answer {
    pause(writer, id, condition, false).await
}

async fn pause(writer: Writer, id: SubscriptionId, condition: OptionalIfMatch, pause: bool) -> Answer {
    let row = writer.control.pause_subscription(&writer.actor, id, condition.version, pause).await?;
    let response: Response = shown(row);
    Ok(response)
}
