//! `GET /v1/apis`

use tollgate_domain::{ApiState, ServiceId};
use tollgate_store::{Column, SortBy};

use super::Api;
use crate::answer;
use crate::auth::Reader;
use crate::page::{ListQuery, Listing, Named, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List APIs
///
/// Oldest first unless `sort` says otherwise.
#[utoipa::path(
    get, path = "/v1/apis", tag = "APIs", operation_id = "listApis",
    params(
        ("service_id" = Option<schema::ServiceId>, Query, description = "Only those that forward to this service."),
        ("state" = Option<String>, Query, description = "Only in this state: one of `draft`, `published`, `deprecated`, `retired`, or several by commas.", pattern = "^(draft|published|deprecated|retired)(,(draft|published|deprecated|retired))*$"),
        ("q" = Option<String>, Query, description = "Only those of which every word given here begins a word of the name; or with this id; or, where there is one, with a slug or key that begins so.", min_length = 1, max_length = 100),
        ("sort" = Option<String>, Query, description = "The order: `created_at`, `name`, `slug`; with `-` before it from the end.", pattern = "^-?(created_at|name|slug)$"),
        PageParams
    ),
    responses((status = 200, description = "A page of APIs.", body = Listing<Api>))
)]
pub async fn list_apis(reader: Reader, mut params: Params) -> Answer {
    let list = ListQuery::take(&mut params, &[SortBy::Name, SortBy::Slug], true)?
        .by_id::<ServiceId>(&mut params, "service_id", Column::Service)?
        .by_word::<ApiState>(&mut params, "state", Column::State)?;
    params.finish()?;
    let rows = reader.control.store().find_apis(list.rows()).await?;
    Ok(answer::ok(list.listing(
        rows,
        |row| Named { id: row.id.uuid(), name: &row.name, slug: row.slug.as_str() },
        Api::from,
    )))
}
