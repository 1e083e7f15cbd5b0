//! What happens to a bill once it is written.

use serde_json::json;
use tollgate_domain::{InvoiceId, InvoiceState, Scope};
use tollgate_store::InvoiceRow;

use crate::change::Subject;
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
        actor.authorize(Action::WritePlatform)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_invoice(id).await?;
        if row.state == state {
            return Ok(row);
        }
        if row.state != InvoiceState::Open || state == InvoiceState::Open {
            return Err(Error::Conflict(format!("this invoice is {} already", row.state)));
        }
        change.tx.settle_invoice(id, state).await?;
        let action = if state == InvoiceState::Paid { "invoice.pay" } else { "invoice.void" };
        let subject = Subject { kind: "invoice", id: id.uuid(), organization: Some(row.organization_id) };
        change.commit(action, subject, json!({ "number": row.number, "total": row.total() })).await?;
        Ok(self.store.get_invoice(Scope::Operator, id).await?)
    }
}
