//! `PATCH /v1/keys/{key}`

use serde::Deserialize;
use tollgate_domain::CredentialId;
use utoipa::ToSchema;

use super::Key;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Id;
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
}

/// Rename a key
#[utoipa::path(
    patch, path = "/v1/keys/{key}", tag = "Keys", operation_id = "updateKey",
    params(("key" = schema::KeyId, Path, description = "Its id.")), request_body = KeyChange,
    responses((status = 200, description = "The key after the change.", body = Key))
)]
pub async fn update_key(writer: Writer, Id(id): Id<CredentialId>, Json(body): Json<KeyChange>) -> Answer {
    let row = match body.name {
        Some(name) => writer.control.rename_credential(&writer.actor, id, &name.0).await?,
        None => writer.control.store().get_credential(writer.actor.tenants(false)?, id).await?,
    };
    Ok(answer::ok(Key::from(row)))
}
