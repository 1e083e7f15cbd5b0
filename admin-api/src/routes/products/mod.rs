//! Products: APIs offered together.

pub mod audience;
pub mod create;
pub mod delete;
pub mod get;
pub mod guests;
pub mod list;
pub mod put;
pub mod update;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{ApiId, ProductId, ProductState, Slug, Visibility};
use tollgate_store::{ProductRow, Store};
use tollgate_web::Problem;
use utoipa::ToSchema;

use crate::answer;
use crate::path::Named;
use crate::problem::Refusal;
use crate::schema;

/// APIs offered together, under the terms of its plans.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "prd_01ks2v8d3tf5cs9y0v3jq1q7zb", "slug": "atlas", "name": "Atlas", "summary": "Countries and cities.",
    "description": "Everything about places.", "state": "published", "visibility": "public",
    "apis": ["api_01ks2v8d3tf5cs9y0v3jq1q7zb"], "version": 1, "created_at": "2026-11-21T09:30:00Z"
}))]
pub struct Product {
    /// Its id.
    #[schema(value_type = schema::ProductId)]
    id: ProductId,
    /// Its name in URLs; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its name.
    name: String,
    /// One sentence.
    summary: String,
    /// What can be built with it: plain text, paragraphs by blank lines.
    description: String,
    /// Whether it is on offer.
    #[schema(value_type = schema::ProductState)]
    state: ProductState,
    /// Who sees it in the portal.
    #[schema(value_type = schema::Visibility)]
    visibility: Visibility,
    /// Its APIs, in order.
    #[schema(value_type = Vec<schema::ApiId>)]
    apis: Vec<ApiId>,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<ProductRow> for Product {
    fn from(row: ProductRow) -> Self {
        Self {
            apis: row.apis(),
            id: row.id,
            slug: row.slug,
            name: row.name,
            summary: row.summary,
            description: row.description,
            state: row.state,
            visibility: row.visibility,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

/// A product by its name in a path.
pub async fn find(store: &Store, name: Named<ProductId>) -> Result<ProductRow, Refusal> {
    match name {
        Named::Id(id) => Ok(store.get_product(id).await?),
        Named::Slug(slug) => {
            Ok(store.find_product_by_slug(slug.as_str()).await?.ok_or_else(Problem::not_found)?)
        }
    }
}

fn shown(row: ProductRow) -> Response {
    answer::tagged(row.version, answer::ok(Product::from(row)))
}
