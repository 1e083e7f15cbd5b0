//! `GET /v1/products/{product}`

use tollgate_domain::ProductId;

use super::{Product, find, shown};
use crate::auth::Reader;
use crate::path::Named;
use crate::problem::Answer;

/// Get a product
#[utoipa::path(
    get, path = "/v1/products/{product}", tag = "Products", operation_id = "getProduct",
    params(("product" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The product.", body = Product))
)]
pub async fn get_product(reader: Reader, name: Named<ProductId>) -> Answer {
    Ok(shown(find(reader.control.store(), name).await?))
}
