//! Service tokens: how scripts sign in here.

pub mod create;
pub mod get;
pub mod list;
pub mod revoke;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{OperatorRole, TokenId, TokenScope};
use tollgate_store::TokenRow;
use utoipa::ToSchema;

use crate::schema;

/// A service token, without the secret: that is shown once, when the token is made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "tok_01ks2v8d3tf5cs9y0v3jq1q7zb", "name": "Deployments", "role": "publisher", "scopes": ["read", "publish"],
    "prefix": "tgadm_live_4fGh", "created_at": "2026-11-21T09:30:00Z", "expires_at": "2027-11-21T09:30:00Z",
    "revoked_at": null
}))]
pub struct Token {
    /// Its id.
    #[schema(value_type = schema::TokenId)]
    id: TokenId,
    /// What it is for.
    name: String,
    /// What it may do at most.
    #[schema(value_type = schema::OperatorRole)]
    role: OperatorRole,
    /// What it is narrowed to; `null` where it may do all that its role may.
    #[schema(required, value_type = Option<Vec<schema::TokenScope>>)]
    scopes: Option<Vec<TokenScope>>,
    /// The first characters of the secret, to find it again.
    prefix: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it stops by itself; `null` is never.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// When it was revoked; `null` where it was not.
    #[schema(required)]
    revoked_at: Option<DateTime<Utc>>,
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Self {
        Self {
            scopes: row.scopes(),
            id: row.id,
            name: row.name,
            role: row.role,
            prefix: row.display_prefix,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}
