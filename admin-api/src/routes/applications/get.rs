//! `GET /v1/applications/{application}`

use tollgate_domain::ApplicationId;

use super::{Application, shown};
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Get an application
#[utoipa::path(
    get, path = "/v1/applications/{application}", tag = "Applications", operation_id = "getApplication",
    params(("application" = schema::ApplicationId, Path, description = "Its id.")),
    responses((status = 200, description = "The application.", body = Application))
)]
pub async fn get_application(reader: Reader, Id(id): Id<ApplicationId>) -> Answer {
    Ok(shown(reader.control.store().get_application(reader.scope, id).await?))
}
