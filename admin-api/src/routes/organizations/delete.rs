//! `DELETE /v1/organizations/{organization}`

use tollgate_domain::OrganizationId;

use super::find;
use crate::answer;
use crate::auth::Writer;
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;

/// Delete an organization
///
/// Its applications, subscriptions and keys stop working at once. What it used stays counted.
#[utoipa::path(
    delete, path = "/v1/organizations/{organization}", tag = "Organizations", operation_id = "deleteOrganization",
    params(("organization" = String, Path, description = "Its id or slug."), IfMatchParam),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_organization(
    writer: Writer,
    name: Named<OrganizationId>,
    IfMatch(expected): IfMatch,
) -> Answer {
    let id = find(writer.control.store(), writer.actor.tenants(true)?, name).await?.id;
    writer.control.delete_organization(&writer.actor, id, expected).await?;
    Ok(answer::no_content())
}
