//! Invoices that are paid from credits.

use tollgate_domain::{Amount, PaymentKind, PaymentState, SubscriptionId};
use tollgate_language::{Language, text};
use tollgate_store::{NewInvoice, NewPayment, Tx};
use uuid::Uuid;

use super::take;
use crate::{Control, Result};

impl Control {
    /// Pays an invoice that is being written from credits, as far as they go; how much. Where calls are paid from credits as
    /// they are made, credits are for them alone.
    pub(in crate::billing) async fn draw_credits(&self, tx: &mut Tx, invoice: &NewInvoice) -> Result<u64> {
        let NewInvoice { id, organization_id: organization, month, total, .. } = *invoice;
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
        let wanted = theirs.fold(0u64, |sum, line| sum.saturating_add(line.amount_minor));
        let mut held = 0u64;
        for (subscription, of, amount) in tx.list_credit_holds(organization, total.currency).await? {
            match of == month {
                true => tx.hold_credits(subscription, of, organization, Amount { minor: 0, ..total }).await?,
                false => held = held.saturating_add(amount),
            }
        }
        let drawn = wanted.min(balance.saturating_sub(held)).min(total.minor);
        if drawn == 0 {
            return Ok(0);
        }
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
        Ok(drawn)
    }
}
