//! `GET /v1/invoices/{invoice}`

use serde::Serialize;
use tollgate_domain::{CalendarMonth, InvoiceId, PlanId, SubscriptionId};
use tollgate_store::InvoiceLineRow;
use utoipa::ToSchema;

use super::Invoice;
use crate::answer;
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// A bill with its lines.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoiceWithLines {
    #[serde(flatten)]
    invoice: Invoice,
    /// What it is made of; they add up to the total.
    lines: Vec<InvoiceLine>,
}

/// One amount of a bill.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "position": 2, "subscription_id": "sub_01ks2v8d3tf5cs9y0v3jq1q7zb", "plan_id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "tariff": 2, "month": "2026-10", "kind": "usage", "meter": "calls", "title": "My first app, Countries Pro: calls",
    "units": 1533, "included": 1000, "parts": [{ "units": 533, "unit_minor": "0.2", "flat_minor": 0 }],
    "amount_minor": 107
}))]
struct InvoiceLine {
    /// Counts from 1.
    position: i32,
    /// For which subscription.
    #[schema(value_type = schema::SubscriptionId)]
    subscription_id: SubscriptionId,
    /// On which plan.
    #[schema(value_type = schema::PlanId)]
    plan_id: PlanId,
    /// At which of its tariffs.
    tariff: i32,
    /// The month of the use; an earlier one than the invoice's where the line is `late`.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// `base`, `usage`, `minimum`, `setup` (the one-time fee), or `late`: what was handed in after its month was closed.
    kind: String,
    /// What was counted; `null` where nothing was.
    #[schema(required)]
    meter: Option<String>,
    /// What it says on the bill.
    title: String,
    /// Units, the included ones among them.
    units: i64,
    /// Of them, those that cost nothing.
    included: i64,
    /// How the others come to the amount.
    #[schema(value_type = Vec<InvoiceLinePart>)]
    parts: serde_json::Value,
    /// Minor units.
    amount_minor: i64,
}

/// Units of a line that cost the same.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
struct InvoiceLinePart {
    /// How many.
    units: u64,
    /// What one costs, in minor units: a decimal.
    unit_minor: String,
    /// What is due besides, in minor units.
    flat_minor: u64,
}

impl From<InvoiceLineRow> for InvoiceLine {
    fn from(row: InvoiceLineRow) -> Self {
        Self {
            position: row.position,
            subscription_id: row.subscription_id,
            plan_id: row.plan_id,
            tariff: row.tariff,
            month: CalendarMonth::from(row.month).to_string(),
            kind: row.kind,
            meter: row.meter,
            title: row.title,
            units: row.units,
            included: row.included,
            parts: row.parts,
            amount_minor: row.amount_minor,
        }
    }
}

/// Get an invoice
#[utoipa::path(
    get, path = "/v1/invoices/{invoice}", tag = "Invoices", operation_id = "getInvoice",
    params(("invoice" = schema::InvoiceId, Path, description = "Its id.")),
    responses((status = 200, description = "The invoice.", body = InvoiceWithLines))
)]
pub async fn get_invoice(reader: Reader, Id(id): Id<InvoiceId>) -> Answer {
    let store = reader.control.store();
    let scope = reader.narrowed(None)?;
    let row = store.get_invoice(scope, id).await?;
    let lines = store.list_invoice_lines(scope, id).await?;
    let lines = lines.into_iter().map(InvoiceLine::from).collect();
    Ok(answer::tagged(row.version, answer::ok(InvoiceWithLines { invoice: row.into(), lines })))
}
