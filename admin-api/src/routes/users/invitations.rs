//! `/v1/operator-invitations`: who was asked by mail to run the platform.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::{OperatorInvitationId, OperatorRole};
use tollgate_store::SetupLinkRow;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Invitations that wait.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorInvitations {
    /// Oldest first, 200 at most.
    data: Vec<OperatorInvitation>,
}

/// Somebody who was asked to run the platform and has not opened the link.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "opi_01ks2v8d3tf5cs9y0v3jq1q7zb", "email": "ada@example.com", "role": "publisher",
    "created_at": "2026-11-21T10:00:00Z", "expires_at": "2026-11-24T10:00:00Z"
}))]
pub struct OperatorInvitation {
    /// Its id.
    #[schema(value_type = schema::OperatorInvitationId)]
    id: OperatorInvitationId,
    /// Whom the link was mailed to, and is for.
    email: String,
    /// What they may do then.
    #[schema(value_type = schema::OperatorRole)]
    role: OperatorRole,
    /// When the mail was written.
    created_at: DateTime<Utc>,
    /// Until when the link works.
    expires_at: DateTime<Utc>,
}

impl From<SetupLinkRow> for OperatorInvitation {
    fn from(row: SetupLinkRow) -> Self {
        Self {
            id: row.id.into(),
            email: row.email.unwrap_or_default(),
            role: row.role,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

/// Whom to ask.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "ada@example.com", "role": "publisher" }))]
pub struct NewOperatorInvitation {
    /// Where the link is mailed.
    #[schema(max_length = 254)]
    email: String,
    /// What they may do when they have opened it.
    #[schema(value_type = schema::OperatorRole)]
    role: OperatorRole,
}

/// List invitations to run the platform
///
/// Those whose mail was written and whose link was neither opened nor taken back, and still works.
#[utoipa::path(
    get, path = "/v1/operator-invitations", tag = "Users", operation_id = "listOperatorInvitations",
    responses((status = 200, description = "The invitations.", body = OperatorInvitations))
)]
pub async fn list_operator_invitations(reader: Reader) -> Answer {
    let rows = reader.control.store().list_setup_links().await?;
    Ok(answer::ok(OperatorInvitations { data: rows.into_iter().map(OperatorInvitation::from).collect() }))
}

/// Invite somebody to run the platform
///
/// A link is mailed to the address, and is for its owner alone. It is in the list when the mail is written, which takes a
/// moment.
#[utoipa::path(
    post, path = "/v1/operator-invitations", tag = "Users", operation_id = "createOperatorInvitation",
    request_body = NewOperatorInvitation,
    responses((status = 202, description = "The mail is queued."))
)]
pub async fn create_operator_invitation(writer: Writer, Json(body): Json<NewOperatorInvitation>) -> Answer {
    writer.control.invite_operator(&writer.actor, &body.email, body.role).await?;
    Ok(answer::accepted())
}

/// Take an invitation to run the platform back
#[utoipa::path(
    delete, path = "/v1/operator-invitations/{invitation}", tag = "Users",
    operation_id = "deleteOperatorInvitation",
    params(("invitation" = schema::OperatorInvitationId, Path, description = "Its id.")),
    responses((status = 204, description = "Its link opens nothing any more."))
)]
pub async fn delete_operator_invitation(writer: Writer, Id(id): Id<OperatorInvitationId>) -> Answer {
    writer.control.revoke_operator_invitation(&writer.actor, id.uuid()).await?;
    Ok(answer::no_content())
}
