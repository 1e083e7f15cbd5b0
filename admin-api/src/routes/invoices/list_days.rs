//! `GET /v1/invoices/{invoice}/days`

use chrono::NaiveDate;
use serde::Serialize;
use tollgate_domain::{InvoiceId, RouteId};
use tollgate_store::InvoiceDayRow;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// A month has 31 days; so many operations are shown of each.
const ROWS_MAX: i64 = 31 * 1_000;

/// What the lines of a bill open to.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoiceDays {
    /// By line, day and operation.
    data: Vec<InvoiceDay>,
}

/// A line's use of one operation on one day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "position": 2, "day": "2026-10-01", "route_id": "rte_01ks2v8d3tf5cs9y0v3jq1q7zb", "method": "GET", "path": "/countries/v1/countries", "units": 700,
    "amount_minor": 49
}))]
struct InvoiceDay {
    /// Of which line.
    position: i32,
    /// The day, in UTC.
    day: NaiveDate,
    /// The operation.
    #[schema(value_type = schema::RouteId)]
    route_id: RouteId,
    /// Method; `null` where the operation is gone.
    #[schema(required)]
    method: Option<String>,
    /// Path template with the API's base path; `null` where the operation is gone.
    #[schema(required)]
    path: Option<String>,
    /// Units.
    units: i64,
    /// Its share of the line in minor units: they add up to the line's amount.
    amount_minor: i64,
}

impl From<InvoiceDayRow> for InvoiceDay {
    fn from(row: InvoiceDayRow) -> Self {
        let InvoiceDayRow { position, day, route_id, method, path, units, amount_minor } = row;
        Self { position, day, route_id, method, path, units, amount_minor }
    }
}

/// Open an invoice's lines
///
/// The use that each line bills, by day and operation.
#[utoipa::path(
    get, path = "/v1/invoices/{invoice}/days", tag = "Invoices", operation_id = "listInvoiceDays",
    params(("invoice" = schema::InvoiceId, Path, description = "Its id.")),
    responses((status = 200, description = "Days and operations.", body = InvoiceDays))
)]
pub async fn list_invoice_days(reader: Reader, Id(id): Id<InvoiceId>) -> Answer {
    let store = reader.control.store();
    let scope = reader.narrowed(None)?;
    store.get_invoice(scope, id).await?;
    let rows = store.list_invoice_days(scope, id, ROWS_MAX).await?;
    Ok(answer::ok(InvoiceDays { data: rows.into_iter().map(InvoiceDay::from).collect() }))
}
