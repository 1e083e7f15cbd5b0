//! `GET /v1/organizations/{organization}`

use tollgate_domain::OrganizationId;

use super::Organization;
use crate::answer;
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Get an organization
#[utoipa::path(
    get, path = "/v1/organizations/{organization}", tag = "Organizations", operation_id = "getOrganization",
    params(("organization" = schema::OrganizationId, Path, description = "Its id.")),
    responses((status = 200, description = "The organization.", body = Organization))
)]
pub async fn get_organization(reader: Reader, Id(id): Id<OrganizationId>) -> Answer {
    let row = reader.control.store().get_organization(reader.scope, id).await?;
    Ok(answer::ok(Organization::from(row)))
}
