//! Closing a month: every organization that owes something gets its bill, once.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde_json::json;
use tokio::task::JoinSet;
use tollgate_domain::{Amount, CalendarMonth, InvoiceId, InvoiceState};
use tollgate_store::{NewInvoice, NewInvoiceLine, Tx};
use uuid::Uuid;

use super::bill::{Languages, Payer, languages_of, lines_of};
use crate::change::Subject;
use crate::jobs::{self, Job};
use crate::{Actor, Control, Error, Result};

/// How long after its end a month is left open, for gateways to hand in what they counted.
const GRACE: TimeDelta = TimeDelta::hours(2);
/// Bills that are written together, or not at all: what the database is asked for one it is asked for all of them.
pub const BILLS_TOGETHER: usize = 50;
/// How many times so many are written at the same time. Rating needs no lock; their numbers are given one after the other.
const AT_ONCE: usize = 4;
/// How long there is to pay.
const TERM: TimeDelta = TimeDelta::days(14);

impl Control {
    /// Writes the bills of every month that is over and not closed yet. Returns how many. What is interrupted goes on at
    /// the next call; nobody is billed twice. A bill that cannot be written keeps its month open, and nobody else's bill.
    ///
    /// # Errors
    /// The database is away, or a bill cannot be written.
    pub async fn close_months(&self, now: DateTime<Utc>) -> Result<usize> {
        let mut issued = 0;
        loop {
            let (last, billed) = self.store.last_closed_month().await?;
            let month = last.next();
            if now < month.end() + GRACE {
                return Ok(issued);
            }
            let closing = Closing { month, last: billed.then_some(last), now };
            issued += self.bill_month(closing).await?;
            self.store.close_month(month).await?;
            self.store.forget_late_counts(month, now).await?;
            tracing::info!(%month, issued, "closed a month");
        }
    }

    /// Bills everybody who owes something for a month; returns how many bills were written.
    async fn bill_month(&self, closing: Closing) -> Result<usize> {
        let unbilled = self.store.list_unbilled(closing.month).await?;
        let together = unbilled.chunks(BILLS_TOGETHER).map(<[Payer]>::to_vec).collect();
        let (issued, failed) = self.bill_all(closing, together).await?;
        if failed.is_empty() {
            return Ok(issued);
        }
        // What keeps one bill from being written must not keep back those that it would have been written with.
        let alone = failed.into_iter().flat_map(|(payers, _)| payers).map(|payer| vec![payer]).collect();
        let (more, failed) = self.bill_all(closing, alone).await?;
        for (payers, error) in &failed {
            let organization = payers.first().map(|(id, _)| id.to_string());
            tracing::error!(month = %closing.month, organization, %error, "a bill cannot be written");
        }
        failed.into_iter().next().map_or(Ok(issued + more), |(_, error)| Err(error))
    }

    /// Writes sets of bills, some at the same time; returns how many bills were written, and which sets were not.
    async fn bill_all(
        &self,
        closing: Closing,
        sets: Vec<Vec<Payer>>,
    ) -> Result<(usize, Vec<(Vec<Payer>, Error)>)> {
        let mut sets = sets.into_iter();
        let mut writing = JoinSet::new();
        let (mut issued, mut failed) = (0, Vec::new());
        loop {
            while writing.len() < AT_ONCE
                && let Some(payers) = sets.next()
            {
                let control = self.clone();
                writing.spawn(async move {
                    let written = control.issue_invoices(closing, &payers).await;
                    (payers, written)
                });
            }
            let Some(done) = writing.join_next().await else { return Ok((issued, failed)) };
            let (payers, written) = done.map_err(|error| Error::Internal(Box::new(error)))?;
            match written {
                Ok(written) => {
                    // The first that are there: the database is to look at them.
                    if issued == 0 && written > 0 {
                        self.store.analyze_invoices().await?;
                    }
                    issued += written;
                }
                Err(Error::Unavailable) if payers.len() == 1 => return Err(Error::Unavailable),
                Err(error) => failed.push((payers, error)),
            }
        }
    }

    /// Writes the bills of those who owe something and have none yet.
    async fn issue_invoices(&self, closing: Closing, payers: &[Payer]) -> Result<usize> {
        let system = Actor::system();
        let mut change = self.change(&system).await?;
        let payers = change.tx.claim_unbilled(closing.month, payers).await?;
        if payers.is_empty() {
            return Ok(0);
        }
        let languages = languages_of(&mut change.tx, &payers).await?;
        let lines = lines_of(&mut change.tx, &payers, &languages, closing.month, closing.last).await?;
        let of_payers = payers.iter().zip(lines).filter(|(_, lines)| !lines.is_empty());
        let invoices: Vec<_> =
            of_payers.map(|(payer, lines)| closing.invoice(*payer, &languages, lines)).collect();
        if invoices.is_empty() {
            return Ok(0);
        }
        change.tx.insert_invoices(&invoices).await?;
        let unpaid = self.pay_from_credits(&mut change.tx, &invoices, closing.now).await?;
        if self.collects() {
            let jobs: Vec<_> =
                unpaid.into_iter().map(|invoice_id| Job::CollectInvoice { invoice_id }).collect();
            jobs::queue_all(&mut change.tx, &jobs).await?;
        }
        for invoice in &invoices {
            let organization = Some(invoice.organization_id);
            let subject = Subject { kind: "invoice", id: invoice.id.uuid(), organization };
            let details = json!({ "month": closing.month.to_string(), "total": invoice.total });
            change.note("invoice.issue", &subject, &details).await?;
        }
        let ids: Vec<InvoiceId> = invoices.iter().map(|invoice| invoice.id).collect();
        change.tx.number_invoices(&ids, closing.now.year()).await?;
        change.finish().await?;
        Ok(invoices.len())
    }

    /// Pays bills from credits, where there are any; returns those of which something is left to pay.
    async fn pay_from_credits(
        &self,
        tx: &mut Tx,
        invoices: &[NewInvoice],
        now: DateTime<Utc>,
    ) -> Result<Vec<InvoiceId>> {
        let organizations: Vec<_> = invoices.iter().map(|invoice| invoice.organization_id).collect();
        let with_credits = tx.list_with_credits(&organizations).await?;
        let mut unpaid = Vec::new();
        for invoice in invoices {
            let total = invoice.total;
            let drawn = if with_credits.contains(&(invoice.organization_id, total.currency)) {
                self.draw_credits(tx, invoice, now).await?
            } else {
                0
            };
            if drawn > 0 && drawn == total.minor {
                tx.settle_invoice(invoice.id, InvoiceState::Paid).await?;
            }
            if total.minor > drawn {
                unpaid.push(invoice.id);
            }
        }
        Ok(unpaid)
    }
}

/// A month that is being closed.
#[derive(Debug, Clone, Copy)]
struct Closing {
    month: CalendarMonth,
    /// The month before, where bills were written for it.
    last: Option<CalendarMonth>,
    now: DateTime<Utc>,
}

impl Closing {
    fn invoice(
        &self,
        (organization_id, currency): Payer,
        languages: &Languages,
        lines: Vec<NewInvoiceLine>,
    ) -> NewInvoice {
        let minor = lines.iter().fold(0u64, |sum, line| sum.saturating_add(line.amount_minor));
        NewInvoice {
            id: InvoiceId::from(Uuid::now_v7()),
            organization_id,
            month: self.month,
            total: Amount { minor, currency },
            state: if minor == 0 { InvoiceState::Paid } else { InvoiceState::Open },
            issued_at: self.now,
            due_at: self.now + TERM,
            language: languages.get(&organization_id).copied().unwrap_or_default().tag(),
            lines,
        }
    }
}
