//! What happens to a bill once it is written.

use serde_json::json;
use tollgate_domain::{InvoiceId, InvoiceState, PaymentKind, PaymentState, Scope};
use tollgate_store::{InvoiceRow, NewPayment};
use uuid::Uuid;

use crate::change::Subject;
use crate::jobs::{self, Job};
use crate::{Action, Actor, Control, Error, Result};

impl Control {
    /// Says that an open bill was paid, or is given up. Saying it again changes nothing.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` where it was settled the other way, or the actor may not.
    pub async fn settle_invoice(
        &self,
        actor: &Actor,
        id: InvoiceId,
        state: InvoiceState,
    ) -> Result<InvoiceRow> {
        actor.authorize(Action::SettleBills)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_invoice(id).await?;
        if row.state == state {
            return Ok(row);
        }
        if row.state != InvoiceState::Open || state == InvoiceState::Open {
            return Err(Error::Conflict(format!("this invoice is {} already", row.state)));
        }
        if state == InvoiceState::Paid {
            change.tx.insert_payment(&by_hand(&row)).await?;
        }
        change.tx.settle_invoice(id, state).await?;
        change.tx.relieve(row.organization_id).await?;
        if row.provider_ref.is_some() {
            jobs::queue(&mut change.tx, &Job::CloseAtProvider { invoice_id: id }).await?;
        }
        let action = if state == InvoiceState::Paid { "invoice.pay" } else { "invoice.void" };
        let subject = Subject { kind: "invoice", id: id.uuid(), organization: Some(row.organization_id) };
        change.commit(action, subject, json!({ "number": row.number, "total": row.total() })).await?;
        Ok(self.store.get_invoice(Scope::Operator, id).await?)
    }
}

/// A payment that came past the provider: by transfer, say.
fn by_hand(row: &InvoiceRow) -> NewPayment<'static> {
    NewPayment {
        id: Uuid::now_v7(),
        organization_id: row.organization_id,
        invoice_id: row.id,
        kind: PaymentKind::Payment,
        state: PaymentState::Done,
        amount: row.due(),
        provider: "manual",
        provider_ref: None,
        of_payment: None,
        note: None,
    }
}
