//! `GET /v1/organizations/{organization}/statement`

use chrono::Utc;
use serde::Serialize;
use tollgate_control::{Charge, Statement as Rated};
use tollgate_domain::{Amount, CalendarMonth, Currency, OrganizationId, PlanId, SubscriptionId};
use tollgate_rating::{Line, LineKind};
use utoipa::ToSchema;

use crate::answer;
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// What a month of an organization comes to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "month": "2026-11", "so_far": [{ "minor": 3100, "currency": "EUR" }],
    "projected": [{ "minor": 6700, "currency": "EUR" }],
    "charges": [{
        "subscription_id": "sub_01ks2v8d3tf5cs9y0v3jq1q7zb", "plan_id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb", "tariff": 2,
        "application": "My first app", "product": "Countries", "plan": "Pro", "seconds": 2_592_000, "trial_seconds": 0,
        "currency": "EUR", "total_minor": 3100, "lines": [
            { "kind": "base", "meter": null, "units": 0, "included": 0, "amount_minor": 2900 },
            { "kind": "usage", "meter": "calls", "units": 2000, "included": 1000, "amount_minor": 200 }
        ]
    }]
}))]
pub struct Statement {
    /// The calendar month in UTC.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// What it comes to as counted so far, by currency. Base fees are in it to the end of the month.
    #[schema(value_type = Vec<Sum>)]
    so_far: Vec<Amount>,
    /// What it will come to if use goes on like this, by currency.
    #[schema(value_type = Vec<Sum>)]
    projected: Vec<Amount>,
    /// By subscription, plan and tariff.
    charges: Vec<StatementCharge>,
}

/// An amount of money.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[schema(as = Amount)]
struct Sum {
    /// Minor units of the currency.
    minor: u64,
    /// ISO 4217, upper case.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
}

/// A subscription on one tariff in the month.
#[derive(Debug, Serialize, ToSchema)]
struct StatementCharge {
    /// Which subscription.
    #[schema(value_type = schema::SubscriptionId)]
    subscription_id: SubscriptionId,
    /// On which plan.
    #[schema(value_type = schema::PlanId)]
    plan_id: PlanId,
    /// At which of its tariffs.
    tariff: i32,
    /// The application's name.
    application: String,
    /// The product's name.
    product: String,
    /// The plan's name.
    plan: String,
    /// For how many seconds of the month, those to come among them where no end is known.
    seconds: i64,
    /// Of them, in a trial.
    trial_seconds: i64,
    /// Of its amounts.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    currency: Currency,
    /// What it comes to, in minor units.
    total_minor: u64,
    /// What it is made of.
    lines: Vec<StatementLine>,
}

/// One amount.
#[derive(Debug, Serialize, ToSchema)]
struct StatementLine {
    /// `base`, `usage`, `minimum`, or `setup`: the one-time fee.
    kind: &'static str,
    /// What was counted; `null` where nothing was.
    #[schema(required)]
    meter: Option<String>,
    /// Units, the included ones among them.
    units: u64,
    /// Of them, those that cost nothing.
    included: u64,
    /// Minor units.
    amount_minor: u64,
}

impl From<Line> for StatementLine {
    fn from(line: Line) -> Self {
        let (kind, meter) = match line.kind {
            LineKind::Base => ("base", None),
            LineKind::Usage(meter) => ("usage", Some(String::from(meter))),
            LineKind::Minimum => ("minimum", None),
            LineKind::Setup => ("setup", None),
        };
        Self { kind, meter, units: line.units, included: line.included, amount_minor: line.minor }
    }
}

impl From<Charge> for StatementCharge {
    fn from(Charge { row, tariff, bill }: Charge) -> Self {
        Self {
            subscription_id: row.subscription_id,
            plan_id: row.plan_id,
            tariff: row.tariff,
            application: row.application,
            product: row.product,
            plan: row.plan,
            seconds: row.seconds,
            trial_seconds: row.trial_seconds,
            currency: tariff.currency,
            total_minor: bill.total_minor,
            lines: bill.lines.into_iter().map(StatementLine::from).collect(),
        }
    }
}

/// Get a month's statement
///
/// What an organization owes for a month, by the calls counted so far. Once the month is over its invoice says it.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/statement", tag = "Invoices",
    operation_id = "getOrganizationStatement",
    params(
        ("organization" = schema::OrganizationId, Path, description = "Its id."),
        ("month" = Option<String>, Query, description = "A calendar month in UTC, like 2026-11; this one where absent.")
    ),
    responses((status = 200, description = "The statement.", body = Statement))
)]
pub async fn get_organization_statement(
    reader: Reader,
    Id(id): Id<OrganizationId>,
    mut params: Params,
) -> Answer {
    let now = Utc::now();
    let month = params.take("month", "a month, like 2026-11", |text| text.parse().ok())?;
    params.finish()?;
    reader.control.store().get_organization(reader.narrowed(Some(id))?, id).await?;
    let month = month.unwrap_or_else(|| CalendarMonth::of(now));
    let Rated { month, charges, so_far, projected } =
        reader.control.statement(&reader.actor, id, month, now).await?;
    Ok(answer::ok(Statement {
        month: month.to_string(),
        so_far,
        projected,
        charges: charges.into_iter().map(StatementCharge::from).collect(),
    }))
}
