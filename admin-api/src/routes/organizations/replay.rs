//! `GET /v1/organizations/{organization}/replay`

use chrono::Utc;
use serde::Serialize;
use tollgate_domain::{CalendarMonth, Currency, OrganizationId, PlanId, SubscriptionId};
use utoipa::ToSchema;

use crate::answer;
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::{Answer, invalid_parameter};
use crate::query::Params;
use crate::schema;

/// A month under another plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replay {
    /// The calendar month in UTC.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// By subscription, plan and tariff.
    data: Vec<ReplayedCharge>,
}

/// What the use of a subscription comes to, and what it would under the other plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "subscription_id": "sub_01ks2v8d3tf5cs9y0v3jq1q7zb", "plan_id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "currency": "EUR", "total_minor": 3100, "replayed_currency": "EUR", "replayed_minor": 4900
}))]
pub struct ReplayedCharge {
    /// Which subscription.
    #[schema(value_type = schema::SubscriptionId)]
    subscription_id: SubscriptionId,
    /// The plan that it was on.
    #[schema(value_type = schema::PlanId)]
    plan_id: PlanId,
    /// Of its amount.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    currency: Currency,
    /// What it comes to, in minor units.
    total_minor: u64,
    /// Of the other amount.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    replayed_currency: Currency,
    /// What the same use comes to under the other plan, in minor units.
    replayed_minor: u64,
}

/// Replay a month under another plan
///
/// What the use that was counted would have come to, for the times that the subscriptions to the plan's product were in
/// force, at the plan's present tariff. Nothing is changed.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/replay", tag = "Invoices", operation_id = "replayOrganizationMonth",
    params(
        ("organization" = schema::OrganizationId, Path, description = "Its id."),
        ("plan_id" = schema::PlanId, Query, description = "The other plan."),
        ("month" = Option<String>, Query, description = "A calendar month in UTC like 2026-10; the present one where absent.")
    ),
    responses((status = 200, description = "The charges, and what they would be.", body = Replay))
)]
pub async fn replay_organization_month(
    reader: Reader,
    Id(organization): Id<OrganizationId>,
    mut params: Params,
) -> Answer {
    let plan: Option<PlanId> = params.id("plan_id")?;
    let month = params.take("month", "a month, like 2026-11", |text| text.parse().ok())?;
    params.finish()?;
    let Some(plan) = plan else {
        return Err(invalid_parameter("plan_id", "say which plan").into());
    };
    let month = month.unwrap_or_else(|| CalendarMonth::of(Utc::now()));
    let replayed = reader.control.replay(&reader.actor, organization, month, plan).await?;
    let data = replayed.into_iter().map(|one| ReplayedCharge {
        subscription_id: one.charge.row.subscription_id,
        plan_id: one.charge.row.plan_id,
        currency: one.charge.tariff.currency,
        total_minor: one.charge.bill.total_minor,
        replayed_currency: one.tariff.currency,
        replayed_minor: one.bill.total_minor,
    });
    Ok(answer::ok(Replay { month: month.to_string(), data: data.collect() }))
}
