//! `GET /v1/services`

use tollgate_store::SortBy;

use super::Service;
use crate::answer;
use crate::auth::Reader;
use crate::page::{ListQuery, Listing, Named, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List services
///
/// Oldest first unless `sort` says otherwise.
#[utoipa::path(
    get, path = "/v1/services", tag = "Services", operation_id = "listServices",
    params(
        ("q" = Option<String>, Query, description = "Only those of which every word given here begins a word of the name; or with this id; or, where there is one, with a slug or key that begins so.", min_length = 1, max_length = 100),
        ("sort" = Option<String>, Query, description = "The order: `created_at`, `name`, `slug`; with `-` before it from the end.", pattern = "^-?(created_at|name|slug)$"),
        PageParams
    ),
    responses((status = 200, description = "A page of services.", body = Listing<Service>))
)]
pub async fn list_services(reader: Reader, mut params: Params) -> Answer {
    let list = ListQuery::take(&mut params, &[SortBy::Name, SortBy::Slug], true)?;
    params.finish()?;
    let rows = reader.control.store().find_services(list.rows()).await?;
    Ok(answer::ok(list.listing(
        rows,
        |row| Named { id: row.id.uuid(), name: &row.name, slug: row.slug.as_str() },
        Service::from,
    )))
}
