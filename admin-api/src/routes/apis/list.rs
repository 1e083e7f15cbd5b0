//! `GET /v1/apis`

use super::Api;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List APIs
///
/// Oldest first; drafts and retired ones too.
#[utoipa::path(
    get, path = "/v1/apis", tag = "APIs", operation_id = "listApis", params(PageParams),
    responses((status = 200, description = "A page of APIs.", body = Listing<Api>))
)]
pub async fn list_apis(reader: Reader, mut params: Params) -> Answer {
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_apis(page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Api::from)))
}
