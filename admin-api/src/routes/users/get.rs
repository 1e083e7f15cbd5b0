//! `GET /v1/users/{user}`

use tollgate_domain::UserId;

use super::User;
use crate::answer;
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Get a user
#[utoipa::path(
    get, path = "/v1/users/{user}", tag = "Users", operation_id = "getUser",
    params(("user" = schema::UserId, Path, description = "Their id.")),
    responses((status = 200, description = "The user.", body = User))
)]
pub async fn get_user(reader: Reader, Id(id): Id<UserId>) -> Answer {
    Ok(answer::ok(User::from(reader.control.store().get_person(id).await?)))
}
