//! `GET /v1/applications`

use super::Application;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List applications
///
/// Of one organization or of all, oldest first.
#[utoipa::path(
    get, path = "/v1/applications", tag = "Applications", operation_id = "listApplications",
    params(
        ("organization_id" = Option<schema::OrganizationId>, Query, description = "Only this organization's."),
        PageParams
    ),
    responses((status = 200, description = "A page of applications.", body = Listing<Application>))
)]
pub async fn list_applications(reader: Reader, mut params: Params) -> Answer {
    let scope = reader.narrowed(params.organization()?)?;
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_applications(scope, page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Application::from)))
}
