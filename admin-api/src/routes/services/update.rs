//! `PATCH /v1/services/{service}`

use serde::Deserialize;
use tollgate_control::ServicePatch;
use tollgate_domain::{ServiceId, ServiceProtocol, Slug, Target};
use utoipa::ToSchema;

use super::{Service, TargetBody, find, shown};
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// What to change about a service; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "read_timeout_ms": 10000 }))]
pub struct ServiceChange {
    /// Its name in URLs; unique.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Slug)]
    slug: Option<Slug>,
    /// Its name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Name)]
    name: Option<Text>,
    /// Milliseconds to open a connection.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = i32, minimum = 1, maximum = 60_000)]
    connect_timeout_ms: Option<i32>,
    /// Milliseconds to wait for bytes of an answer.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = i32, minimum = 1, maximum = 3_600_000)]
    read_timeout_ms: Option<i32>,
    /// How it is spoken to; gRPC needs `h2` or `h2c`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::ServiceProtocol)]
    protocol: Option<ServiceProtocol>,
    /// Its addresses, in order; replaces them all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<TargetBody>, min_items = 1, max_items = 64)]
    targets: Option<Vec<TargetBody>>,
}

/// Change a service
///
/// Gateways forward by the new settings within a second. Calls on their way are not dropped.
#[utoipa::path(
    patch, path = "/v1/services/{service}", tag = "Services", operation_id = "updateService",
    params(("service" = String, Path, description = "Its id or slug."), IfMatchParam), request_body = ServiceChange,
    responses((status = 200, description = "The service after the change.", body = Service))
)]
pub async fn update_service(
    writer: Writer,
    name: Named<ServiceId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<ServiceChange>,
) -> Answer {
    let patch = ServicePatch {
        slug: body.slug,
        name: body.name.map(|name| name.0),
        connect_timeout_ms: body.connect_timeout_ms,
        read_timeout_ms: body.read_timeout_ms,
        protocol: body.protocol,
        targets: body.targets.map(|targets| targets.into_iter().map(Target::from).collect()),
    };
    let id = find(writer.control.store(), name).await?.id;
    Ok(shown(writer.control.update_service(&writer.actor, id, expected, patch).await?))
}
