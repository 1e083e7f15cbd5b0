//! `GET /v1/invoices/{invoice}/payments`, `POST /v1/invoices/{invoice}/refund` and `/credit`

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::{InvoiceId, PaymentKind, PaymentState, Scope};
use tollgate_store::PaymentRow;
use utoipa::ToSchema;

use super::Invoice;
use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// What happened about the money of an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payments {
    /// Oldest first.
    data: Vec<Payment>,
}

/// Money that came, did not come, or went back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "failure", "state": "done", "amount_minor": 3007, "provider": "stripe", "note": "Your card was declined.",
    "at": "2026-11-01T02:00:07Z"
}))]
struct Payment {
    /// What happened.
    #[schema(value_type = schema::PaymentKind)]
    kind: PaymentKind,
    /// Whether it is certain.
    #[schema(value_type = schema::PaymentState)]
    state: PaymentState,
    /// How much, in minor units of the invoice's currency.
    amount_minor: u64,
    /// `manual`, or the name of the payment provider.
    provider: String,
    /// Why, in words; `null` where nobody said.
    #[schema(required)]
    note: Option<String>,
    /// When.
    at: DateTime<Utc>,
}

impl From<PaymentRow> for Payment {
    fn from(row: PaymentRow) -> Self {
        Self {
            kind: row.kind,
            state: row.state,
            amount_minor: row.amount().minor,
            provider: row.provider,
            note: row.note,
            at: row.at,
        }
    }
}

/// How much, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount_minor": 900, "note": "half a week without service" }))]
pub struct ReturnInput {
    /// How much, in minor units of the invoice's currency.
    #[schema(minimum = 1)]
    amount_minor: u64,
    /// Why: it stands on the invoice.
    #[schema(min_length = 1, max_length = 200)]
    note: String,
}

/// List an invoice's payments
///
/// Also attempts that failed, refunds and credit notes.
#[utoipa::path(
    get, path = "/v1/invoices/{invoice}/payments", tag = "Invoices", operation_id = "listInvoicePayments",
    params(("invoice" = schema::InvoiceId, Path, description = "Its id.")),
    responses((status = 200, description = "What happened.", body = Payments))
)]
pub async fn list_invoice_payments(reader: Reader, Id(id): Id<InvoiceId>) -> Answer {
    let store = reader.control.store();
    let scope = reader.narrowed(None)?;
    store.get_invoice(scope, id).await?;
    let rows = store.list_payments(scope, id).await?;
    Ok(answer::ok(Payments { data: rows.into_iter().map(Payment::from).collect() }))
}

/// Refund an invoice
///
/// Money of the newest payment goes back the way it came; a payment provider does it within minutes.
#[utoipa::path(
    post, path = "/v1/invoices/{invoice}/refund", tag = "Invoices", operation_id = "refundInvoice",
    params(("invoice" = schema::InvoiceId, Path, description = "Its id.")), request_body = ReturnInput,
    responses((status = 200, description = "The invoice.", body = Invoice))
)]
pub async fn refund_invoice(writer: Writer, Id(id): Id<InvoiceId>, Json(body): Json<ReturnInput>) -> Answer {
    writer.control.refund_invoice(&writer.actor, id, body.amount_minor, &body.note).await?;
    shown(&writer, id).await
}

/// Credit an invoice
///
/// Lowers an open invoice; a credit note over all of it settles it.
#[utoipa::path(
    post, path = "/v1/invoices/{invoice}/credit", tag = "Invoices", operation_id = "creditInvoice",
    params(("invoice" = schema::InvoiceId, Path, description = "Its id.")), request_body = ReturnInput,
    responses((status = 200, description = "The invoice.", body = Invoice))
)]
pub async fn credit_invoice(writer: Writer, Id(id): Id<InvoiceId>, Json(body): Json<ReturnInput>) -> Answer {
    writer.control.credit_invoice(&writer.actor, id, body.amount_minor, &body.note).await?;
    shown(&writer, id).await
}

async fn shown(writer: &Writer, id: InvoiceId) -> Answer {
    let row = writer.control.store().get_invoice(Scope::Operator, id).await?;
    Ok(answer::tagged(row.version, answer::ok(Invoice::from(row))))
}
