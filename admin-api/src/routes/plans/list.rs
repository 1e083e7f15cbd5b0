//! `GET /v1/plans`

use tollgate_domain::{PlanState, ProductId};
use tollgate_store::{Column, SortBy};

use super::Plan;
use crate::answer;
use crate::auth::Reader;
use crate::page::{ListQuery, Listing, Named, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List plans
///
/// Oldest first unless `sort` says otherwise.
#[utoipa::path(
    get, path = "/v1/plans", tag = "Plans", operation_id = "listPlans",
    params(
        ("product_id" = Option<schema::ProductId>, Query, description = "Only plans of this product."),
        ("state" = Option<String>, Query, description = "Only in this state: one of `open`, `announced`, `closed`, or several by commas.", pattern = "^(open|announced|closed)(,(open|announced|closed))*$"),
        ("q" = Option<String>, Query, description = "Only those of which every word given here begins a word of the name; or with this id; or, where there is one, with a slug or key that begins so.", min_length = 1, max_length = 100),
        ("sort" = Option<String>, Query, description = "The order: `created_at`, `name`, `slug`; with `-` before it from the end.", pattern = "^-?(created_at|name|slug)$"),
        PageParams
    ),
    responses((status = 200, description = "A page of plans.", body = Listing<Plan>))
)]
pub async fn list_plans(reader: Reader, mut params: Params) -> Answer {
    let list = ListQuery::take(&mut params, &[SortBy::Name, SortBy::Slug], true)?
        .by_id::<ProductId>(&mut params, "product_id", Column::Product)?
        .by_word::<PlanState>(&mut params, "state", Column::State)?;
    params.finish()?;
    let rows = reader.control.store().find_plans(list.rows()).await?;
    Ok(answer::ok(list.listing(
        rows,
        |row| Named { id: row.id.uuid(), name: &row.name, slug: row.slug.as_str() },
        Plan::from,
    )))
}
