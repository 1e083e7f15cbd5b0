//! Closing a month: every organization that owes something gets its bill, once.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde_json::json;
use tokio::task::JoinSet;
use tollgate_domain::{Amount, CalendarMonth, Currency, InvoiceId, InvoiceState, OrganizationId};
use tollgate_rating::{Line, LineKind, Meter, Usage, apportion};
use tollgate_store::{BillableDayRow, NewInvoice, NewInvoiceLine, Tx};
use uuid::Uuid;

use super::statement::{Charge, usage};
use crate::change::Subject;
use crate::jobs::{self, Job};
use crate::{Actor, Control, Error, Result};

/// How long after its end a month is left open, for gateways to hand in what they counted.
const GRACE: TimeDelta = TimeDelta::hours(2);
/// Bills that are written at the same time. Rating needs no lock; their numbers are given one after the other.
const AT_ONCE: usize = 4;
/// After so many bills the database is told to look at them.
const LOOKED_AT: usize = 100;
/// How long there is to pay.
const TERM: TimeDelta = TimeDelta::days(14);

impl Control {
    /// Writes the bills of every month that is over and not closed yet. Returns how many. What is interrupted goes on at
    /// the next call; nobody is billed twice.
    ///
    /// # Errors
    /// The database is away.
    pub async fn close_months(&self, now: DateTime<Utc>) -> Result<usize> {
        let mut issued = 0;
        loop {
            let (last, billed) = self.store.last_closed_month().await?;
            let month = last.next();
            if now < month.end() + GRACE {
                return Ok(issued);
            }
            issued += self.bill_month(month, billed.then_some(last), now).await?;
            self.store.close_month(month).await?;
            self.store.forget_late_counts(month, now).await?;
            tracing::info!(%month, issued, "closed a month");
        }
    }

    /// Bills everybody who owes something for a month, some at the same time; returns how many bills were written.
    async fn bill_month(
        &self,
        month: CalendarMonth,
        last: Option<CalendarMonth>,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        let mut unbilled = self.store.list_unbilled(month).await?.into_iter();
        let mut writing = JoinSet::new();
        let mut issued = 0;
        loop {
            while writing.len() < AT_ONCE
                && let Some((organization, currency)) = unbilled.next()
            {
                let (control, closing) = (self.clone(), Closing { organization, currency, month, last });
                writing.spawn(async move { control.issue_invoice(&closing, now).await });
            }
            let Some(written) = writing.join_next().await else { return Ok(issued) };
            match written.map_err(|error| Error::Internal(Box::new(error)))? {
                Ok(written) => issued += usize::from(written),
                // Another process is closing the month too, and was first.
                Err(Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
            if issued == LOOKED_AT {
                self.store.analyze_invoices().await?;
            }
        }
    }

    async fn issue_invoice(&self, closing: &Closing, now: DateTime<Utc>) -> Result<bool> {
        let system = Actor::system();
        let mut change = self.change(&system).await?;
        let mut lines = closing.lines(&mut change.tx).await?;
        let mut late = change.tx.list_late_months(closing.organization, closing.month).await?;
        // Looked at in any case: counts came while it was closed.
        late.extend(closing.last.filter(|last| !late.contains(last)));
        for month in late {
            lines.extend(closing.late_lines(&mut change.tx, month).await?);
        }
        if lines.is_empty() {
            return Ok(false);
        }
        let minor = lines.iter().fold(0u64, |sum, line| sum.saturating_add(line.amount_minor));
        let invoice = NewInvoice {
            id: InvoiceId::from(Uuid::now_v7()),
            organization_id: closing.organization,
            month: closing.month,
            total: Amount { minor, currency: closing.currency },
            state: if minor == 0 { InvoiceState::Paid } else { InvoiceState::Open },
            issued_at: now,
            due_at: now + TERM,
        };
        change.tx.insert_invoice(&invoice, &lines).await?;
        let of = (invoice.id, closing.month, invoice.total);
        let drawn = self.draw_credits(&mut change.tx, closing.organization, of, &lines).await?;
        if drawn > 0 && drawn == minor {
            change.tx.settle_invoice(invoice.id, InvoiceState::Paid).await?;
        }
        if minor > drawn && self.collects() {
            jobs::queue(&mut change.tx, &Job::CollectInvoice { invoice_id: invoice.id }).await?;
        }
        let subject =
            Subject { kind: "invoice", id: invoice.id.uuid(), organization: Some(closing.organization) };
        let details = json!({ "month": closing.month.to_string(), "total": invoice.total });
        change.tx.number_invoice(invoice.id, now.year()).await?;
        change.commit("invoice.issue", subject, details).await?;
        Ok(true)
    }
}

/// One bill in the making.
struct Closing {
    organization: OrganizationId,
    currency: Currency,
    month: CalendarMonth,
    /// The month before, where bills were written for it.
    last: Option<CalendarMonth>,
}

impl Closing {
    async fn charges(&self, tx: &mut Tx, month: CalendarMonth) -> Result<Vec<Charge>> {
        let rows = tx.list_billable(self.organization, month).await?;
        let charges = rows.into_iter().map(|row| Charge::of(row, month)).collect::<Result<Vec<_>>>()?;
        Ok(charges.into_iter().filter(|charge| charge.tariff.currency == self.currency).collect())
    }

    async fn lines(&self, tx: &mut Tx) -> Result<Vec<NewInvoiceLine>> {
        let mut lines = Vec::new();
        for charge in self.charges(tx, self.month).await? {
            let days = if charge.row.used.calls > 0 {
                tx.list_billable_days(self.organization, self.month, &charge.row).await?
            } else {
                Vec::new()
            };
            let said = charge.bill.lines.iter().filter(|line| line.minor > 0 || line.units > 0);
            lines.extend(said.map(|line| line_of(&charge, line, self.month, &days)));
        }
        Ok(lines)
    }

    /// What a month before came to beyond what was billed for it.
    async fn late_lines(&self, tx: &mut Tx, month: CalendarMonth) -> Result<Vec<NewInvoiceLine>> {
        let billed = tx.list_billed(self.organization, month).await?;
        let charges = self.charges(tx, month).await?;
        let late = charges.into_iter().filter_map(|charge| {
            let row = &charge.row;
            let of_this = billed.iter().find(|one| {
                (one.subscription_id, one.plan_id, one.tariff)
                    == (row.subscription_id, row.plan_id, row.tariff)
            });
            let before = of_this.map_or(0, |one| one.amount_minor.unsigned_abs());
            let amount_minor = charge.bill.total_minor.checked_sub(before).filter(|missing| *missing > 0)?;
            Some(NewInvoiceLine {
                kind: "late",
                title: format!("{}: handed in after {month} was closed", name_of(&charge)),
                amount_minor,
                ..blank(&charge, month)
            })
        });
        Ok(late.collect())
    }
}

fn name_of(charge: &Charge) -> String {
    let row = &charge.row;
    format!("{}, {} {}", row.application, row.product, row.plan)
}

fn blank(charge: &Charge, month: CalendarMonth) -> NewInvoiceLine {
    NewInvoiceLine {
        subscription_id: charge.row.subscription_id,
        plan_id: charge.row.plan_id,
        tariff: charge.row.tariff,
        month,
        kind: "base",
        meter: None,
        title: String::new(),
        units: 0,
        included: 0,
        parts: json!([]),
        amount_minor: 0,
        days: Vec::new(),
    }
}

fn line_of(charge: &Charge, line: &Line, month: CalendarMonth, days: &[BillableDayRow]) -> NewInvoiceLine {
    let name = name_of(charge);
    let part = part_of_month(charge, month);
    let (kind, meter, title) = match line.kind {
        LineKind::Base => ("base", None, format!("{name}: base fee{part}")),
        LineKind::Setup => ("setup", None, format!("{name}: one-time fee")),
        LineKind::Usage(meter) => {
            ("usage", Some(meter), format!("{name}: {}", meter.as_str().replace('_', " ")))
        }
        LineKind::Minimum => ("minimum", None, format!("{name}: up to the minimum{part}")),
    };
    NewInvoiceLine {
        kind,
        meter: meter.map(String::from),
        title,
        units: line.units,
        included: line.included,
        parts: json!(line.parts),
        amount_minor: line.minor,
        days: meter.map_or_else(Vec::new, |meter| opened(line, meter, days)),
        ..blank(charge, month)
    }
}

/// `, 10.5 of 30 days`; nothing for a whole month. Days of a trial in which it is not due are left out.
fn part_of_month(charge: &Charge, month: CalendarMonth) -> String {
    let tried = match &charge.tariff.trial {
        Some(trial) if !trial.base_due => charge.row.trial_seconds.unsigned_abs(),
        _ => 0,
    };
    let seconds = charge.row.seconds.unsigned_abs().saturating_sub(tried);
    if seconds >= month.seconds() {
        return String::new();
    }
    let tenths = seconds * 10 / 86_400;
    format!(", {}.{} of {} days", tenths / 10, tenths % 10, month.seconds() / 86_400)
}

/// A line's units and amount by day and operation; they add up to the line's.
fn opened(line: &Line, meter: Meter, days: &[BillableDayRow]) -> Vec<(chrono::NaiveDate, Uuid, u64, u64)> {
    // Finer than the line where its units are: bytes, not begun megabytes.
    let weight = |usage: Usage| match meter {
        Meter::MegabytesIn => usage.bytes_in,
        Meter::MegabytesOut => usage.bytes_out,
        other => usage.units(other),
    };
    let weights: Vec<u64> = days.iter().map(|day| weight(usage(&day.used))).collect();
    let units = apportion(line.units, &weights);
    let amounts = apportion(line.minor, &weights);
    days.iter()
        .zip(units.into_iter().zip(amounts))
        .map(|(day, (units, amount))| (day.day, day.route_id, units, amount))
        // Days and operations that have no part in this meter.
        .filter(|(.., units, amount)| *units > 0 || *amount > 0)
        .collect()
}
