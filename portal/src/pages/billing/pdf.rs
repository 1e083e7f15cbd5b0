//! An invoice as a file.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tollgate_domain::InvoiceId;
use tollgate_paper::{Line, Paper};
use tollgate_store::InvoiceRow;

use super::invoice::lines;
use crate::error::{Answer, Fault};
use crate::say::{Language, speak};
use crate::session::Visit;
use crate::{PortalState, look};

/// `GET /billing/invoices/{id}/pdf`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    // Its titles were written when the month was closed, in English; so is the rest of the paper.
    speak(Language::English);
    let member = visit.member()?;
    let id: InvoiceId = id.parse().map_err(|_| Fault::not_found())?;
    let row = state.store.get_invoice(member.scope, id).await?;
    let account = state.store.find_payment_account(row.organization_id).await?;
    let tax_id = account.and_then(|account| account.tax_id);
    let lines = lines(&state.store, member.scope, &row).await?;
    Ok(file(&row, tax_id, lines))
}

/// The file itself.
pub fn file(row: &InvoiceRow, tax_id: Option<String>, lines: Vec<super::invoice::Line>) -> Response {
    let day = |at: chrono::DateTime<chrono::Utc>| at.format("%-d %B %Y").to_string();
    let mut facts = vec![
        ("Month".to_owned(), row.month().start().format("%B %Y, in UTC").to_string()),
        ("Issued".to_owned(), day(row.issued_at)),
        ("Due".to_owned(), day(row.due_at)),
        ("State".to_owned(), row.state.as_str().to_owned()),
    ];
    facts.extend(tax_id.map(|tax_id| ("Tax number".to_owned(), tax_id)));
    let mut sums = vec![("Total".to_owned(), row.total().to_string())];
    let more = [("Tax", row.tax()), ("Credited", row.credited()), ("Refunded", row.refunded())];
    sums.extend(
        more.into_iter()
            .filter(|(_, sum)| sum.minor > 0)
            .map(|(name, sum)| (name.to_owned(), sum.to_string())),
    );
    if row.due() != row.total() {
        sums.push(("To be paid".to_owned(), row.due().to_string()));
    }
    let lines = lines.into_iter().map(|line| Line { title: line.title, how: line.how, amount: line.amount });
    let paper = Paper {
        from: look::worn().name.clone(),
        title: format!("Invoice {}", row.number),
        to: row.organization.clone(),
        facts,
        lines: lines.collect(),
        sums,
    };
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.pdf\"", row.number)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, tollgate_paper::pdf(&paper)).into_response()
}
