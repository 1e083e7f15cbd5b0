//! `PUT /v1/organizations/{organization}`

use serde::Deserialize;
use tollgate_control::OrganizationPatch;
use tollgate_domain::{OrganizationId, Slug};
use utoipa::ToSchema;

use super::{Organization, find};
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::path::Named;
use crate::precondition::{OptionalIfMatch, PutConditions};
use crate::problem::{Answer, found};
use crate::put::{Put, answered};
use crate::schema;

/// The whole of an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "slug": "globex", "name": "Globex" }))]
pub struct WholeOrganization {
    /// Its name in URLs; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Text,
}

/// Create or replace an organization
///
/// Made where there is none of this slug, replaced where there is. Sent again it changes nothing. Another slug in the body
/// than in the path renames it.
#[utoipa::path(
    put, path = "/v1/organizations/{organization}", tag = "Organizations", operation_id = "putOrganization",
    params(("organization" = String, Path, description = "Its slug, or its id where it exists."), PutConditions),
    request_body = WholeOrganization,
    responses(
        (status = 200, description = "The organization after the change.", body = Organization),
        (status = 201, description = "The new organization.", body = Organization)
    )
)]
pub async fn put_organization(
    writer: Writer,
    name: Named<OrganizationId>,
    condition: OptionalIfMatch,
    Json(body): Json<WholeOrganization>,
) -> Answer {
    let scope = writer.actor.tenants(true)?;
    let put = Put::begin(&writer, "organization", &body.slug, condition).await?;
    let (control, actor) = (put.control(), &writer.actor);
    let (created, row) = match found(find(control.store(), scope, name.clone()).await)? {
        Some(row) => {
            let expected = put.replaces()?;
            let patch = OrganizationPatch { name: Some(body.name.0), slug: Some(body.slug) };
            (false, control.update_organization(actor, row.id, expected, patch).await?)
        }
        None => {
            put.creates(&name, &body.slug)?;
            (true, control.create_organization(actor, &body.name.0, Some(body.slug)).await?)
        }
    };
    put.finish().await?;
    Ok(answered(created, "organizations", row.id, row.version, Organization::from(row)))
}
