//! `GET /v1/certificates`

use super::Certificate;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;

/// List certificates
///
/// Oldest first.
#[utoipa::path(
    get, path = "/v1/certificates", tag = "Certificates", operation_id = "listCertificates", params(PageParams),
    responses((status = 200, description = "A page of certificates.", body = Listing<Certificate>))
)]
pub async fn list_certificates(reader: Reader, mut params: Params) -> Answer {
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_certificates(page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Certificate::from)))
}
