//! `GET /v1/invoices`

use tollgate_domain::InvoiceState;

use super::Invoice;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// List invoices
///
/// Of one organization or of all, newest first.
#[utoipa::path(
    get, path = "/v1/invoices", tag = "Invoices", operation_id = "listInvoices",
    params(
        ("organization_id" = Option<schema::OrganizationId>, Query, description = "Only this organization's."),
        ("state" = Option<schema::InvoiceState>, Query, description = "Only those in this state."), PageParams
    ),
    responses((status = 200, description = "A page of invoices.", body = Listing<Invoice>))
)]
pub async fn list_invoices(reader: Reader, mut params: Params) -> Answer {
    let scope = reader.narrowed(params.organization()?)?;
    let state = params.take("state", "open, paid or void", |text| text.parse::<InvoiceState>().ok())?;
    let page = params.page()?;
    params.finish()?;
    let rows = reader.control.store().list_invoices(scope, state, page.rows()).await?;
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Invoice::from)))
}
