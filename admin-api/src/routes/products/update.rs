//! `PATCH /v1/products/{product}`

use serde::Deserialize;
use tollgate_control::ProductPatch;
use tollgate_domain::{ApiId, ProductId, ProductState, Slug, Visibility};
use utoipa::ToSchema;

use super::{Product, find, shown};
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// What to change about a product; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "state": "published" }))]
pub struct ProductChange {
    /// Its name in URLs; unique.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Slug)]
    slug: Option<Slug>,
    /// Its name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Name)]
    name: Option<Text>,
    /// One sentence.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 500)]
    summary: Option<Text>,
    /// What can be built with it: plain text, paragraphs by blank lines.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 20_000)]
    description: Option<Text>,
    /// Whether it is on offer.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::ProductState)]
    state: Option<ProductState>,
    /// Who sees it in the portal.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Visibility)]
    visibility: Option<Visibility>,
    /// Its APIs, in order; replaces them all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<schema::ApiId>, max_items = 100)]
    apis: Option<Vec<ApiId>>,
}

/// Change a product
#[utoipa::path(
    patch, path = "/v1/products/{product}", tag = "Products", operation_id = "updateProduct",
    params(("product" = String, Path, description = "Its id or slug."), IfMatchParam), request_body = ProductChange,
    responses((status = 200, description = "The product after the change.", body = Product))
)]
pub async fn update_product(
    writer: Writer,
    name: Named<ProductId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<ProductChange>,
) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    let patch = ProductPatch {
        slug: body.slug,
        name: body.name.map(|name| name.0),
        summary: body.summary.map(|summary| summary.0),
        description: body.description.map(|description| description.0),
        state: body.state,
        visibility: body.visibility,
        apis: body.apis,
    };
    Ok(shown(writer.control.update_product(&writer.actor, id, expected, patch).await?))
}
