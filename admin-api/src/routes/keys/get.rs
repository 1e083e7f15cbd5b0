//! `GET /v1/keys/{key}`

use tollgate_domain::CredentialId;

use super::Key;
use crate::answer;
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Get a key
#[utoipa::path(
    get, path = "/v1/keys/{key}", tag = "Keys", operation_id = "getKey",
    params(("key" = schema::KeyId, Path, description = "Its id.")),
    responses((status = 200, description = "The key, without its secret.", body = Key))
)]
pub async fn get_key(reader: Reader, Id(id): Id<CredentialId>) -> Answer {
    let row = reader.control.store().get_credential(reader.scope, id).await?;
    Ok(answer::tagged(row.version, answer::ok(Key::from(row))))
}
