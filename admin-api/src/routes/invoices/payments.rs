//! `GET /v1/invoices/{invoice}/payments`, `POST /v1/invoices/{invoice}/refund` and `/credit`, and what becomes of those that
//! the payment provider refused.

use axum::extract::{FromRequestParts, Path};
use chrono::{DateTime, Utc};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use tollgate_domain::{InvoiceId, PaymentKind, PaymentState, Scope};
use tollgate_store::PaymentRow;
use tollgate_web::Problem;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Invoice;
use crate::App;
use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Id;
use crate::problem::{Answer, Refusal};
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
    "id": "01990000-0000-7000-8000-000000000001", "kind": "failure", "state": "done", "amount_minor": 3007,
    "provider": "stripe", "note": "Your card was declined.", "failure": null, "at": "2026-11-01T02:00:07Z"
}))]
struct Payment {
    /// Its id.
    id: Uuid,
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
    /// Of a refund or credit note that failed: why, in the provider's words.
    #[schema(required)]
    failure: Option<String>,
    /// When.
    at: DateTime<Utc>,
}

impl From<PaymentRow> for Payment {
    fn from(row: PaymentRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            state: row.state,
            amount_minor: row.amount().minor,
            provider: row.provider,
            note: row.note,
            failure: row.failure,
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

/// A movement of money by the invoice and the payment of its path.
pub struct Named(InvoiceId, Uuid);

impl FromRequestParts<App> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let read = Path::<(String, String)>::from_request_parts(parts, app).await;
        let Path((invoice, payment)) = read.map_err(|_| Problem::not_found())?;
        match (invoice.parse(), payment.parse()) {
            (Ok(invoice), Ok(payment)) => Ok(Self(invoice, payment)),
            _ => Err(Problem::not_found().into()),
        }
    }
}

/// Try a failed refund anew
///
/// Or a credit note: another one over the same amount, for the same reason. The one that failed is withdrawn.
#[utoipa::path(
    post, path = "/v1/invoices/{invoice}/payments/{payment}/retry", tag = "Invoices",
    operation_id = "retryInvoicePayment",
    params(
        ("invoice" = schema::InvoiceId, Path, description = "Its id."),
        ("payment" = Uuid, Path, description = "The id of the refund or credit note."),
    ),
    responses((status = 200, description = "The invoice.", body = Invoice))
)]
pub async fn retry_invoice_payment(writer: Writer, Named(id, payment): Named) -> Answer {
    writer.control.retry_return(&writer.actor, id, payment).await?;
    shown(&writer, id).await
}

/// Withdraw a failed refund
///
/// Or a credit note: it is not made, and nobody is told of it any more.
#[utoipa::path(
    post, path = "/v1/invoices/{invoice}/payments/{payment}/withdraw", tag = "Invoices",
    operation_id = "withdrawInvoicePayment",
    params(
        ("invoice" = schema::InvoiceId, Path, description = "Its id."),
        ("payment" = Uuid, Path, description = "The id of the refund or credit note."),
    ),
    responses((status = 200, description = "The invoice.", body = Invoice))
)]
pub async fn withdraw_invoice_payment(writer: Writer, Named(id, payment): Named) -> Answer {
    writer.control.withdraw_return(&writer.actor, id, payment).await?;
    shown(&writer, id).await
}

async fn shown(writer: &Writer, id: InvoiceId) -> Answer {
    let row = writer.control.store().get_invoice(Scope::Operator, id).await?;
    Ok(answer::tagged(row.version, answer::ok(Invoice::from(row))))
}
