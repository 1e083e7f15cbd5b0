//! `GET /v1/journal`

use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Serialize;
use tollgate_domain::CalendarMonth;
use tollgate_store::JournalRow;
use tollgate_web::csv;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::Reader;
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// Lines of invoices, for the books.
#[derive(Debug, Serialize, ToSchema)]
pub struct Journal {
    /// The latest invoice first; 50,000 at most.
    data: Vec<JournalLine>,
}

/// One line of one invoice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "invoice": "INV-2026-000042", "issued_at": "2026-11-01T02:00:00Z", "month": "2026-10", "organization": "Maria's",
    "state": "paid", "kind": "usage", "title": "My first app, Countries Pro: calls", "units": 1533,
    "amount_minor": 107, "currency": "EUR"
}))]
struct JournalLine {
    /// The invoice's number.
    invoice: String,
    /// When it was written.
    issued_at: DateTime<Utc>,
    /// The month of the use.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// Who owes it.
    organization: String,
    /// Where the invoice stands.
    #[schema(value_type = schema::InvoiceState)]
    state: String,
    /// `base`, `usage`, `minimum`, `setup` or `late`.
    kind: String,
    /// What it says on the bill.
    title: String,
    /// Units.
    units: i64,
    /// Minor units.
    amount_minor: i64,
    /// Of the amount.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
}

impl From<JournalRow> for JournalLine {
    fn from(row: JournalRow) -> Self {
        Self {
            invoice: row.number,
            issued_at: row.issued_at,
            month: CalendarMonth::from(row.month).to_string(),
            organization: row.organization,
            state: row.state,
            kind: row.kind,
            title: row.title,
            units: row.units,
            amount_minor: row.amount_minor,
            currency: row.currency,
        }
    }
}

/// As a file for a spreadsheet.
fn file(lines: Vec<JournalLine>) -> axum::response::Response {
    const HEAD: [&str; 10] = [
        "invoice",
        "issued_at",
        "month",
        "organization",
        "state",
        "kind",
        "title",
        "units",
        "amount_minor",
        "currency",
    ];
    let mut text = csv::line(HEAD.map(str::to_owned));
    for line in lines {
        text += &csv::line([
            line.invoice,
            line.issued_at.to_rfc3339(),
            line.month,
            line.organization,
            line.state,
            line.kind,
            line.title,
            line.units.to_string(),
            line.amount_minor.to_string(),
            line.currency,
        ]);
    }
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"journal.csv\""),
    ];
    (headers, text).into_response()
}

/// Export the journal
///
/// Every line of every invoice that was issued in a month, as JSON or, with `format=csv`, as a file.
#[utoipa::path(
    get, path = "/v1/journal", tag = "Invoices", operation_id = "getJournal",
    params(
        ("month" = Option<String>, Query, description = "The month in which the invoices were issued, in UTC; all where absent."),
        ("format" = Option<String>, Query, description = "`json` or `csv`.", pattern = "^(json|csv)$")
    ),
    responses((
        status = 200, description = "The lines.", content((Journal = "application/json"), (String = "text/csv"))
    ))
)]
pub async fn get_journal(reader: Reader, mut params: Params) -> Answer {
    let month: Option<CalendarMonth> =
        params.take("month", "a month, like 2026-11", |text| text.parse().ok())?;
    let as_file = params.take("format", "json or csv", |text| match text {
        "csv" => Some(true),
        "json" => Some(false),
        _ => None,
    })?;
    params.finish()?;
    let rows = reader.control.store().list_journal(reader.narrowed(None)?, month).await?;
    let lines: Vec<JournalLine> = rows.into_iter().map(JournalLine::from).collect();
    Ok(if as_file == Some(true) { file(lines) } else { answer::ok(Journal { data: lines }) })
}
