//! `PATCH /v1/users/{user}`

use serde::Deserialize;
use tollgate_domain::UserId;
use utoipa::ToSchema;

use super::User;
use crate::answer;
use crate::auth::Writer;
use crate::body::Json;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// What to change about a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "disabled": true }))]
pub struct UserChange {
    /// Whether they are kept from signing in.
    disabled: bool,
}

/// Keep a user out, or let them in again
///
/// A disabled user's sessions end at once and they cannot sign in. Their organizations' keys go on working. The last admin
/// cannot be disabled.
#[utoipa::path(
    patch, path = "/v1/users/{user}", tag = "Users", operation_id = "updateUser",
    params(("user" = schema::UserId, Path, description = "Their id.")), request_body = UserChange,
    responses((status = 200, description = "The user after the change.", body = User))
)]
pub async fn update_user(writer: Writer, Id(id): Id<UserId>, Json(body): Json<UserChange>) -> Answer {
    writer.control.disable_user(&writer.actor, id, body.disabled).await?;
    Ok(answer::ok(User::from(writer.control.store().get_person(id).await?)))
}
