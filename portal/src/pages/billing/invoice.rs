//! One invoice: what is billed, and how each line came about, down to the day and the operation.

use askama::Template;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use tollgate_control::Action;
use tollgate_domain::{Amount, InvoiceId, InvoiceState, PaymentKind, PaymentState, Scope};
use tollgate_store::{InvoiceDayRow, InvoiceLineRow, InvoiceRow, PaymentRow, Store};

use super::overview::warning;
use super::{included, month_named, parts_of, sum_of, units};
use crate::error::{Answer, Fault};
use crate::say::{language, say, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::{self, Label, Moment};
use crate::{PortalState, filters};

/// So many days and operations are shown; the admin API tells them all.
const DAYS_MAX: i64 = 1_000;

pub struct Day {
    pub day: String,
    pub method: String,
    pub path: String,
    pub units: String,
    pub amount: String,
    /// Where its single calls are.
    pub calls: String,
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
    /// Beside the total: taxes, what was credited or refunded.
    pub sums: Vec<(&'static str, String)>,
    pub due_sum: String,
    /// Whether that is still to be paid.
    pub is_open: bool,
    pub lines: Vec<Line>,
    pub events: Vec<Event>,
    pub warning: Option<String>,
    /// Where it is paid.
    pub pay: Option<String>,
    pub pdf: String,
}

/// Something that happened about the money.
pub struct Event {
    pub what: Label,
    pub when: Moment,
    pub amount: String,
    pub note: String,
}

/// `GET /billing/invoices/{id}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let member = visit.member()?;
    let id: InvoiceId = id.parse().map_err(|_| Fault::not_found())?;
    let row = state.store.get_invoice(member.scope, id).await?;
    let lines = lines(&state.store, member.scope, &row).await?;
    let events = state.store.list_payments(member.scope, id).await?;
    let write = Action::WriteOrganization(member.organization_id);
    let payable = state.control.collects()
        && row.state == InvoiceState::Open
        && row.due().minor > 0
        && member.actor.authorize(write).is_ok();
    let more = [
        (t("invoice-tax"), row.tax()),
        (t("invoice-credited"), row.credited()),
        (t("invoice-refunded"), row.refunded()),
    ];
    visit.page(&View {
        sums: more
            .into_iter()
            .filter(|(_, sum)| sum.minor > 0)
            .map(|(name, sum)| (name, show::money(sum)))
            .collect(),
        due_sum: show::money(row.due()),
        is_open: row.state == InvoiceState::Open,
        events: events
            .into_iter()
            .filter(|one| one.state != PaymentState::Withdrawn)
            .map(|one| event(one, visit.now))
            .collect(),
        warning: warning(&row),
        pay: payable.then(|| format!("/billing/invoices/{id}/pay")),
        pdf: format!("/billing/invoices/{id}/pdf"),
        shell: visit.shell(Area::Developer, say("invoice-title").with("number", &row.number)).await?,
        month: month_named(row.month()),
        state: row.state.into(),
        issued: Moment::day(row.issued_at),
        due: Moment::day(row.due_at),
        total: show::money(row.total()),
        organization: row.organization,
        number: row.number,
        lines,
    })
}

fn event(row: PaymentRow, now: DateTime<Utc>) -> Event {
    Event {
        what: what(row.kind, row.state),
        when: Moment::of(row.at, now),
        amount: show::money(row.amount()),
        note: row.note.unwrap_or_default(),
    }
}

/// A movement of money in a word.
pub fn what(kind: PaymentKind, state: PaymentState) -> Label {
    match (kind, state) {
        (PaymentKind::Credit, PaymentState::Failed) => Label::new("bad", t("invoice-credit-failed")),
        (_, PaymentState::Failed) => Label::new("bad", t("invoice-refund-failed")),
        (_, PaymentState::Withdrawn) => Label::new("", t("invoice-withdrawn")),
        (PaymentKind::Payment, _) => Label::new("ok", t("bill-paid")),
        (PaymentKind::Failure, _) => Label::new("bad", t("invoice-not-paid")),
        (PaymentKind::Refund, PaymentState::Pending) => Label::new("info", t("invoice-on-its-way")),
        (PaymentKind::Refund, _) => Label::new("info", t("invoice-refunded")),
        (PaymentKind::Credit, _) => Label::new("info", t("invoice-credited")),
    }
}

/// The lines of an invoice, each with what it opens to.
pub async fn lines(store: &Store, scope: Scope, row: &InvoiceRow) -> Result<Vec<Line>, Fault> {
    let days = store.list_invoice_days(scope, row.id, DAYS_MAX).await?;
    let lines = store.list_invoice_lines(scope, row.id).await?;
    Ok(lines.into_iter().map(|line| shown(line, &days, row)).collect())
}

fn shown(line: InvoiceLineRow, days: &[InvoiceDayRow], invoice: &InvoiceRow) -> Line {
    let total = invoice.total();
    let currency = total.currency;
    let amount = |minor: i64| show::money(Amount { minor: minor.unsigned_abs(), currency });
    let meter = line.meter.as_deref();
    let sum = sum_of(&parts_of(&line.parts), currency);
    Line {
        units: if line.units > 0 { units(meter, line.units) } else { String::new() },
        how: included(meter, line.included, sum),
        amount: amount(line.amount_minor),
        days: days
            .iter()
            .filter(|day| day.position == line.position)
            .map(|day| Day {
                day: tollgate_language::day_of_year(language(), &day.day),
                method: day.method.clone().unwrap_or_else(|| "–".into()),
                path: day.path.clone().unwrap_or_else(|| t("invoice-gone").into()),
                units: units(meter, day.units),
                amount: amount(day.amount_minor),
                calls: format!(
                    "invoices/{}/calls?line={}&day={}&route={}",
                    invoice.id, day.position, day.day, day.route_id
                ),
            })
            .collect(),
        title: line.title,
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let day = |day: &str, units: &str, amount: &str| {
            Day {
            day: day.into(),
            method: "GET".into(),
            path: "/countries/v1/countries/{code}".into(),
            units: units.into(),
            amount: amount.into(),
            calls: "invoices/inv_01ks2v8d3tf5cs9y0v3jq1q7zb/calls?line=2&day=2026-10-01&route=rte_01ks2v8d3tf5cs9y0v3jq1q7zb".into(),
        }
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
            sums: vec![("Tax", "6.01 EUR".into())],
            due_sum: "36.08 EUR".into(),
            is_open: true,
            warning: Some("Invoice INV-2026-000042 is not paid: Your card was declined. Calls are served as before until 24 November at 14:05 UTC.".into()),
            pay: Some("/billing/invoices/inv_01ks2v8d3tf5cs9y0v3jq1q7zb/pay".into()),
            pdf: "/billing/invoices/inv_01ks2v8d3tf5cs9y0v3jq1q7zb/pdf".into(),
            events: vec![Event {
                what: what(PaymentKind::Failure, PaymentState::Done),
                when: crate::pages::sample_time(-3_600),
                amount: "36.08 EUR".into(),
                note: "Your card was declined.".into(),
            }],
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
