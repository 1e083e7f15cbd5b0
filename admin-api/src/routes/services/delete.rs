//! `DELETE /v1/services/{service}`

use tollgate_domain::ServiceId;

use super::find;
use crate::answer;
use crate::auth::Writer;
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;

/// Delete a service
///
/// Refused while an API forwards to it.
#[utoipa::path(
    delete, path = "/v1/services/{service}", tag = "Services", operation_id = "deleteService",
    params(("service" = String, Path, description = "Its id or slug."), IfMatchParam),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_service(writer: Writer, name: Named<ServiceId>, IfMatch(expected): IfMatch) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    writer.control.delete_service(&writer.actor, id, expected).await?;
    Ok(answer::no_content())
}
