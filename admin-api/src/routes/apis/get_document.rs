//! `GET /v1/apis/{api}/document`

use tollgate_domain::ApiId;
use tollgate_web::Problem;

use super::find;
use crate::answer;
use crate::auth::Reader;
use crate::path::Named;
use crate::problem::Answer;

/// Get an API's document
///
/// The OpenAPI document in force, as 3.1 whatever it was written in. 404 where none was published yet.
#[utoipa::path(
    get, path = "/v1/apis/{api}/document", tag = "APIs", operation_id = "getApiDocument",
    params(("api" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The document.", body = Object, content_type = "application/json"))
)]
pub async fn get_api_document(reader: Reader, name: Named<ApiId>) -> Answer {
    let store = reader.control.store();
    let row = find(store, name).await?;
    let document = store.find_document(row.id).await?.ok_or_else(Problem::not_found)?;
    Ok(answer::tagged(row.version, answer::ok(document)))
}
