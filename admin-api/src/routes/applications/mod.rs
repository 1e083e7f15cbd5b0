//! Applications: developers' programs.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod update;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{ApplicationId, ApplicationState, OrganizationId};
use tollgate_store::ApplicationRow;
use utoipa::ToSchema;

use crate::answer;
use crate::schema;

/// A developer's program. It calls with its keys what its subscriptions open.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "app_01ks2v8d3tf5cs9y0v3jq1q7zb", "organization_id": "org_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "name": "Globex website", "state": "active", "version": 1, "created_at": "2026-11-21T09:30:00Z"
}))]
pub struct Application {
    /// Its id.
    #[schema(value_type = schema::ApplicationId)]
    id: ApplicationId,
    /// Whose it is.
    #[schema(value_type = schema::OrganizationId)]
    organization_id: OrganizationId,
    /// Its name.
    name: String,
    /// Whether it may call.
    #[schema(value_type = schema::ApplicationState)]
    state: ApplicationState,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<ApplicationRow> for Application {
    fn from(row: ApplicationRow) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            name: row.name,
            state: row.state,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

fn shown(row: ApplicationRow) -> Response {
    answer::tagged(row.version, answer::ok(Application::from(row)))
}
