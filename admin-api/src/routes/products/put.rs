//! `PUT /v1/products/{product}`

use tollgate_control::{ProductInput, ProductPatch};
use tollgate_domain::ProductId;

use super::create::NewProduct;
use super::{Product, find};
use crate::auth::Writer;
use crate::body::Json;
use crate::path::Named;
use crate::precondition::{OptionalIfMatch, PutConditions};
use crate::problem::{Answer, found};
use crate::put::{Put, answered};

/// Create or replace a product
///
/// The whole product as it shall be: made where there is none of this slug, replaced where there is, with the defaults for
/// what is absent. Sent again it changes nothing. Another slug in the body than in the path renames it.
#[utoipa::path(
    put, path = "/v1/products/{product}", tag = "Products", operation_id = "putProduct",
    params(("product" = String, Path, description = "Its slug, or its id where it exists."), PutConditions),
    request_body = NewProduct,
    responses(
        (status = 200, description = "The product after the change.", body = Product),
        (status = 201, description = "The new product.", body = Product)
    )
)]
pub async fn put_product(
    writer: Writer,
    name: Named<ProductId>,
    condition: OptionalIfMatch,
    Json(body): Json<NewProduct>,
) -> Answer {
    let input = ProductInput::from(body);
    let put = Put::begin(&writer, "product", &input.slug, condition).await?;
    let (created, row) = match found(find(put.control().store(), name.clone()).await)? {
        Some(row) => {
            let expected = put.replaces()?;
            let patch = ProductPatch::from(input);
            (false, put.control().update_product(&writer.actor, row.id, expected, patch).await?)
        }
        None => {
            put.creates(&name, &input.slug)?;
            (true, put.control().create_product(&writer.actor, input).await?)
        }
    };
    put.finish().await?;
    Ok(answered(created, "products", row.id, row.version, Product::from(row)))
}
