//! `GET /v1/apis/{api}`

use tollgate_domain::ApiId;

use super::{Api, find, shown};
use crate::auth::Reader;
use crate::path::Named;
use crate::problem::Answer;

/// Get an API
#[utoipa::path(
    get, path = "/v1/apis/{api}", tag = "APIs", operation_id = "getApi",
    params(("api" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The API.", body = Api))
)]
pub async fn get_api(reader: Reader, name: Named<ApiId>) -> Answer {
    Ok(shown(find(reader.control.store(), name).await?))
}
