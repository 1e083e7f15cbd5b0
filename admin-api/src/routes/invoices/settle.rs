//! `POST /v1/invoices/{invoice}/pay` and `/void`

use tollgate_domain::{InvoiceId, InvoiceState};

use super::Invoice;
use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// Mark an invoice as paid
///
/// Saying it again changes nothing.
#[utoipa::path(
    post, path = "/v1/invoices/{invoice}/pay", tag = "Invoices", operation_id = "payInvoice",
    params(("invoice" = schema::InvoiceId, Path, description = "Its id."), IfMatchParam),
    responses((status = 200, description = "The invoice, paid.", body = Invoice))
)]
pub async fn pay_invoice(writer: Writer, Id(id): Id<InvoiceId>, condition: IfMatch) -> Answer {
    settle(writer, id, condition, InvoiceState::Paid).await
}

/// Give up an invoice
///
/// What it bills is never billed again. Saying it again changes nothing.
#[utoipa::path(
    post, path = "/v1/invoices/{invoice}/void", tag = "Invoices", operation_id = "voidInvoice",
    params(("invoice" = schema::InvoiceId, Path, description = "Its id."), IfMatchParam),
    responses((status = 200, description = "The invoice, given up.", body = Invoice))
)]
pub async fn void_invoice(writer: Writer, Id(id): Id<InvoiceId>, condition: IfMatch) -> Answer {
    settle(writer, id, condition, InvoiceState::Void).await
}

async fn settle(writer: Writer, id: InvoiceId, IfMatch(expected): IfMatch, state: InvoiceState) -> Answer {
    let row = writer.control.settle_invoice(&writer.actor, id, expected, state).await?;
    Ok(answer::tagged(row.version, answer::ok(Invoice::from(row))))
}
