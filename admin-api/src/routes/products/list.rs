//! `GET /v1/products`

use tollgate_domain::{ProductState, Visibility};
use tollgate_store::{Column, SortBy};

use super::Product;
use crate::answer;
use crate::auth::Reader;
use crate::page::{ListQuery, Listing, Named, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List products
///
/// Oldest first unless `sort` says otherwise.
#[utoipa::path(
    get, path = "/v1/products", tag = "Products", operation_id = "listProducts",
    params(
        ("state" = Option<String>, Query, description = "Only in this state: one of `draft`, `published`, `retired`, or several by commas.", pattern = "^(draft|published|retired)(,(draft|published|retired))*$"),
        ("visibility" = Option<String>, Query, description = "Only seen by these: one of `public`, `signed_in`, `chosen`, or several by commas.", pattern = "^(public|signed_in|chosen)(,(public|signed_in|chosen))*$"),
        ("q" = Option<String>, Query, description = "Only those of which every word given here begins a word of the name; or with this id; or, where there is one, with a slug or key that begins so.", min_length = 1, max_length = 100),
        ("sort" = Option<String>, Query, description = "The order: `created_at`, `name`, `slug`; with `-` before it from the end.", pattern = "^-?(created_at|name|slug)$"),
        PageParams
    ),
    responses((status = 200, description = "A page of products.", body = Listing<Product>))
)]
pub async fn list_products(reader: Reader, mut params: Params) -> Answer {
    let list = ListQuery::take(&mut params, &[SortBy::Name, SortBy::Slug], true)?
        .by_word::<ProductState>(&mut params, "state", Column::State)?
        .by_word::<Visibility>(&mut params, "visibility", Column::Visibility)?;
    params.finish()?;
    let rows = reader.control.store().find_products(list.rows()).await?;
    Ok(answer::ok(list.listing(
        rows,
        |row| Named { id: row.id.uuid(), name: &row.name, slug: row.slug.as_str() },
        Product::from,
    )))
}
