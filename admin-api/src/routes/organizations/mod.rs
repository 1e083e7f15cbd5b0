//! Organizations: tenants.

pub mod create;
pub mod credits;
pub mod delete;
pub mod get;
pub mod list;
pub mod put;
pub mod replay;
pub mod statement;
pub mod terms;
pub mod time_zone;
pub mod update;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{OrganizationId, Scope, Slug};
use tollgate_store::{OrganizationRow, Store};
use tollgate_web::Problem;
use utoipa::ToSchema;

use crate::answer;
use crate::path::Named;
use crate::problem::Refusal;
use crate::schema;

/// A tenant: who owns applications, subscriptions and keys.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "org_01ks2v8d3tf5cs9y0v3jq1q7zb", "slug": "globex", "name": "Globex", "version": 1,
    "created_at": "2026-11-21T09:30:00Z"
}))]
pub struct Organization {
    /// Its id.
    #[schema(value_type = schema::OrganizationId)]
    id: OrganizationId,
    /// Its name in URLs; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its name.
    name: String,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self { id: row.id, slug: row.slug, name: row.name, version: row.version, created_at: row.created_at }
    }
}

async fn find(store: &Store, scope: Scope, name: Named<OrganizationId>) -> Result<OrganizationRow, Refusal> {
    match name {
        Named::Id(id) => Ok(store.get_organization(scope, id).await?),
        Named::Slug(slug) => {
            let found = store.find_organization_by_slug(slug.as_str()).await?;
            let id = found.ok_or_else(Problem::not_found)?.id;
            Ok(store.get_organization(scope, id).await?)
        }
    }
}

fn shown(row: OrganizationRow) -> Response {
    answer::tagged(row.version, answer::ok(Organization::from(row)))
}
