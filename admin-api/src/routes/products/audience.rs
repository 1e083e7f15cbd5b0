//! `/v1/products/{product}/audience`

use serde::{Deserialize, Serialize};
use tollgate_domain::{OrganizationId, ProductId};
use utoipa::ToSchema;

use super::find;
use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Named;
use crate::problem::Answer;
use crate::schema;

/// Whom a product is shown to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "organization_ids": ["org_01ks2v8d3tf5cs9y0v3jq1q7zb"] }))]
pub struct Audience {
    /// The organizations, each once.
    #[schema(value_type = Vec<schema::OrganizationId>, max_items = 1000)]
    organization_ids: Vec<OrganizationId>,
}

/// Get a product's audience
///
/// Whoever sees it where its `visibility` is `chosen`. Where it is another the list is kept, and has no effect.
#[utoipa::path(
    get, path = "/v1/products/{product}/audience", tag = "Products", operation_id = "getProductAudience",
    params(("product" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The audience.", body = Audience))
)]
pub async fn get_product_audience(reader: Reader, name: Named<ProductId>) -> Answer {
    let id = find(reader.control.store(), name).await?.id;
    let shown_to = reader.control.product_audience(&reader.actor, id).await?;
    let organization_ids = shown_to.into_iter().map(|(id, _)| id).collect();
    Ok(answer::ok(Audience { organization_ids }))
}

/// Set a product's audience
///
/// Exactly these organizations. To all others a product whose `visibility` is `chosen` does not exist in the portal; who
/// subscribes to it already keeps it, and goes on to see it.
#[utoipa::path(
    put, path = "/v1/products/{product}/audience", tag = "Products", operation_id = "putProductAudience",
    params(("product" = String, Path, description = "Its id or slug.")),
    request_body = Audience,
    responses((status = 200, description = "The audience.", body = Audience))
)]
pub async fn put_product_audience(
    writer: Writer,
    name: Named<ProductId>,
    Json(body): Json<Audience>,
) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    writer.control.set_product_audience(&writer.actor, id, None, body.organization_ids).await?;
    let shown_to = writer.control.store().product_audience(id).await?;
    let organization_ids = shown_to.into_iter().map(|(id, _)| id).collect();
    Ok(answer::ok(Audience { organization_ids }))
}
