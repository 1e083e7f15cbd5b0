//! Refunds and credit notes that the payment provider refused: finance tries them anew, or withdraws them.

use serde_json::json;
use tollgate_domain::{InvoiceId, PaymentKind, Scope};
use tollgate_store::{InvoiceRow, PaymentRow};
use uuid::Uuid;

use super::refunds::{refund_of, subject_of};
use crate::change::Change;
use crate::{Action, Actor, Control, Error, Result};

impl Control {
    /// Tries a refund or a credit note anew that the provider refused. It is another one, asked for under another key.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where it did not fail, or the bill is settled meanwhile; `Invalid` where it is more than is
    /// left; or the actor may not.
    pub async fn retry_return(&self, actor: &Actor, id: InvoiceId, failed: Uuid) -> Result<()> {
        let (mut change, row, payments, old) = self.failed_return(actor, id, failed).await?;
        let note = old.note.clone().unwrap_or_default();
        let new = match old.kind {
            PaymentKind::Refund => {
                let paid = payments.iter().find(|one| Some(one.id) == old.of_payment);
                refund_of(&payments, paid.ok_or(Error::NotFound("payment"))?, old.amount().minor, &note)?
            }
            _ => self.credit_of(&row, old.amount().minor, &note)?,
        };
        self.lower(&mut change, &row, &new).await?;
        let details = json!({ "kind": old.kind, "amount": new.amount, "note": note, "failed": failed });
        change.commit("invoice.return_retried", subject_of(&row), details).await
    }

    /// Leaves a refund or a credit note that the provider refused: it is not made.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where it did not fail; or the actor may not.
    pub async fn withdraw_return(&self, actor: &Actor, id: InvoiceId, failed: Uuid) -> Result<()> {
        let (change, row, _, old) = self.failed_return(actor, id, failed).await?;
        let details = json!({ "kind": old.kind, "amount": old.amount(), "failed": failed });
        change.commit("invoice.return_withdrawn", subject_of(&row), details).await
    }

    /// The beginning of both: the bill, locked, what happened about it, and what failed, which is not waited for any more.
    async fn failed_return<'a>(
        &'a self,
        actor: &'a Actor,
        id: InvoiceId,
        failed: Uuid,
    ) -> Result<(Change<'a>, InvoiceRow, Vec<PaymentRow>, PaymentRow)> {
        actor.authorize(Action::SettleBills)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_invoice(id).await?;
        let payments = change.tx.reads().list_payments(Scope::Operator, id).await?;
        let old = payments.iter().find(|one| one.id == failed).cloned().ok_or(Error::NotFound("payment"))?;
        if !change.tx.withdraw_payment(failed).await? {
            return Err(Error::Conflict(format!("it did not fail: it is {}", old.state)));
        }
        Ok((change, row, payments, old))
    }
}
