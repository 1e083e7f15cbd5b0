//! `PATCH /v1/applications/{application}`

use serde::Deserialize;
use tollgate_control::ApplicationPatch;
use tollgate_domain::{ApplicationId, ApplicationState};
use utoipa::ToSchema;

use super::{Application, shown};
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Id;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// What to change about an application; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "state": "suspended" }))]
pub struct ApplicationChange {
    /// Its name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::Name)]
    name: Option<Text>,
    /// Whether it may call.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::ApplicationState)]
    state: Option<ApplicationState>,
}

/// Rename, suspend or resume an application
#[utoipa::path(
    patch, path = "/v1/applications/{application}", tag = "Applications", operation_id = "updateApplication",
    params(("application" = schema::ApplicationId, Path, description = "Its id."), IfMatchParam),
    request_body = ApplicationChange,
    responses((status = 200, description = "The application after the change.", body = Application))
)]
pub async fn update_application(
    writer: Writer,
    Id(id): Id<ApplicationId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<ApplicationChange>,
) -> Answer {
    let patch = ApplicationPatch { name: body.name.map(|name| name.0), state: body.state };
    Ok(shown(writer.control.update_application(&writer.actor, id, expected, patch).await?))
}
