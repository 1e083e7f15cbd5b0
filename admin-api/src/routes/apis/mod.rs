//! APIs: what is published, its document and its operations.

pub mod create;
pub mod delete;
pub mod documents;
pub mod get;
pub mod get_document;
pub mod list;
pub mod list_routes;
pub mod put;
pub mod put_document;
pub mod update;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_control::Error;
use tollgate_domain::{ApiId, ApiPolicies, ApiState, HeaderMatch, Metering, ServiceId, Slug};
use tollgate_store::{ApiRow, Store};
use tollgate_web::Problem;
use utoipa::ToSchema;

use crate::answer;
use crate::path::Named;
use crate::problem::Refusal;
use crate::schema;

/// Something published: operations below a base path, forwarded to a service.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "api_01ks2v8d3tf5cs9y0v3jq1q7zb", "slug": "countries", "name": "Countries", "summary": "Facts about countries.",
    "service_id": "svc_01ks2v8d3tf5cs9y0v3jq1q7zb", "hosts": [], "base_path": "/countries",
    "match_headers": [], "state": "published",
    "deprecated_at": null, "sunset_at": null, "successor_id": null,
    "metering": { "charged": [], "costs": [], "readings": [] }, "policies": { "rates": [], "networks": [], "operations": [] },
    "document_number": 1, "version": 2, "created_at": "2026-11-21T09:30:00Z"
}))]
pub struct Api {
    /// Its id.
    #[schema(value_type = schema::ApiId)]
    id: ApiId,
    /// Its name in URLs; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its name.
    name: String,
    /// One sentence.
    summary: String,
    /// Where calls go.
    #[schema(value_type = schema::ServiceId)]
    service_id: ServiceId,
    /// Hosts it answers on, without port; empty means any.
    hosts: Vec<String>,
    /// What stands before every path: empty, or `/segments` without a final slash.
    base_path: String,
    /// Fields that a call must have to be this API's, beside host and path; by name.
    #[schema(value_type = Vec<schema::HeaderMatch>)]
    match_headers: Vec<HeaderMatch>,
    /// Where it stands in its life.
    #[schema(value_type = schema::ApiState)]
    state: ApiState,
    /// Since when it is deprecated; `null` where it never was.
    #[schema(required)]
    deprecated_at: Option<DateTime<Utc>>,
    /// When it stops being served; `null` where that is not decided.
    #[schema(required)]
    sunset_at: Option<DateTime<Utc>>,
    /// The API that takes its place; `null` where none does.
    #[schema(required, value_type = Option<String>, pattern = "^api_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    successor_id: Option<ApiId>,
    /// How its calls are metered.
    #[schema(value_type = schema::Metering)]
    metering: Metering,
    /// What its calls are held to, besides what all are and what their plan says.
    #[schema(value_type = schema::ApiPolicies)]
    policies: ApiPolicies,
    /// Counts the documents published so far; 0 where there is none yet.
    document_number: i32,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<ApiRow> for Api {
    fn from(row: ApiRow) -> Self {
        Self {
            successor_id: row.successor(),
            deprecated_at: row.deprecated_at,
            sunset_at: row.sunset_at,
            id: row.id,
            slug: row.slug,
            name: row.name,
            summary: row.summary,
            service_id: row.service_id,
            hosts: row.hosts,
            base_path: row.base_path,
            match_headers: row.match_headers,
            state: row.state,
            metering: row.metering,
            policies: row.policies,
            document_number: row.document_number,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

async fn find(store: &Store, name: Named<ApiId>) -> Result<ApiRow, Refusal> {
    match name {
        Named::Id(id) => Ok(store.get_api(id).await?),
        Named::Slug(slug) => {
            Ok(store.find_api_by_slug(slug.as_str()).await?.ok_or_else(Problem::not_found)?)
        }
    }
}

/// Where a route would take calls of another API, the brain names the route's field `/path`; no body here has it,
/// so the fault is one of the whole.
fn of_routes(error: Error) -> Error {
    match error {
        Error::Invalid(mut faults) => {
            faults
                .iter_mut()
                .filter(|fault| fault.pointer == "/path")
                .for_each(|fault| fault.pointer.clear());
            Error::Invalid(faults)
        }
        other => other,
    }
}

fn shown(row: ApiRow) -> Response {
    answer::tagged(row.version, answer::ok(Api::from(row)))
}
