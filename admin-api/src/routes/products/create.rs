//! `POST /v1/products`

use serde::Deserialize;
use tollgate_control::ProductInput;
use tollgate_domain::{ApiId, ProductState, Slug, Visibility};
use utoipa::ToSchema;

use super::Product;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::problem::Answer;
use crate::schema;

/// What a product is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "slug": "atlas", "name": "Atlas", "summary": "Countries and cities.", "state": "published",
    "apis": ["api_01ks2v8d3tf5cs9y0v3jq1q7zb"]
}))]
pub struct NewProduct {
    /// Its name in URLs; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Text,
    /// One sentence.
    #[serde(default)]
    #[schema(value_type = String, max_length = 500)]
    summary: Text,
    /// What can be built with it: plain text, paragraphs by blank lines.
    #[serde(default)]
    #[schema(value_type = String, max_length = 20_000)]
    description: Text,
    /// Whether it is on offer.
    #[serde(default = "draft")]
    #[schema(value_type = schema::ProductState, default = "draft")]
    state: ProductState,
    /// Who sees it in the portal.
    #[serde(default = "public")]
    #[schema(value_type = schema::Visibility, default = "public")]
    visibility: Visibility,
    /// Its APIs, in order.
    #[serde(default)]
    #[schema(value_type = Vec<schema::ApiId>, max_items = 100)]
    apis: Vec<ApiId>,
}

const fn draft() -> ProductState {
    ProductState::Draft
}

const fn public() -> Visibility {
    Visibility::Public
}

impl From<NewProduct> for ProductInput {
    fn from(body: NewProduct) -> Self {
        Self {
            slug: body.slug,
            name: body.name.0,
            summary: body.summary.0,
            description: body.description.0,
            state: body.state,
            visibility: body.visibility,
            apis: body.apis,
        }
    }
}

/// Create a product
///
/// Developers subscribe to one of its plans; create those next.
#[utoipa::path(
    post, path = "/v1/products", tag = "Products", operation_id = "createProduct", request_body = NewProduct,
    responses((status = 201, description = "The new product.", body = Product))
)]
pub async fn create_product(writer: Writer, Json(body): Json<NewProduct>) -> Answer {
    let row = writer.control.create_product(&writer.actor, body.into()).await?;
    Ok(answer::tagged(row.version, answer::created("products", row.id, Product::from(row))))
}
