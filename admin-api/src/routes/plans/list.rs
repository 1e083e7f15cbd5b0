//! `GET /v1/plans`

use super::Plan;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List plans
///
/// Of one product or of all, oldest first.
#[utoipa::path(
    get, path = "/v1/plans", tag = "Plans", operation_id = "listPlans",
    params(("product_id" = Option<schema::ProductId>, Query, description = "Only plans of this product."), PageParams),
    responses((status = 200, description = "A page of plans.", body = Listing<Plan>))
)]
pub async fn list_plans(reader: Reader, mut params: Params) -> Answer {
    let product = params.id("product_id")?;
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_plans(product, page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Plan::from)))
}
