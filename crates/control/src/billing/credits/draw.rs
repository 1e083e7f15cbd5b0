//! Invoices that are paid from credits.

use chrono::{DateTime, Utc};
use tollgate_domain::{Amount, PaymentKind, PaymentState, SubscriptionId};
use tollgate_language::{Language, text};
use tollgate_store::{NewInvoice, NewPayment, Tx};
use uuid::Uuid;

use super::share::{lower_holds, share_out, slots};
use super::take;
use crate::{Control, Result};

impl Control {
    /// Pays an invoice that is being written from credits, as far as they go; how much. Where calls are paid from credits as
    /// they are made, credits are for them alone: what is held for other months is let be, but for what nothing of them is
    /// committed to yet.
    pub(in crate::billing) async fn draw_credits(
        &self,
        tx: &mut Tx,
        invoice: &NewInvoice,
        now: DateTime<Utc>,
    ) -> Result<u64> {
        let NewInvoice { organization_id: organization, month, total, .. } = *invoice;
        let balance = tx.lock_credits(organization, total.currency).await?;
        if balance == 0 {
            return Ok(0);
        }
        let prepaid: Vec<SubscriptionId> = tx
            .list_prepaid(organization, total.currency)
            .await?
            .into_iter()
            .map(|one| one.subscription_id)
            .collect();
        let theirs =
            invoice.lines.iter().filter(|line| prepaid.is_empty() || prepaid.contains(&line.subscription_id));
        let wanted = theirs.fold(0u64, |sum, line| sum.saturating_add(line.amount_minor)).min(total.minor);
        let mut held = 0u64;
        for (subscription, of, amount) in tx.list_credit_holds(organization, total.currency).await? {
            // What came late for a month before is on this invoice, too.
            match of <= month {
                true => tx.hold_credits(subscription, of, organization, Amount { minor: 0, ..total }).await?,
                false => held = held.saturating_add(amount),
            }
        }
        let mut shared = None;
        if wanted > balance.saturating_sub(held) && held > 0 {
            let slots = slots(self, tx, organization, total.currency, now).await?;
            lower_holds(tx, organization, total.currency, &slots).await?;
            let holds = tx.list_credit_holds(organization, total.currency).await?;
            held = holds.iter().fold(0, |sum, (_, _, amount)| sum.saturating_add(*amount));
            shared = Some(slots);
        }
        let drawn = wanted.min(balance.saturating_sub(held));
        if drawn > 0 {
            pay(tx, invoice, drawn).await?;
        }
        if let Some(mut slots) = shared {
            share_out(tx, organization, total.currency, &mut slots).await?;
        }
        Ok(drawn)
    }
}

/// Takes what pays an invoice from the grants, in the order of their use.
async fn pay(tx: &mut Tx, invoice: &NewInvoice, drawn: u64) -> Result<()> {
    let NewInvoice { id, organization_id: organization, total, .. } = *invoice;
    let amount = Amount { minor: drawn, ..total };
    let grants = tx.list_credit_grants(organization, total.currency).await?;
    let from = grants.into_iter().map(|grant| (grant.id, grant.left_minor.unsigned_abs())).collect();
    take(tx, organization, amount, from, "use", Some(id), "").await?;
    tx.insert_payment(&NewPayment {
        id: Uuid::now_v7(),
        organization_id: organization,
        invoice_id: id,
        kind: PaymentKind::Credit,
        state: PaymentState::Done,
        amount,
        provider: "credits",
        provider_ref: None,
        of_payment: None,
        note: Some(text(Language::named(invoice.language).unwrap_or_default(), "bill-from-credits")),
    })
    .await?;
    tx.sum_returns(id).await?;
    Ok(())
}
