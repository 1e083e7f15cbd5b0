//! Invoices: what months came to.

pub mod get;
pub mod journal;
pub mod list;
pub mod list_days;
pub mod payments;
pub mod settle;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{Currency, InvoiceId, InvoiceState, OrganizationId};
use tollgate_store::InvoiceRow;
use utoipa::ToSchema;

use crate::schema;

/// A bill: one per organization, calendar month and currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "inv_01ks2v8d3tf5cs9y0v3jq1q7zb", "organization_id": "org_01ks2v8d3tf5cs9y0v3jq1q7zb",
    "organization": "Maria's", "number": "INV-2026-000042", "month": "2026-10", "currency": "EUR", "state": "open",
    "total_minor": 3007, "issued_at": "2026-11-01T02:00:00Z", "due_at": "2026-11-15T02:00:00Z", "settled_at": null,
    "version": 1
}))]
pub struct Invoice {
    /// Its id.
    #[schema(value_type = schema::InvoiceId)]
    id: InvoiceId,
    /// Who owes it.
    #[schema(value_type = schema::OrganizationId)]
    organization_id: OrganizationId,
    /// Their name.
    organization: String,
    /// As people call it; none is left out.
    number: String,
    /// The calendar month (UTC) that it is for.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// Of every amount in it.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    currency: Currency,
    /// Where it stands.
    #[schema(value_type = schema::InvoiceState)]
    state: InvoiceState,
    /// What it comes to, in minor units.
    total_minor: u64,
    /// When it was written.
    issued_at: DateTime<Utc>,
    /// Until when it is to be paid.
    due_at: DateTime<Utc>,
    /// When it was paid or given up; `null` before.
    #[schema(required)]
    settled_at: Option<DateTime<Utc>>,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
}

impl From<InvoiceRow> for Invoice {
    fn from(row: InvoiceRow) -> Self {
        let total = row.total();
        Self {
            month: row.month().to_string(),
            currency: total.currency,
            total_minor: total.minor,
            id: row.id,
            organization_id: row.organization_id,
            organization: row.organization,
            number: row.number,
            state: row.state,
            issued_at: row.issued_at,
            due_at: row.due_at,
            settled_at: row.settled_at,
            version: row.version,
        }
    }
}
