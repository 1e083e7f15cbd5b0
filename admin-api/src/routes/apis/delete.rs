//! `DELETE /v1/apis/{api}`

use tollgate_domain::ApiId;

use super::find;
use crate::answer;
use crate::auth::Writer;
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;

/// Delete an API
///
/// With its documents and routes. Refused while a product offers it.
#[utoipa::path(
    delete, path = "/v1/apis/{api}", tag = "APIs", operation_id = "deleteApi",
    params(("api" = String, Path, description = "Its id or slug."), IfMatchParam),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_api(writer: Writer, name: Named<ApiId>, IfMatch(expected): IfMatch) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    writer.control.delete_api(&writer.actor, id, expected).await?;
    Ok(answer::no_content())
}
