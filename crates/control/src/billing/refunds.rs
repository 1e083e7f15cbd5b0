//! Money that goes back: refunds of payments, and credit notes that lower an open bill.

use serde_json::json;
use tollgate_domain::{Amount, InvoiceId, InvoiceState, PaymentKind, PaymentState, Scope};
use tollgate_store::{InvoiceRow, NewPayment, PaymentRow};
use uuid::Uuid;

use super::provider::{RefundStanding, Sought};
use crate::change::Subject;
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
        actor.authorize(Action::SettleBills)?;
        check_note(note)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_invoice(id).await?;
        let payments = self.store.list_payments(Scope::Operator, id).await?;
        let paid = payments.iter().rev().find(|one| one.kind == PaymentKind::Payment);
        let paid = paid.ok_or_else(|| Error::Conflict("nothing was paid of this invoice".to_owned()))?;
        let back = payments
            .iter()
            .filter(|one| one.of_payment == Some(paid.id) && one.state != PaymentState::Failed)
            .fold(0u64, |sum, one| sum.saturating_add(one.amount().minor));
        let left = Amount { minor: paid.amount().minor.saturating_sub(back), ..paid.amount() };
        if amount_minor == 0 || amount_minor > left.minor {
            return Err(Error::invalid("/amount_minor", format!("more than nothing, up to {left}")));
        }
        let by_hand = paid.provider == "manual";
        let refund = Uuid::now_v7();
        let new = NewPayment {
            id: refund,
            organization_id: row.organization_id,
            invoice_id: id,
            kind: PaymentKind::Refund,
            state: if by_hand { PaymentState::Done } else { PaymentState::Pending },
            amount: Amount { minor: amount_minor, ..left },
            provider: &paid.provider,
            provider_ref: None,
            of_payment: Some(paid.id),
            note: Some(note),
        };
        change.tx.insert_payment(&new).await?;
        change.tx.sum_returns(id).await?;
        if !by_hand {
            jobs::queue(&mut change.tx, &Job::Refund { payment_id: refund }).await?;
        }
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
        actor.authorize(Action::SettleBills)?;
        check_note(note)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_invoice(id).await?;
        if row.state != InvoiceState::Open {
            return Err(Error::Conflict(format!("this invoice is {} already; refund it instead", row.state)));
        }
        let due = row.due();
        if amount_minor == 0 || amount_minor > due.minor {
            return Err(Error::invalid("/amount_minor", format!("more than nothing, up to {due}")));
        }
        let credit = Uuid::now_v7();
        let at_provider = row.provider_ref.is_some() && self.collects();
        let provider = self.provider.as_ref().filter(|_| at_provider).map_or("manual", |one| one.name());
        let new = NewPayment {
            id: credit,
            organization_id: row.organization_id,
            invoice_id: id,
            kind: PaymentKind::Credit,
            state: if at_provider { PaymentState::Pending } else { PaymentState::Done },
            amount: Amount { minor: amount_minor, ..due },
            provider,
            provider_ref: None,
            of_payment: None,
            note: Some(note),
        };
        change.tx.insert_payment(&new).await?;
        change.tx.sum_returns(id).await?;
        if at_provider {
            jobs::queue(&mut change.tx, &Job::Credit { payment_id: credit }).await?;
        }
        if amount_minor == due.minor {
            change.tx.settle_invoice(id, InvoiceState::Paid).await?;
            change.tx.relieve(row.organization_id).await?;
        }
        change.commit("invoice.credit", subject_of(&row), json!({ "amount": new.amount, "note": note })).await
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
            .await?;
        let state = match provider.refund_standing(&made).await? {
            RefundStanding::Pending => PaymentState::Pending,
            RefundStanding::Done => PaymentState::Done,
            RefundStanding::Failed => PaymentState::Failed,
        };
        self.settle_refund(&Actor::system(), &row, state, Some(&made)).await
    }

    /// Asks the provider to lower a bill.
    pub(crate) async fn make_credit(&self, id: Uuid) -> Result<()> {
        let row = self.store.get_payment(id).await?;
        let invoice = self.store.get_invoice(Scope::Operator, row.invoice_id).await?;
        let Some(bill) = invoice.provider_ref.filter(|_| row.state == PaymentState::Pending) else {
            return Ok(());
        };
        let provider = self.payment_provider()?.clone();
        let note = row.note.clone().unwrap_or_default();
        let made = self
            .once_at_provider(&format!("credit:{id}"), None, async |key| {
                provider.credit(key, &bill, row.amount(), &note).await
            })
            .await?;
        self.settle_refund(&Actor::system(), &row, PaymentState::Done, Some(&made)).await
    }

    pub(super) async fn settle_refund(
        &self,
        actor: &Actor,
        row: &PaymentRow,
        state: PaymentState,
        made: Option<&str>,
    ) -> Result<()> {
        if row.state == state && made.is_none() {
            return Ok(());
        }
        let mut change = self.change(actor).await?;
        change.tx.settle_payment(row.id, state, made).await?;
        change.tx.sum_returns(row.invoice_id).await?;
        let subject =
            Subject { kind: "invoice", id: row.invoice_id.uuid(), organization: Some(row.organization_id) };
        let details = json!({ "kind": row.kind, "amount": row.amount(), "state": state });
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

fn subject_of(row: &InvoiceRow) -> Subject {
    Subject { kind: "invoice", id: row.id.uuid(), organization: Some(row.organization_id) }
}

fn check_note(note: &str) -> Result<()> {
    match note.trim().chars().count() {
        1..=200 => Ok(()),
        _ => Err(Error::invalid("/note", "why, in up to 200 characters: it stands on the invoice")),
    }
}
