//! `GET /v1/services/{service}`

use tollgate_domain::ServiceId;

use super::{Service, find, shown};
use crate::auth::Reader;
use crate::path::Named;
use crate::problem::Answer;

/// Get a service
#[utoipa::path(
    get, path = "/v1/services/{service}", tag = "Services", operation_id = "getService",
    params(("service" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The service.", body = Service))
)]
pub async fn get_service(reader: Reader, name: Named<ServiceId>) -> Answer {
    Ok(shown(find(reader.control.store(), name).await?))
}
