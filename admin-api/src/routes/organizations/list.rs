//! `GET /v1/organizations`

use tollgate_store::SortBy;

use super::Organization;
use crate::answer;
use crate::auth::Reader;
use crate::page::{ListQuery, Listing, Named, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List organizations
///
/// Oldest first unless `sort` says otherwise.
#[utoipa::path(
    get, path = "/v1/organizations", tag = "Organizations", operation_id = "listOrganizations",
    params(
        ("q" = Option<String>, Query, description = "Only those of which every word given here begins a word of the name; or with this id; or, where there is one, with a slug or key that begins so.", min_length = 1, max_length = 100),
        ("sort" = Option<String>, Query, description = "The order: `created_at`, `name`, `slug`; with `-` before it from the end.", pattern = "^-?(created_at|name|slug)$"),
        PageParams
    ),
    responses((status = 200, description = "A page of organizations.", body = Listing<Organization>))
)]
pub async fn list_organizations(reader: Reader, mut params: Params) -> Answer {
    let scope = reader.scope;
    let list = ListQuery::take(&mut params, &[SortBy::Name, SortBy::Slug], true)?;
    params.finish()?;
    let rows = reader.control.store().find_organizations(scope, list.rows()).await?;
    Ok(answer::ok(list.listing(
        rows,
        |row| Named { id: row.id.uuid(), name: &row.name, slug: row.slug.as_str() },
        Organization::from,
    )))
}
