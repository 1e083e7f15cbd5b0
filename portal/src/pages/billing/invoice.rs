//! One invoice: what is billed, and how each line came about, down to the day and the operation.

use askama::Template;
use axum::extract::{Path, State};
use tollgate_domain::{Amount, InvoiceId, Scope};
use tollgate_store::{InvoiceDayRow, InvoiceLineRow, InvoiceRow, Store};

use super::{parts_of, sum_of, units};
use crate::error::{Answer, Fault};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::{Label, Moment};
use crate::{PortalState, filters};

/// So many days and operations are shown; the admin API tells them all.
const DAYS_MAX: i64 = 1_000;

pub struct Day {
    pub day: String,
    pub method: String,
    pub path: String,
    pub units: String,
    pub amount: String,
}

pub struct Line {
    pub title: String,
    pub units: String,
    pub how: String,
    pub amount: String,
    pub days: Vec<Day>,
}

#[derive(Template)]
#[template(path = "billing/invoice.html")]
pub struct View {
    pub shell: Shell,
    pub number: String,
    pub organization: String,
    pub month: String,
    pub state: Label,
    pub issued: Moment,
    pub due: Moment,
    pub total: String,
    pub lines: Vec<Line>,
}

/// `GET /billing/invoices/{id}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let member = visit.member()?;
    let id: InvoiceId = id.parse().map_err(|_| Fault::not_found())?;
    let row = state.store.get_invoice(member.scope, id).await?;
    let lines = lines(&state.store, member.scope, &row).await?;
    visit.page(&View {
        shell: visit.shell(Area::Developer, format!("Invoice {}", row.number)).await?,
        month: row.month().start().format("%B %Y").to_string(),
        state: row.state.into(),
        issued: Moment::day(row.issued_at),
        due: Moment::day(row.due_at),
        total: row.total().to_string(),
        organization: row.organization,
        number: row.number,
        lines,
    })
}

/// The lines of an invoice, each with what it opens to.
pub async fn lines(store: &Store, scope: Scope, row: &InvoiceRow) -> Result<Vec<Line>, Fault> {
    let days = store.list_invoice_days(scope, row.id, DAYS_MAX).await?;
    let lines = store.list_invoice_lines(scope, row.id).await?;
    Ok(lines.into_iter().map(|line| shown(line, &days, row.total())).collect())
}

fn shown(line: InvoiceLineRow, days: &[InvoiceDayRow], total: Amount) -> Line {
    let currency = total.currency;
    let amount = |minor: i64| Amount { minor: minor.unsigned_abs(), currency }.to_string();
    let meter = line.meter.as_deref();
    let sum = sum_of(&parts_of(&line.parts), currency);
    Line {
        units: if line.units > 0 { units(meter, line.units) } else { String::new() },
        how: match line.included {
            0 => sum,
            included if sum.is_empty() => format!("{} included", units(meter, included)),
            included => format!("{} included, {sum}", units(meter, included)),
        },
        amount: amount(line.amount_minor),
        days: days
            .iter()
            .filter(|day| day.position == line.position)
            .map(|day| Day {
                day: day.day.format("%-d %B").to_string(),
                method: day.method.clone().unwrap_or_else(|| "–".into()),
                path: day.path.clone().unwrap_or_else(|| "an operation that is gone".into()),
                units: units(meter, day.units),
                amount: amount(day.amount_minor),
            })
            .collect(),
        title: line.title,
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        use tollgate_domain::InvoiceState;
        let day = |day: &str, units: &str, amount: &str| Day {
            day: day.into(),
            method: "GET".into(),
            path: "/countries/v1/countries/{code}".into(),
            units: units.into(),
            amount: amount.into(),
        };
        let line = |title: &str, units: &str, how: &str, amount: &str, days| Line {
            title: title.into(),
            units: units.into(),
            how: how.into(),
            amount: amount.into(),
            days,
        };
        vec![Self {
            shell: Shell::sample(Area::Developer, "Invoice INV-2026-000042", "/billing"),
            number: "INV-2026-000042".into(),
            organization: "Maria's".into(),
            month: "October 2026".into(),
            state: InvoiceState::Open.into(),
            issued: crate::pages::sample_time(-86_400),
            due: crate::pages::sample_time(1_209_600),
            total: "30.07 EUR".into(),
            lines: vec![
                line("My first app, Countries Pro: base fee", "", "", "29.00 EUR", vec![]),
                line(
                    "My first app, Countries Pro: calls",
                    "1,533 calls",
                    "1,000 calls included, 533 × 0.002 EUR",
                    "1.07 EUR",
                    vec![
                        day("1 October", "700 calls", "0.49 EUR"),
                        day("30 October", "833 calls", "0.58 EUR"),
                    ],
                ),
            ],
        }]
    }
}
