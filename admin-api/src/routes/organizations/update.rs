//! `PATCH /v1/organizations/{organization}`

use serde::Deserialize;
use tollgate_domain::OrganizationId;
use utoipa::ToSchema;

use super::Organization;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// What to change about an organization; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Globex International" }))]
pub struct OrganizationChange {
    /// Its name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Name)]
    name: Option<Text>,
}

/// Rename an organization
#[utoipa::path(
    patch, path = "/v1/organizations/{organization}", tag = "Organizations", operation_id = "updateOrganization",
    params(("organization" = schema::OrganizationId, Path, description = "Its id.")),
    request_body = OrganizationChange,
    responses((status = 200, description = "The organization after the change.", body = Organization))
)]
pub async fn update_organization(
    writer: Writer,
    Id(id): Id<OrganizationId>,
    Json(body): Json<OrganizationChange>,
) -> Answer {
    let row = match body.name {
        Some(name) => writer.control.rename_organization(&writer.actor, id, &name.0).await?,
        None => writer.control.store().get_organization(writer.actor.tenants(false)?, id).await?,
    };
    Ok(answer::ok(Organization::from(row)))
}
