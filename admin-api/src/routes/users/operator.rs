//! `PUT` and `DELETE /v1/users/{user}/role`

use serde::Deserialize;
use tollgate_domain::{OperatorRole, UserId};
use utoipa::ToSchema;

use super::User;
use crate::answer;
use crate::auth::Writer;
use crate::body::Json;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// A role on the platform.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "role": "publisher" }))]
pub struct Role {
    /// What the user may do.
    #[schema(value_type = schema::OperatorRole)]
    role: OperatorRole,
}

/// Give a user a role on the platform
///
/// In place of the one before. The last admin cannot be given a smaller one.
#[utoipa::path(
    put, path = "/v1/users/{user}/role", tag = "Users", operation_id = "putUserRole",
    params(("user" = schema::UserId, Path, description = "Their id.")), request_body = Role,
    responses((status = 200, description = "The user after the change.", body = User))
)]
pub async fn put_user_role(writer: Writer, Id(id): Id<UserId>, Json(body): Json<Role>) -> Answer {
    Ok(answer::ok(User::from(writer.control.put_operator(&writer.actor, id, body.role).await?)))
}

/// Take a user's role on the platform away
///
/// Refused for the last admin.
#[utoipa::path(
    delete, path = "/v1/users/{user}/role", tag = "Users", operation_id = "deleteUserRole",
    params(("user" = schema::UserId, Path, description = "Their id.")),
    responses((status = 204, description = "They no longer run the platform."))
)]
pub async fn delete_user_role(writer: Writer, Id(id): Id<UserId>) -> Answer {
    writer.control.delete_operator(&writer.actor, id).await?;
    Ok(answer::no_content())
}
