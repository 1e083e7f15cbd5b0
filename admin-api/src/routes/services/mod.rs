//! Services: systems we forward to.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod put;
pub mod update;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::{ServiceId, ServiceProtocol, Slug, Target};
use tollgate_store::{ServiceRow, Store};
use tollgate_web::Problem;
use utoipa::ToSchema;

use crate::answer;
use crate::body::Text;
use crate::path::Named;
use crate::problem::Refusal;
use crate::schema;

/// A system we forward to, with its addresses.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "svc_01ks2v8d3tf5cs9y0v3jq1q7zb", "slug": "countries", "name": "Countries backend",
    "connect_timeout_ms": 2000, "read_timeout_ms": 30000, "protocol": "h1",
    "targets": [{ "url": "http://10.0.0.7:8080", "weight": 100 }],
    "version": 1, "created_at": "2026-11-21T09:30:00Z"
}))]
pub struct Service {
    /// Its id.
    #[schema(value_type = schema::ServiceId)]
    id: ServiceId,
    /// Its name in URLs; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its name.
    name: String,
    /// Milliseconds to open a connection.
    connect_timeout_ms: i32,
    /// Milliseconds to wait for bytes of an answer.
    read_timeout_ms: i32,
    /// How it is spoken to.
    #[schema(value_type = schema::ServiceProtocol)]
    protocol: ServiceProtocol,
    /// Its addresses, in order.
    targets: Vec<TargetBody>,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// One address of a service.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Target, example = json!({ "url": "http://10.0.0.7:8080", "weight": 100 }))]
pub struct TargetBody {
    /// `http` or `https`, host, and where needed port and path.
    #[schema(value_type = String, format = "uri", max_length = 2000)]
    url: Text,
    /// Its share of the calls relative to its siblings; 0 takes none.
    #[serde(default = "full_weight")]
    #[schema(maximum = 1000, default = 100)]
    weight: u16,
}

const fn full_weight() -> u16 {
    100
}

impl From<TargetBody> for Target {
    fn from(body: TargetBody) -> Self {
        Self { url: body.url.0, weight: body.weight }
    }
}

impl From<ServiceRow> for Service {
    fn from(row: ServiceRow) -> Self {
        let targets = row.targets.into_iter();
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            connect_timeout_ms: row.connect_timeout_ms,
            read_timeout_ms: row.read_timeout_ms,
            protocol: row.protocol,
            targets: targets
                .map(|target| TargetBody { url: Text(target.url), weight: target.weight })
                .collect(),
            version: row.version,
            created_at: row.created_at,
        }
    }
}

async fn find(store: &Store, name: Named<ServiceId>) -> Result<ServiceRow, Refusal> {
    match name {
        Named::Id(id) => Ok(store.get_service(id).await?),
        Named::Slug(slug) => {
            Ok(store.find_service_by_slug(slug.as_str()).await?.ok_or_else(Problem::not_found)?)
        }
    }
}

fn shown(row: ServiceRow) -> Response {
    answer::tagged(row.version, answer::ok(Service::from(row)))
}
