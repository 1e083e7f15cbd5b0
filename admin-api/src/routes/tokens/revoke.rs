//! `DELETE /v1/tokens/{token}`

use tollgate_domain::TokenId;

use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Revoke a service token
///
/// The next request with it is refused, and there is no way back. It stays readable; revoking it twice is no error.
#[utoipa::path(
    delete, path = "/v1/tokens/{token}", tag = "Tokens", operation_id = "revokeToken",
    params(("token" = schema::TokenId, Path, description = "Its id.")),
    responses((status = 204, description = "It is revoked."))
)]
pub async fn revoke_token(writer: Writer, Id(id): Id<TokenId>) -> Answer {
    writer.control.revoke_token(&writer.actor, id).await?;
    Ok(answer::no_content())
}
