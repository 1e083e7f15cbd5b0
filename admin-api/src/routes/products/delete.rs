//! `DELETE /v1/products/{product}`

use tollgate_domain::ProductId;

use super::find;
use crate::answer;
use crate::auth::Writer;
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;

/// Delete a product
///
/// Refused while it has plans. A product that has subscriptions is retired instead.
#[utoipa::path(
    delete, path = "/v1/products/{product}", tag = "Products", operation_id = "deleteProduct",
    params(("product" = String, Path, description = "Its id or slug."), IfMatchParam),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_product(writer: Writer, name: Named<ProductId>, IfMatch(expected): IfMatch) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    writer.control.delete_product(&writer.actor, id, expected).await?;
    Ok(answer::no_content())
}
