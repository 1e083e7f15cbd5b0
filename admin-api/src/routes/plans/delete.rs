//! `DELETE /v1/plans/{plan}`

use tollgate_domain::PlanId;

use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// Delete a plan
///
/// Refused once it had a subscription; close it instead.
#[utoipa::path(
    delete, path = "/v1/plans/{plan}", tag = "Plans", operation_id = "deletePlan",
    params(("plan" = schema::PlanId, Path, description = "Its id."), IfMatchParam),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_plan(writer: Writer, Id(id): Id<PlanId>, IfMatch(expected): IfMatch) -> Answer {
    writer.control.delete_plan(&writer.actor, id, expected).await?;
    Ok(answer::no_content())
}
