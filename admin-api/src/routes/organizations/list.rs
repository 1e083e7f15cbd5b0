//! `GET /v1/organizations`

use super::Organization;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List organizations
///
/// Oldest first.
#[utoipa::path(
    get, path = "/v1/organizations", tag = "Organizations", operation_id = "listOrganizations", params(PageParams),
    responses((status = 200, description = "A page of organizations.", body = Listing<Organization>))
)]
pub async fn list_organizations(reader: Reader, mut params: Params) -> Answer {
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_organizations(reader.scope, page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Organization::from)))
}
