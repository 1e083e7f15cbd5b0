//! `GET /v1/plans/{plan}/shadow`

use chrono::Utc;
use serde::Serialize;
use tollgate_domain::{Amount, CalendarMonth, PlanId};
use utoipa::ToSchema;

use crate::answer;
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// A month of a plan's subscribers at other prices.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "month": "2026-10", "subscriptions": 42, "was": [{ "minor": 121_800, "currency": "EUR" }],
    "would_be": [{ "minor": 134_400, "currency": "EUR" }], "dearer": 30, "cheaper": 4
}))]
pub struct Shadow {
    /// The calendar month in UTC.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// Subscriptions that were on the plan in it.
    subscriptions: usize,
    /// What it came to, by currency.
    #[schema(value_type = Vec<Object>)]
    was: Vec<Amount>,
    /// What it would have come to, by currency: each subscriber's own where there are prices in that, else the other plan's
    /// own; nothing is converted.
    #[schema(value_type = Vec<Object>)]
    would_be: Vec<Amount>,
    /// Subscriptions that would have paid more, where both are in one currency.
    dearer: usize,
    /// Less.
    cheaper: usize,
}

/// Rate a plan's month at other prices
///
/// What a month of everybody who was on the plan would have come to at its present prices, which subscribers of before do
/// not pay, or at those of another plan. Nothing is changed.
#[utoipa::path(
    get, path = "/v1/plans/{plan}/shadow", tag = "Plans", operation_id = "getPlanShadow",
    params(
        ("plan" = schema::PlanId, Path, description = "Its id."),
        ("month" = Option<String>, Query, description = "A calendar month in UTC like 2026-10; the last one where absent."),
        ("plan_id" = Option<schema::PlanId>, Query, description = "The plan whose prices are tried; this one where absent.")
    ),
    responses((status = 200, description = "What it was, and what it would be.", body = Shadow))
)]
pub async fn get_plan_shadow(reader: Reader, Id(id): Id<PlanId>, mut params: Params) -> Answer {
    let other: Option<PlanId> = params.id("plan_id")?;
    let month = params.take("month", "a month, like 2026-11", |text| text.parse().ok())?;
    params.finish()?;
    reader.control.store().get_plan(id).await?;
    let month = month.unwrap_or_else(|| CalendarMonth::of(Utc::now()).previous());
    let tariff = reader.control.plan_tariff(other.unwrap_or(id)).await?.tariff;
    let shadow = reader.control.shadow_bill(&reader.actor, id, month, &tariff).await?;
    Ok(answer::ok(Shadow {
        month: shadow.month.to_string(),
        subscriptions: shadow.subscriptions,
        was: shadow.was,
        would_be: shadow.would_be,
        dearer: shadow.dearer,
        cheaper: shadow.cheaper,
    }))
}
