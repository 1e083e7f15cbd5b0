//! `DELETE /v1/keys/{key}`

use tollgate_domain::CredentialId;

use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Revoke a key
///
/// Calls with it are refused within a second, and there is no way back. It stays readable, with the state
/// `revoked`; revoking it twice is no error.
#[utoipa::path(
    delete, path = "/v1/keys/{key}", tag = "Keys", operation_id = "revokeKey",
    params(("key" = schema::KeyId, Path, description = "Its id.")),
    responses((status = 204, description = "It is revoked."))
)]
pub async fn revoke_key(writer: Writer, Id(id): Id<CredentialId>) -> Answer {
    writer.control.revoke_credential(&writer.actor, id).await?;
    Ok(answer::no_content())
}
