//! Money that goes back: refunds of payments, and credit notes that lower an open bill.
//!
//! What the provider refuses has failed: it counts no more, and stands with its reason until somebody of finance tries it
//! anew or withdraws it.

use serde_json::json;
use tollgate_domain::{Amount, InvoiceId, InvoiceState, PaymentKind, PaymentState, Scope};
use tollgate_store::{InvoiceRow, NewPayment, PaymentRow};
use uuid::Uuid;

use super::provider::{ProviderFault, RefundStanding, Sought};
use crate::change::{Change, Subject};
use crate::jobs::{self, Job};
use crate::{Action, Actor, Control, Error, Result};

impl Control {
    /// Gives back money of a paid bill: the newest payment's, up to what is left of it. A provider is asked for it later;
    /// where the bill was paid by hand, so is this.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` where it is more than was paid and not given back; or the actor may not.
    pub async fn refund_invoice(
        &self,
        actor: &Actor,
        id: InvoiceId,
        amount_minor: u64,
        note: &str,
    ) -> Result<()> {
        let (mut change, row) = self.returning(actor, id, note).await?;
        let payments = change.tx.reads().list_payments(Scope::Operator, id).await?;
        let paid = payments.iter().rev().find(|one| one.kind == PaymentKind::Payment);
        let paid = paid.ok_or_else(|| Error::Conflict("nothing was paid of this invoice".to_owned()))?;
        let new = refund_of(&payments, paid, amount_minor, note)?;
        new.keep(&mut change, &row).await?;
        change.commit("invoice.refund", subject_of(&row), json!({ "amount": new.amount, "note": note })).await
    }

    /// Lowers an open bill by a credit note. One that covers all of it settles it.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where the bill is settled (give money back instead); `Invalid` where it is more than is
    /// due; or the actor may not.
    pub async fn credit_invoice(
        &self,
        actor: &Actor,
        id: InvoiceId,
        amount_minor: u64,
        note: &str,
    ) -> Result<()> {
        let (mut change, row) = self.returning(actor, id, note).await?;
        let new = self.credit_of(&row, amount_minor, note)?;
        self.lower(&mut change, &row, &new).await?;
        change.commit("invoice.credit", subject_of(&row), json!({ "amount": new.amount, "note": note })).await
    }

    /// A credit note over a part of a bill, or all of it.
    pub(super) fn credit_of<'n>(
        &'n self,
        row: &InvoiceRow,
        minor: u64,
        note: &'n str,
    ) -> Result<Returned<'n>> {
        if row.state != InvoiceState::Open {
            return Err(Error::Conflict(format!("this invoice is {} already; refund it instead", row.state)));
        }
        let provider = self.provider.as_ref().filter(|_| row.provider_ref.is_some());
        Ok(Returned {
            kind: PaymentKind::Credit,
            amount: up_to(minor, row.due())?,
            provider: provider.map_or("manual", |one| one.name()),
            of_payment: None,
            later: provider.is_some(),
            note,
        })
    }

    /// Writes it down; a credit note over all that is due settles the bill.
    pub(super) async fn lower(
        &self,
        change: &mut Change<'_>,
        row: &InvoiceRow,
        new: &Returned<'_>,
    ) -> Result<()> {
        new.keep(change, row).await?;
        if new.kind == PaymentKind::Credit && new.amount == row.due() {
            change.tx.settle_invoice(row.id, InvoiceState::Paid).await?;
            change.tx.relieve(row.organization_id).await?;
        }
        Ok(())
    }

    /// The beginning of both: the bill, locked, for somebody who may and says why.
    async fn returning<'a>(
        &'a self,
        actor: &'a Actor,
        id: InvoiceId,
        note: &str,
    ) -> Result<(Change<'a>, InvoiceRow)> {
        actor.authorize(Action::SettleBills)?;
        check_note(note)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_invoice(id).await?;
        Ok((change, row))
    }

    /// Asks the provider to give money back.
    pub(crate) async fn make_refund(&self, id: Uuid) -> Result<()> {
        let row = self.store.get_payment(id).await?;
        let Some(of) =
            row.of_payment.filter(|_| row.state == PaymentState::Pending && row.provider_ref.is_none())
        else {
            return Ok(());
        };
        let paid = self.store.get_payment(of).await?.provider_ref.unwrap_or_default();
        let provider = self.payment_provider()?.clone();
        let sought = Some(Sought::Refund { payment: paid.clone(), ours: id });
        let made = self
            .once_at_provider(&format!("refund:{id}"), sought, async |key| {
                provider.refund(key, &paid, row.amount(), id).await.map(|(refund, _)| refund)
            })
            .await;
        match made {
            Ok(made) => {
                let standing = provider.refund_standing(&made).await?;
                self.settle_return(&row, standing, Some(&made)).await
            }
            Err(error) => self.settle_return(&row, RefundStanding::Failed(refusal(error)?), None).await,
        }
    }

    /// Asks the provider to lower a bill.
    pub(crate) async fn make_credit(&self, id: Uuid) -> Result<()> {
        let row = self.store.get_payment(id).await?;
        let invoice = self.store.get_invoice(Scope::Operator, row.invoice_id).await?;
        let Some(bill) = invoice.provider_ref.clone().filter(|_| row.state == PaymentState::Pending) else {
            return Ok(());
        };
        let provider = self.payment_provider()?.clone();
        let note = row.note.clone().unwrap_or_default();
        let made = self
            .once_at_provider(&format!("credit:{id}"), None, async |key| {
                provider.credit(key, &bill, row.amount(), &note).await
            })
            .await;
        match made {
            Ok(made) => self.settle_return(&row, RefundStanding::Done, Some(&made)).await,
            Err(error) => {
                let why = refusal(error)?;
                if invoice.state == InvoiceState::Open || invoice.due().minor > 0 {
                    return self.settle_return(&row, RefundStanding::Failed(why), None).await;
                }
                // It settled the bill, which stands: the provider is told to collect no more, instead.
                tracing::warn!(invoice = %invoice.number, why, "a credit note is ours alone");
                self.close_at_provider(invoice.id).await?;
                self.settle_return(&row, RefundStanding::Done, None).await
            }
        }
    }

    /// Notes what became of a refund or a credit note.
    pub(super) async fn settle_return(
        &self,
        row: &PaymentRow,
        standing: RefundStanding,
        made: Option<&str>,
    ) -> Result<()> {
        let (state, failure) = standing.kept();
        if !row.counts() || (row.state == state && made.is_none()) {
            return Ok(());
        }
        let system = Actor::system();
        let mut change = self.change(&system).await?;
        change.tx.settle_payment(row.id, state, made, failure.as_deref()).await?;
        change.tx.sum_returns(row.invoice_id).await?;
        let subject =
            Subject { kind: "invoice", id: row.invoice_id.uuid(), organization: Some(row.organization_id) };
        let details = json!({ "kind": row.kind, "amount": row.amount(), "state": state, "failure": failure });
        change.commit("invoice.return_settled", subject, details).await
    }

    /// Tells the provider that a bill was settled here: it must not collect it any more.
    pub(crate) async fn close_at_provider(&self, id: InvoiceId) -> Result<()> {
        let row = self.store.get_invoice(Scope::Operator, id).await?;
        let Some(bill) = row.provider_ref.filter(|_| row.state != InvoiceState::Open) else { return Ok(()) };
        let Some(provider) = self.provider.clone() else { return Ok(()) };
        let standing = provider.bill(&bill).await?.standing;
        if standing != super::provider::BillStanding::Open {
            return Ok(());
        }
        let paid = row.state == InvoiceState::Paid;
        let close = async |key| provider.close(key, &bill, paid).await.map(|()| bill.clone());
        self.once_at_provider(&format!("close:{id}"), None, close).await.map(drop)
    }
}

/// Money that goes back, or a bill that is lowered.
pub(super) struct Returned<'a> {
    kind: PaymentKind,
    pub(super) amount: Amount,
    provider: &'a str,
    of_payment: Option<Uuid>,
    /// Whether the provider is asked for it.
    later: bool,
    note: &'a str,
}

impl Returned<'_> {
    /// Writes it down, adds it up on the bill, and queues what the provider is asked for.
    async fn keep(&self, change: &mut Change<'_>, row: &InvoiceRow) -> Result<()> {
        let payment_id = Uuid::now_v7();
        let new = NewPayment {
            id: payment_id,
            organization_id: row.organization_id,
            invoice_id: row.id,
            kind: self.kind,
            state: if self.later { PaymentState::Pending } else { PaymentState::Done },
            amount: self.amount,
            provider: self.provider,
            provider_ref: None,
            of_payment: self.of_payment,
            note: Some(self.note),
        };
        change.tx.insert_payment(&new).await?;
        change.tx.sum_returns(row.id).await?;
        if self.later {
            let job = match self.kind {
                PaymentKind::Credit => Job::Credit { payment_id },
                _ => Job::Refund { payment_id },
            };
            jobs::queue(&mut change.tx, &job).await?;
        }
        Ok(())
    }
}

/// Money of a payment that goes back: no more than is left of it.
pub(super) fn refund_of<'p>(
    payments: &[PaymentRow],
    paid: &'p PaymentRow,
    minor: u64,
    note: &'p str,
) -> Result<Returned<'p>> {
    let back = payments
        .iter()
        .filter(|one| one.of_payment == Some(paid.id) && one.counts())
        .fold(0u64, |sum, one| sum.saturating_add(one.amount().minor));
    let left = Amount { minor: paid.amount().minor.saturating_sub(back), ..paid.amount() };
    Ok(Returned {
        kind: PaymentKind::Refund,
        amount: up_to(minor, left)?,
        provider: &paid.provider,
        of_payment: Some(paid.id),
        later: paid.provider != "manual",
        note,
    })
}

/// Why the provider said no for good; the error itself where it may say yes yet.
fn refusal(error: Error) -> Result<String> {
    match error {
        Error::Provider(ProviderFault::Refused(why) | ProviderFault::Declined(why)) => Ok(why),
        other => Err(other),
    }
}

/// An amount of more than nothing, up to the most.
fn up_to(minor: u64, most: Amount) -> Result<Amount> {
    match minor {
        1.. if minor <= most.minor => Ok(Amount { minor, ..most }),
        _ => Err(Error::invalid("/amount_minor", format!("more than nothing, up to {most}"))),
    }
}

pub(super) fn subject_of(row: &InvoiceRow) -> Subject {
    Subject { kind: "invoice", id: row.id.uuid(), organization: Some(row.organization_id) }
}

fn check_note(note: &str) -> Result<()> {
    match note.trim().chars().count() {
        1..=200 => Ok(()),
        _ => Err(Error::invalid("/note", "why, in up to 200 characters: it stands on the invoice")),
    }
}
