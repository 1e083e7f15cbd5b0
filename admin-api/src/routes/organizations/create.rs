//! `POST /v1/organizations`

use serde::Deserialize;
use tollgate_domain::Slug;
use utoipa::ToSchema;

use super::Organization;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::problem::Answer;
use crate::schema;

/// What an organization is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Globex", "slug": "globex" }))]
pub struct NewOrganization {
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Text,
    /// Its name in URLs; unique. Made from the name where it is absent.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Slug)]
    slug: Option<Slug>,
}

/// Create an organization
///
/// It begins without members. People who sign up in the portal bring an organization of their own.
#[utoipa::path(
    post, path = "/v1/organizations", tag = "Organizations", operation_id = "createOrganization",
    request_body = NewOrganization,
    responses((status = 201, description = "The new organization.", body = Organization))
)]
pub async fn create_organization(writer: Writer, Json(body): Json<NewOrganization>) -> Answer {
    let row = writer.control.create_organization(&writer.actor, &body.name.0, body.slug).await?;
    Ok(answer::tagged(row.version, answer::created("organizations", row.id, Organization::from(row))))
}
