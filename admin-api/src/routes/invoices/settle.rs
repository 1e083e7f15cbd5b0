//! `POST /v1/invoices/{invoice}/pay` and `/void`

use tollgate_domain::{InvoiceId, InvoiceState};

use super::Invoice;
use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Mark an invoice as paid
///
/// Saying it again changes nothing.
#[utoipa::path(
    post, path = "/v1/invoices/{invoice}/pay", tag = "Invoices", operation_id = "payInvoice",
    params(("invoice" = schema::InvoiceId, Path, description = "Its id.")),
    responses((status = 200, description = "The invoice, paid.", body = Invoice))
)]
pub async fn pay_invoice(writer: Writer, Id(id): Id<InvoiceId>) -> Answer {
    settle(writer, id, InvoiceState::Paid).await
}

/// Give up an invoice
///
/// What it bills is never billed again. Saying it again changes nothing.
#[utoipa::path(
    post, path = "/v1/invoices/{invoice}/void", tag = "Invoices", operation_id = "voidInvoice",
    params(("invoice" = schema::InvoiceId, Path, description = "Its id.")),
    responses((status = 200, description = "The invoice, given up.", body = Invoice))
)]
pub async fn void_invoice(writer: Writer, Id(id): Id<InvoiceId>) -> Answer {
    settle(writer, id, InvoiceState::Void).await
}

async fn settle(writer: Writer, id: InvoiceId, state: InvoiceState) -> Answer {
    let row = writer.control.settle_invoice(&writer.actor, id, state).await?;
    Ok(answer::tagged(row.version, answer::ok(Invoice::from(row))))
}
