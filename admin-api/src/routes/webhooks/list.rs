//! `GET /v1/webhooks`

use super::Webhook;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List webhooks
///
/// The platform's and every organization's, oldest first.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "Webhooks", operation_id = "listWebhooks",
    params(
        ("organization_id" = Option<schema::OrganizationId>, Query, description = "Only this organization's."),
        PageParams
    ),
    responses((status = 200, description = "A page of webhooks.", body = Listing<Webhook>))
)]
pub async fn list_webhooks(reader: Reader, mut params: Params) -> Answer {
    let scope = reader.narrowed(params.organization()?)?;
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_webhooks(scope, page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Webhook::from)))
}
