//! `GET /v1/products`

use super::Product;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List products
///
/// Oldest first; drafts and retired ones too.
#[utoipa::path(
    get, path = "/v1/products", tag = "Products", operation_id = "listProducts", params(PageParams),
    responses((status = 200, description = "A page of products.", body = Listing<Product>))
)]
pub async fn list_products(reader: Reader, mut params: Params) -> Answer {
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_products(page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Product::from)))
}
