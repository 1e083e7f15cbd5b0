//! `GET /v1/users`

use super::User;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List users
///
/// Oldest first.
#[utoipa::path(
    get, path = "/v1/users", tag = "Users", operation_id = "listUsers",
    params(
        ("email" = Option<String>, Query, description = "Only those whose e-mail begins so, in any case.", min_length = 1, max_length = 254),
        ("operators" = Option<bool>, Query, description = "`true`: only those who run the platform."),
        PageParams
    ),
    responses((status = 200, description = "A page of users.", body = Listing<User>))
)]
pub async fn list_users(reader: Reader, mut params: Params) -> Answer {
    let email = params.take("email", "1 to 254 characters", |text| {
        ((1..=254).contains(&text.len()) && !text.contains('\0')).then(|| text.to_owned())
    })?;
    let operators = params.take("operators", "true or false", |text| text.parse().ok())?.unwrap_or(false);
    let page = params.page()?;
    params.finish()?;
    let rows = page.rows();
    let store = reader.control.store();
    let rows = store.list_people(email.as_deref(), operators, rows.after, rows.limit).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), User::from)))
}
