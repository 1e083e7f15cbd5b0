//! `GET /v1/keys`

use super::Key;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List keys
///
/// Of one application, one organization or of all, oldest first; revoked ones too.
#[utoipa::path(
    get, path = "/v1/keys", tag = "Keys", operation_id = "listKeys",
    params(
        ("organization_id" = Option<schema::OrganizationId>, Query, description = "Only this organization's."),
        ("application_id" = Option<schema::ApplicationId>, Query, description = "Only this application's."),
        PageParams
    ),
    responses((status = 200, description = "A page of keys.", body = Listing<Key>))
)]
pub async fn list_keys(reader: Reader, mut params: Params) -> Answer {
    let scope = reader.narrowed(params.organization()?)?;
    let application = params.id("application_id")?;
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_credentials(scope, application, page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Key::from)))
}
