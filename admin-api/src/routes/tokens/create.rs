//! `POST /v1/tokens`

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::TokenInput;
use tollgate_domain::{OperatorRole, TokenScope};
use utoipa::ToSchema;

use super::Token;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::problem::Answer;
use crate::schema;

/// What a service token is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Deployments", "role": "publisher", "scopes": ["read", "publish"], "expires_at": "2027-11-21T09:30:00Z" }))]
pub struct NewToken {
    /// What it is for; shown in the audit log.
    #[schema(value_type = schema::Name)]
    name: Text,
    /// What it may do at most.
    #[schema(value_type = schema::OperatorRole)]
    role: OperatorRole,
    /// What it is narrowed to; absent for all that its role may do.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<schema::TokenScope>, min_items = 1)]
    scopes: Option<Vec<TokenScope>>,
    /// When it stops by itself; absent or `null` is never.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

/// A token that was just made, with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenWithSecret {
    #[serde(flatten)]
    token: Token,
    /// The token itself, to be sent as `Authorization: Bearer`. This is the only time that it is shown.
    secret: String,
}

/// Create a service token
///
/// The answer carries the secret, once: only a hash of it is kept. For tokens of the role admin; one that was narrowed
/// makes none that may do more.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "Tokens", operation_id = "createToken", request_body = NewToken,
    responses((status = 201, description = "The new token and its secret.", body = TokenWithSecret))
)]
pub async fn create_token(writer: Writer, Json(body): Json<NewToken>) -> Answer {
    let input =
        TokenInput { name: body.name.0, role: body.role, scopes: body.scopes, expires_at: body.expires_at };
    let (row, secret) = writer.control.mint_token(&writer.actor, input).await?;
    let id = row.id;
    let answer = TokenWithSecret { token: row.into(), secret: secret.reveal().to_owned() };
    Ok(answer::created("tokens", id, answer))
}
