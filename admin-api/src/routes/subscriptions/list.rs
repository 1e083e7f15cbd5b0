//! `GET /v1/subscriptions`

use tollgate_domain::{ApplicationId, PlanId, ProductId, SubscriptionState};
use tollgate_store::Column;

use super::Subscription;
use crate::answer;
use crate::auth::Reader;
use crate::page::{ListQuery, Listing, Named, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List subscriptions
///
/// Oldest first unless `sort` says otherwise; those that have ended too.
#[utoipa::path(
    get, path = "/v1/subscriptions", tag = "Subscriptions", operation_id = "listSubscriptions",
    params(
        ("organization_id" = Option<schema::OrganizationId>, Query, description = "Only this organization's."),
        ("application_id" = Option<schema::ApplicationId>, Query, description = "Only this application's."),
        ("product_id" = Option<schema::ProductId>, Query, description = "Only those of this product."),
        ("plan_id" = Option<schema::PlanId>, Query, description = "Only those on this plan."),
        ("state" = Option<String>, Query, description = "Only in this state: one of `requested`, `active`, `suspended`, `ended`, or several by commas.", pattern = "^(requested|active|suspended|ended)(,(requested|active|suspended|ended))*$"),
        ("sort" = Option<String>, Query, description = "The order: `created_at`; with `-` before it from the end.", pattern = "^-?(created_at)$"),
        PageParams
    ),
    responses((status = 200, description = "A page of subscriptions.", body = Listing<Subscription>))
)]
pub async fn list_subscriptions(reader: Reader, mut params: Params) -> Answer {
    let scope = reader.narrowed(params.organization()?)?;
    let list = ListQuery::take(&mut params, &[], false)?
        .by_id::<ApplicationId>(&mut params, "application_id", Column::Application)?
        .by_id::<ProductId>(&mut params, "product_id", Column::Product)?
        .by_id::<PlanId>(&mut params, "plan_id", Column::Plan)?
        .by_word::<SubscriptionState>(&mut params, "state", Column::State)?;
    params.finish()?;
    let rows = reader.control.store().find_subscriptions(scope, list.rows()).await?;
    Ok(answer::ok(list.listing(
        rows,
        |row| Named { id: row.id.uuid(), name: "", slug: "" },
        Subscription::from,
    )))
}
