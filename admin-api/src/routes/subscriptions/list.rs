//! `GET /v1/subscriptions`

use super::Subscription;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List subscriptions
///
/// Of one application, one organization or of all, oldest first; ended ones too.
#[utoipa::path(
    get, path = "/v1/subscriptions", tag = "Subscriptions", operation_id = "listSubscriptions",
    params(
        ("organization_id" = Option<schema::OrganizationId>, Query, description = "Only this organization's."),
        ("application_id" = Option<schema::ApplicationId>, Query, description = "Only this application's."),
        PageParams
    ),
    responses((status = 200, description = "A page of subscriptions.", body = Listing<Subscription>))
)]
pub async fn list_subscriptions(reader: Reader, mut params: Params) -> Answer {
    let scope = reader.narrowed(params.organization()?)?;
    let application = params.id("application_id")?;
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_subscriptions(scope, application, page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Subscription::from)))
}
