//! `PATCH /v1/apis/{api}`

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tollgate_control::ApiPatch;
use tollgate_domain::{ApiId, ApiPolicies, ApiState, HeaderMatch, Metering, ServiceId, Slug};
use utoipa::ToSchema;

use super::{Api, find, of_routes, shown};
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// What to change about an API; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "state": "published" }))]
pub struct ApiChange {
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
    /// Where calls go.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::ServiceId)]
    service_id: Option<ServiceId>,
    /// Hosts it answers on, without port; empty means any. Replaces them all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<schema::Host>, max_items = 32)]
    hosts: Option<Vec<Text>>,
    /// What stands before every path: empty, or `/segments` without a final slash.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::BasePath)]
    base_path: Option<Text>,
    /// Fields that a call must have to be this API's, beside host and path. Replaces them all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<schema::HeaderMatch>, max_items = 4)]
    match_headers: Option<Vec<HeaderMatch>>,
    /// Where it stands in its life.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::ApiState)]
    state: Option<ApiState>,
    /// When it stops being served, to the second; `null` is not decided. Goes by itself where `state` becomes `draft` or
    /// `published`.
    #[serde(default, deserialize_with = "given")]
    sunset_at: Option<Option<DateTime<Utc>>>,
    /// The API that takes its place; `null` is none. Goes as `sunset_at` does.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, pattern = "^api_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    successor_id: Option<Option<ApiId>>,
    /// How its calls are metered. Replaces all of it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Metering)]
    metering: Option<Metering>,
    /// What its calls are held to, besides what all are and what their plan says. Replaces all of it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::ApiPolicies)]
    policies: Option<ApiPolicies>,
}

/// Change an API
///
/// Its document is changed by publishing another one.
#[utoipa::path(
    patch, path = "/v1/apis/{api}", tag = "APIs", operation_id = "updateApi",
    params(("api" = String, Path, description = "Its id or slug."), IfMatchParam), request_body = ApiChange,
    responses((status = 200, description = "The API after the change.", body = Api))
)]
pub async fn update_api(
    writer: Writer,
    name: Named<ApiId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<ApiChange>,
) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    let patch = ApiPatch {
        slug: body.slug,
        name: body.name.map(|name| name.0),
        summary: body.summary.map(|summary| summary.0),
        service_id: body.service_id,
        hosts: body.hosts.map(|hosts| hosts.into_iter().map(|host| host.0).collect()),
        base_path: body.base_path.map(|path| path.0),
        match_headers: body.match_headers,
        state: body.state,
        sunset_at: body.sunset_at,
        successor_id: body.successor_id,
        metering: body.metering,
        policies: body.policies,
    };
    let changed = writer.control.update_api(&writer.actor, id, expected, patch).await;
    Ok(shown(changed.map_err(of_routes)?))
}
