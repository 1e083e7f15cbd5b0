//! `DELETE /v1/organizations/{organization}`

use tollgate_domain::OrganizationId;

use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Delete an organization
///
/// Its applications, subscriptions and keys stop working at once. What it used stays counted.
#[utoipa::path(
    delete, path = "/v1/organizations/{organization}", tag = "Organizations", operation_id = "deleteOrganization",
    params(("organization" = schema::OrganizationId, Path, description = "Its id.")),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_organization(writer: Writer, Id(id): Id<OrganizationId>) -> Answer {
    writer.control.delete_organization(&writer.actor, id).await?;
    Ok(answer::no_content())
}
