//! `PATCH /v1/organizations/{organization}`

use serde::Deserialize;
use tollgate_control::OrganizationPatch;
use tollgate_domain::{OrganizationId, Slug};
use utoipa::ToSchema;

use super::{Organization, find, shown};
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Named;
use crate::precondition::{IfMatch, IfMatchParam};
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
    /// Its name in URLs; unique.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Slug)]
    slug: Option<Slug>,
}

/// Change an organization
#[utoipa::path(
    patch, path = "/v1/organizations/{organization}", tag = "Organizations", operation_id = "updateOrganization",
    params(("organization" = String, Path, description = "Its id or slug."), IfMatchParam),
    request_body = OrganizationChange,
    responses((status = 200, description = "The organization after the change.", body = Organization))
)]
pub async fn update_organization(
    writer: Writer,
    name: Named<OrganizationId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<OrganizationChange>,
) -> Answer {
    let id = find(writer.control.store(), writer.actor.tenants(true)?, name).await?.id;
    let patch = OrganizationPatch { name: body.name.map(|name| name.0), slug: body.slug };
    Ok(shown(writer.control.update_organization(&writer.actor, id, expected, patch).await?))
}
