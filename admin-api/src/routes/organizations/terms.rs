//! `/v1/organizations/{organization}/currency` and `/grace`

use serde::{Deserialize, Serialize};
use tollgate_domain::{Currency, OrganizationId};
use utoipa::ToSchema;

use super::find;
use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Named;
use crate::problem::Answer;

/// What an organization pays in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "currency": "EUR" }))]
pub struct PayingCurrency {
    /// ISO 4217; `null` while nobody chose and nothing costs anything.
    #[schema(value_type = Option<String>, pattern = "^[A-Z]{3}$", required)]
    currency: Option<Currency>,
}

/// What an organization shall pay in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "currency": "USD" }))]
pub struct CurrencyChoice {
    /// ISO 4217, upper case.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    currency: Currency,
}

/// How long an organization may be late.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "grace_days": 14 }))]
pub struct Grace {
    /// Days between a payment that failed and its landing; `null` leaves it to the plans.
    #[schema(minimum = 0, maximum = 365)]
    grace_days: Option<i16>,
}

/// Get an organization's currency
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/currency", tag = "Organizations", operation_id = "getOrganizationCurrency",
    params(("organization" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "What it pays in.", body = PayingCurrency))
)]
pub async fn get_organization_currency(reader: Reader, name: Named<OrganizationId>) -> Answer {
    let id = find(reader.control.store(), reader.scope, name).await?.id;
    Ok(answer::ok(PayingCurrency { currency: reader.control.currency(&reader.actor, id).await? }))
}

/// Choose an organization's currency
///
/// Plans that have prices in it are charged in it. Fixed from the first plan on that costs something: 409.
#[utoipa::path(
    put, path = "/v1/organizations/{organization}/currency", tag = "Organizations", operation_id = "putOrganizationCurrency",
    params(("organization" = String, Path, description = "Its id or slug.")),
    request_body = CurrencyChoice,
    responses((status = 200, description = "What it pays in.", body = PayingCurrency))
)]
pub async fn put_organization_currency(
    writer: Writer,
    name: Named<OrganizationId>,
    Json(body): Json<CurrencyChoice>,
) -> Answer {
    let id = find(writer.control.store(), writer.actor.tenants(true)?, name).await?.id;
    writer.control.choose_currency(&writer.actor, id, body.currency).await?;
    Ok(answer::ok(PayingCurrency { currency: Some(body.currency) }))
}

/// Get an organization's days of grace
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/grace", tag = "Invoices", operation_id = "getOrganizationGrace",
    params(("organization" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "How long it may be late.", body = Grace))
)]
pub async fn get_organization_grace(reader: Reader, name: Named<OrganizationId>) -> Answer {
    let store = reader.control.store();
    let id = find(store, reader.scope, name).await?.id;
    Ok(answer::ok(Grace { grace_days: store.get_grace(id).await? }))
}

/// Agree on an organization's days of grace
///
/// They go before those of its plans. Invoices that could not be collected already keep theirs.
#[utoipa::path(
    put, path = "/v1/organizations/{organization}/grace", tag = "Invoices", operation_id = "putOrganizationGrace",
    params(("organization" = String, Path, description = "Its id or slug.")),
    request_body = Grace,
    responses((status = 200, description = "How long it may be late.", body = Grace))
)]
pub async fn put_organization_grace(
    writer: Writer,
    name: Named<OrganizationId>,
    Json(body): Json<Grace>,
) -> Answer {
    let id = find(writer.control.store(), tollgate_domain::Scope::Operator, name).await?.id;
    writer.control.agree_on_grace(&writer.actor, id, body.grace_days).await?;
    Ok(answer::ok(body))
}
