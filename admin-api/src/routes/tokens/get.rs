//! `GET /v1/tokens/{token}`

use tollgate_domain::TokenId;

use super::Token;
use crate::answer;
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Get a service token
#[utoipa::path(
    get, path = "/v1/tokens/{token}", tag = "Tokens", operation_id = "getToken",
    params(("token" = schema::TokenId, Path, description = "Its id.")),
    responses((status = 200, description = "The token, without its secret.", body = Token))
)]
pub async fn get_token(reader: Reader, Id(id): Id<TokenId>) -> Answer {
    Ok(answer::ok(Token::from(reader.control.store().get_token(id).await?)))
}
