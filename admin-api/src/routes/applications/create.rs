//! `POST /v1/applications`

use serde::Deserialize;
use tollgate_domain::OrganizationId;
use utoipa::ToSchema;

use super::Application;
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::problem::{Answer, named_by};
use crate::schema;

/// What an application is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "organization_id": "org_01ks2v8d3tf5cs9y0v3jq1q7zb", "name": "Globex website" }))]
pub struct NewApplication {
    /// Whose it is; never changes.
    #[schema(value_type = schema::OrganizationId)]
    organization_id: OrganizationId,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Text,
}

/// Create an application
#[utoipa::path(
    post, path = "/v1/applications", tag = "Applications", operation_id = "createApplication",
    request_body = NewApplication,
    responses((status = 201, description = "The new application.", body = Application))
)]
pub async fn create_application(writer: Writer, Json(body): Json<NewApplication>) -> Answer {
    let row = writer
        .control
        .create_application(&writer.actor, body.organization_id, &body.name.0)
        .await
        .map_err(named_by(&[("organization", "/organization_id")]))?;
    Ok(answer::tagged(row.version, answer::created("applications", row.id, Application::from(row))))
}
