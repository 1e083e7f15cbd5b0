//! `GET` and `PUT /v1/plans/{plan}/pricing`, and every price that a plan had.

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::{PlanTariff, PlanVersion, Pricing};
use tollgate_domain::{Currency, PlanId};
use tollgate_rating::{MeterPrice, Prices, Trial};
use utoipa::ToSchema;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Id;
use crate::precondition::{OptionalIfMatch, OptionalIfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// What a plan charges whoever subscribes now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "tariff": 2, "currency": "EUR", "base_minor": 2900,
    "meters": [{ "meter": "calls", "included": 10_000, "price": { "scheme": "per_unit", "unit_minor": "0.2" } }],
    "minimum_minor": 0, "setup_minor": 5000, "trial": { "days": 14, "base_due": false, "included": [] },
    "currencies": [{ "currency": "USD", "base_minor": 3200, "meters": [], "minimum_minor": 0, "setup_minor": 5500 }]
}))]
pub struct PlanPricing {
    /// Which of the plan's tariffs this is; it counts from 1, and whoever subscribed keeps theirs.
    tariff: i32,
    /// Of every amount in it; the plan's price says it.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    currency: Currency,
    /// Due every month, in minor units; the plan's price says it.
    base_minor: u64,
    /// What use costs.
    #[schema(value_type = Vec<schema::MeterPrice>)]
    meters: Vec<MeterPrice>,
    /// The least that base and use together come to in a month, in minor units.
    minimum_minor: u64,
    /// Due once, when a subscription is on the plan for the first time and its trial is over; in minor units.
    setup_minor: u64,
    /// How long it can be tried; `null` where it cannot.
    #[schema(value_type = Option<schema::Trial>, required)]
    trial: Option<Trial>,
    /// The same in other currencies.
    #[schema(value_type = Vec<schema::Prices>)]
    currencies: Vec<Prices>,
}

/// What use of a plan costs; replaces what it cost.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "meters": [{ "meter": "calls", "price": { "scheme": "graduated", "tiers": [
        { "up_to": 1_000_000, "unit_minor": "0.05" }, { "unit_minor": "0.02" }
    ] } }]
}))]
pub struct PricingInput {
    /// What use costs; none where only the base fee is due.
    #[schema(value_type = Vec<schema::MeterPrice>, max_items = 24)]
    meters: Vec<MeterPrice>,
    /// The least that base and use together come to in a month, in minor units.
    #[serde(default)]
    #[schema(default = 0, maximum = 100_000_000_000_u64)]
    minimum_minor: u64,
    /// Due once, when a subscription is on the plan for the first time and its trial is over; in minor units.
    #[serde(default)]
    #[schema(default = 0, maximum = 100_000_000_000_u64)]
    setup_minor: u64,
    /// How long it can be tried; `null` where it cannot.
    #[serde(default)]
    #[schema(value_type = Option<schema::Trial>)]
    trial: Option<Trial>,
    /// The same in other currencies, base fees among them.
    #[serde(default)]
    #[schema(value_type = Vec<schema::Prices>, max_items = 20)]
    currencies: Vec<Prices>,
}

/// Every price that a plan had.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanTariffs {
    /// The one of now first; the latest 1,000.
    data: Vec<PlanTariffInUse>,
}

/// One of the prices that a plan had.
#[derive(Debug, Serialize, ToSchema)]
struct PlanTariffInUse {
    /// What it charges.
    pricing: PlanPricing,
    /// From then on whoever subscribed got it, until the next one.
    since: DateTime<Utc>,
    /// Subscriptions that are charged by it now.
    subscriptions: u64,
}

impl From<PlanTariff> for PlanPricing {
    fn from(PlanTariff { number, tariff }: PlanTariff) -> Self {
        Self {
            tariff: number,
            currency: tariff.currency,
            base_minor: tariff.base_minor,
            meters: tariff.meters,
            minimum_minor: tariff.minimum_minor,
            setup_minor: tariff.setup_minor,
            trial: tariff.trial,
            currencies: tariff.currencies,
        }
    }
}

impl From<PlanVersion> for PlanTariffInUse {
    fn from(version: PlanVersion) -> Self {
        let PlanVersion { price, since, subscriptions } = version;
        Self { pricing: price.into(), since, subscriptions }
    }
}

fn shown(version: i64, price: PlanTariff) -> Response {
    answer::tagged(version, answer::ok(PlanPricing::from(price)))
}

/// List a plan's prices over time
///
/// Whoever subscribed keeps the price of then, until they move.
#[utoipa::path(
    get, path = "/v1/plans/{plan}/tariffs", tag = "Plans", operation_id = "listPlanTariffs",
    params(("plan" = schema::PlanId, Path, description = "Its id.")),
    responses((status = 200, description = "Its prices.", body = PlanTariffs))
)]
pub async fn list_plan_tariffs(reader: Reader, Id(id): Id<PlanId>) -> Answer {
    let versions = reader.control.plan_versions(id).await?;
    Ok(answer::ok(PlanTariffs { data: versions.into_iter().map(Into::into).collect() }))
}

/// Get a plan's prices
///
/// The `ETag` is the plan's: its prices are a part of it.
#[utoipa::path(
    get, path = "/v1/plans/{plan}/pricing", tag = "Plans", operation_id = "getPlanPricing",
    params(("plan" = schema::PlanId, Path, description = "Its id.")),
    responses((status = 200, description = "What it charges.", body = PlanPricing))
)]
pub async fn get_plan_pricing(reader: Reader, Id(id): Id<PlanId>) -> Answer {
    let version = reader.control.store().get_plan(id).await?.version;
    Ok(shown(version, reader.control.plan_tariff(id).await?))
}

/// Price the use of a plan
///
/// For whoever subscribes from now on: present subscribers keep the tariff that they began with. `dry_run` also tells what
/// the last month would have come to at these prices.
#[utoipa::path(
    put, path = "/v1/plans/{plan}/pricing", tag = "Plans", operation_id = "putPlanPricing",
    params(("plan" = schema::PlanId, Path, description = "Its id."), OptionalIfMatchParam), request_body = PricingInput,
    responses((status = 200, description = "What it charges now.", body = PlanPricing))
)]
pub async fn put_plan_pricing(
    writer: Writer,
    Id(id): Id<PlanId>,
    condition: OptionalIfMatch,
    Json(body): Json<PricingInput>,
) -> Answer {
    let PricingInput { meters, minimum_minor, setup_minor, trial, currencies } = body;
    let pricing = Pricing { meters, minimum_minor, setup_minor, trial, currencies };
    let priced = writer.control.price_plan(&writer.actor, id, condition.version, pricing).await?;
    Ok(shown(writer.control.store().get_plan(id).await?.version, priced))
}
