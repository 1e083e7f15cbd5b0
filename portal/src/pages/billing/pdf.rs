//! An invoice as a file.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tollgate_domain::InvoiceId;
use tollgate_paper::{Line, Paper};
use tollgate_store::InvoiceRow;

use super::invoice::lines;
use super::month_named;
use crate::error::{Answer, Fault};
use crate::say::{Language, language, say, speak, t};
use crate::session::Visit;
use crate::show::{self, Label};
use crate::{PortalState, look};

/// `GET /billing/invoices/{id}/pdf`: in the language that the invoice was written in, whoever reads it.
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let member = visit.member()?;
    let id: InvoiceId = id.parse().map_err(|_| Fault::not_found())?;
    let row = state.store.get_invoice(member.scope, id).await?;
    speak(Language::named(&row.language).unwrap_or_default());
    let account = state.store.find_payment_account(row.organization_id).await?;
    let tax_id = account.and_then(|account| account.tax_id);
    let lines = lines(&state.store, member.scope, &row).await?;
    Ok(file(&row, tax_id, lines))
}

/// The file itself.
pub fn file(row: &InvoiceRow, tax_id: Option<String>, lines: Vec<super::invoice::Line>) -> Response {
    let day = |at: chrono::DateTime<chrono::Utc>| tollgate_language::day(language(), &at);
    let mut facts = vec![
        (t("billing-month").to_owned(), say("bill-month").with("month", month_named(row.month())).into()),
        (t("bill-issued").to_owned(), day(row.issued_at)),
        (t("billing-due").to_owned(), day(row.due_at)),
        (t("billing-state").to_owned(), Label::from(row.state).text),
    ];
    facts.extend(tax_id.map(|tax_id| (t("billing-tax-number").to_owned(), tax_id)));
    let mut sums = vec![(t("billing-total").to_owned(), show::money(row.total()))];
    let more = [
        ("invoice-tax", row.tax()),
        ("invoice-credited", row.credited()),
        ("invoice-refunded", row.refunded()),
    ];
    sums.extend(
        more.into_iter()
            .filter(|(_, sum)| sum.minor > 0)
            .map(|(name, sum)| (t(name).to_owned(), show::money(sum))),
    );
    if row.due() != row.total() {
        sums.push((t("bill-open").to_owned(), show::money(row.due())));
    }
    let title: String = say("invoice-title").with("number", &row.number).into();
    let lines = lines.into_iter().map(|line| Line { title: line.title, how: line.how, amount: line.amount });
    let paper = Paper {
        from: look::worn().name.clone(),
        continued: say("bill-continued").with("title", &title).into(),
        lacking: t("bill-lacking").to_owned(),
        title,
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
