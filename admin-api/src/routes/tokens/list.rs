//! `GET /v1/tokens`

use super::Token;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List service tokens
///
/// Oldest first; those that are over too.
#[utoipa::path(
    get, path = "/v1/tokens", tag = "Tokens", operation_id = "listTokens", params(PageParams),
    responses((status = 200, description = "A page of tokens.", body = Listing<Token>))
)]
pub async fn list_tokens(reader: Reader, mut params: Params) -> Answer {
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_tokens(page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Token::from)))
}
