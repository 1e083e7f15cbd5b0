//! Organizations: tenants.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod update;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{OrganizationId, Slug};
use tollgate_store::OrganizationRow;
use utoipa::ToSchema;

use crate::schema;

/// A tenant: who owns applications, subscriptions and keys.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "org_01ks2v8d3tf5cs9y0v3jq1q7zb", "slug": "globex", "name": "Globex", "created_at": "2026-11-21T09:30:00Z"
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
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self { id: row.id, slug: row.slug, name: row.name, created_at: row.created_at }
    }
}
