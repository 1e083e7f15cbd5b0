//! `PATCH /v1/keys/{key}`

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tollgate_control::CredentialPatch;
use tollgate_domain::CredentialId;
use utoipa::ToSchema;

use super::Key;
use super::create::texts;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Id;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// What to change about a key; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Staging" }))]
pub struct KeyChange {
    /// Its name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Name)]
    name: Option<Text>,
    /// When it stops by itself; `null` is never.
    #[serde(default, deserialize_with = "given")]
    expires_at: Option<Option<DateTime<Utc>>>,
    /// What it may call; empty is all that its subscriptions open. Replaces them all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<String>, max_items = 100)]
    scopes: Option<Vec<Text>>,
    /// Addresses and networks that it may be used from; empty is everywhere. Replaces them all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<String>, max_items = 100)]
    networks: Option<Vec<Text>>,
    /// Sites on whose pages it may be used; empty is anywhere. Replaces them all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<String>, max_items = 100)]
    origins: Option<Vec<Text>>,
}

/// Change a key
#[utoipa::path(
    patch, path = "/v1/keys/{key}", tag = "Keys", operation_id = "updateKey",
    params(("key" = schema::KeyId, Path, description = "Its id."), IfMatchParam), request_body = KeyChange,
    responses((status = 200, description = "The key after the change.", body = Key))
)]
pub async fn update_key(
    writer: Writer,
    Id(id): Id<CredentialId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<KeyChange>,
) -> Answer {
    let patch = CredentialPatch {
        name: body.name.map(|name| name.0),
        expires_at: body.expires_at,
        scopes: body.scopes.map(texts),
        networks: body.networks.map(texts),
        origins: body.origins.map(texts),
    };
    let row = writer.control.update_credential(&writer.actor, id, expected, patch).await?;
    Ok(answer::tagged(row.version, answer::ok(Key::from(row))))
}
