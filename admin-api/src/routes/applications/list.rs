//! `GET /v1/applications`

use tollgate_domain::ApplicationState;
use tollgate_store::{Column, SortBy};

use super::Application;
use crate::answer;
use crate::auth::Reader;
use crate::page::{ListQuery, Listing, Named, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List applications
///
/// Oldest first unless `sort` says otherwise.
#[utoipa::path(
    get, path = "/v1/applications", tag = "Applications", operation_id = "listApplications",
    params(
        ("organization_id" = Option<schema::OrganizationId>, Query, description = "Only this organization's."),
        ("state" = Option<String>, Query, description = "Only in this state: one of `active`, `suspended`, or several by commas.", pattern = "^(active|suspended)(,(active|suspended))*$"),
        ("q" = Option<String>, Query, description = "Only those of which every word given here begins a word of the name; or with this id; or, where there is one, with a slug or key that begins so.", min_length = 1, max_length = 100),
        ("sort" = Option<String>, Query, description = "The order: `created_at`, `name`; with `-` before it from the end.", pattern = "^-?(created_at|name)$"),
        PageParams
    ),
    responses((status = 200, description = "A page of applications.", body = Listing<Application>))
)]
pub async fn list_applications(reader: Reader, mut params: Params) -> Answer {
    let scope = reader.narrowed(params.organization()?)?;
    let list = ListQuery::take(&mut params, &[SortBy::Name], true)?.by_word::<ApplicationState>(
        &mut params,
        "state",
        Column::State,
    )?;
    params.finish()?;
    let rows = reader.control.store().find_applications(scope, list.rows()).await?;
    Ok(answer::ok(list.listing(
        rows,
        |row| Named { id: row.id.uuid(), name: &row.name, slug: "" },
        Application::from,
    )))
}
