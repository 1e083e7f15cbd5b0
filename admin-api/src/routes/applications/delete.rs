//! `DELETE /v1/applications/{application}`

use tollgate_domain::ApplicationId;

use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// Delete an application
///
/// Its keys are revoked and its subscriptions ended. What it used stays counted.
#[utoipa::path(
    delete, path = "/v1/applications/{application}", tag = "Applications", operation_id = "deleteApplication",
    params(("application" = schema::ApplicationId, Path, description = "Its id."), IfMatchParam),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_application(
    writer: Writer,
    Id(id): Id<ApplicationId>,
    IfMatch(expected): IfMatch,
) -> Answer {
    writer.control.delete_application(&writer.actor, id, expected).await?;
    Ok(answer::no_content())
}
