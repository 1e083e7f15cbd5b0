//! `GET /v1/services`

use super::Service;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List services
///
/// Oldest first.
#[utoipa::path(
    get, path = "/v1/services", tag = "Services", operation_id = "listServices", params(PageParams),
    responses((status = 200, description = "A page of services.", body = Listing<Service>))
)]
pub async fn list_services(reader: Reader, mut params: Params) -> Answer {
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_services(page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Service::from)))
}
