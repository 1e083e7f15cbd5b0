//! `GET /v1/organizations/{organization}`

use tollgate_domain::OrganizationId;

use super::{Organization, find, shown};
use crate::auth::Reader;
use crate::path::Named;
use crate::problem::Answer;

/// Get an organization
#[utoipa::path(
    get, path = "/v1/organizations/{organization}", tag = "Organizations", operation_id = "getOrganization",
    params(("organization" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The organization.", body = Organization))
)]
pub async fn get_organization(reader: Reader, name: Named<OrganizationId>) -> Answer {
    Ok(shown(find(reader.control.store(), reader.scope, name).await?))
}
