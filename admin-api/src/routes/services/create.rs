//! `POST /v1/services`

use serde::Deserialize;
use tollgate_control::ServiceInput;
use tollgate_domain::{ServiceProtocol, Slug, Target};
use utoipa::ToSchema;

use super::{Service, TargetBody};
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::problem::Answer;
use crate::schema;

/// What a service is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "slug": "countries", "name": "Countries backend", "targets": [{ "url": "http://10.0.0.7:8080" }]
}))]
pub struct NewService {
    /// Its name in URLs; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Text,
    /// Milliseconds to open a connection.
    #[serde(default = "connect_timeout_ms")]
    #[schema(minimum = 1, maximum = 60_000, default = 2_000)]
    connect_timeout_ms: i32,
    /// Milliseconds to wait for bytes of an answer.
    #[serde(default = "read_timeout_ms")]
    #[schema(minimum = 1, maximum = 3_600_000, default = 30_000)]
    read_timeout_ms: i32,
    /// How it is spoken to; gRPC needs `h2` or `h2c`.
    #[serde(default)]
    #[schema(value_type = schema::ServiceProtocol, default = "h1")]
    protocol: ServiceProtocol,
    /// Its addresses, in order.
    #[schema(min_items = 1, max_items = 64)]
    targets: Vec<TargetBody>,
}

const fn connect_timeout_ms() -> i32 {
    2_000
}

const fn read_timeout_ms() -> i32 {
    30_000
}

impl From<NewService> for ServiceInput {
    fn from(body: NewService) -> Self {
        Self {
            slug: body.slug,
            name: body.name.0,
            connect_timeout_ms: body.connect_timeout_ms,
            read_timeout_ms: body.read_timeout_ms,
            protocol: body.protocol,
            targets: body.targets.into_iter().map(Target::from).collect(),
        }
    }
}

/// Create a service
///
/// A system that calls are forwarded to. APIs name it by its id.
#[utoipa::path(
    post, path = "/v1/services", tag = "Services", operation_id = "createService", request_body = NewService,
    responses((status = 201, description = "The new service.", body = Service))
)]
pub async fn create_service(writer: Writer, Json(body): Json<NewService>) -> Answer {
    let row = writer.control.create_service(&writer.actor, body.into()).await?;
    Ok(answer::tagged(row.version, answer::created("services", row.id, Service::from(row))))
}
