//! Users: people with an account, and those of them who run the platform.

pub mod get;
pub mod invitations;
pub mod list;
pub mod operator;
pub mod update;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{OperatorRole, UserId};
use tollgate_store::PersonRow;
use utoipa::ToSchema;

use crate::schema;

/// A person with an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "usr_01ks2v8d3tf5cs9y0v3jq1q7zb", "email": "ada@example.com", "name": "Ada", "role": "publisher",
    "organizations": 0, "disabled": false, "created_at": "2026-11-21T09:30:00Z"
}))]
pub struct User {
    /// Its id.
    #[schema(value_type = schema::UserId)]
    id: UserId,
    /// In lower case.
    email: String,
    /// What they want to be called; may be empty.
    name: String,
    /// What they may do to the platform; `null` where they do not run it.
    #[schema(required, value_type = Option<String>)]
    role: Option<OperatorRole>,
    /// Organizations that they belong to.
    organizations: i64,
    /// Whether they are kept from signing in.
    disabled: bool,
    /// When they signed up.
    created_at: DateTime<Utc>,
}

impl From<PersonRow> for User {
    fn from(row: PersonRow) -> Self {
        Self {
            role: row.role(),
            disabled: row.disabled_at.is_some(),
            id: row.id,
            email: row.email,
            name: row.name,
            organizations: row.organizations,
            created_at: row.created_at,
        }
    }
}
