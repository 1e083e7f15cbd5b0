//! Credits that are given back: taken from the ledger and, where they were bought, paid back the way their money came.

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::{Amount, Currency, OrganizationId, PaymentState, Scope};
use tollgate_store::{CreditGrantRow, CreditRefundRow, NewCreditEntry, NewCreditRefund, Tx};
use uuid::Uuid;

use super::super::provider::{ProviderFault, RefundStanding, Sought};
use super::{check_note, share, subject, take};
use crate::change::Change;
use crate::jobs::{self, Job};
use crate::{Action, Actor, Control, CreditStanding, Error, Result};

/// An account that is looked at to take something from it.
struct Open<'a> {
    change: Change<'a>,
    slots: Vec<share::Slot>,
    grants: Vec<CreditGrantRow>,
    /// What nothing is committed of, in minor units.
    free: u64,
}

impl Open<'_> {
    /// Takes an amount from grants in this order, and shares out what is left.
    async fn take(
        &mut self,
        organization: OrganizationId,
        amount: Amount,
        from: Vec<(Uuid, u64)>,
        note: &str,
    ) -> Result<()> {
        let tx = &mut self.change.tx;
        take(tx, organization, amount, from, "refund", None, note).await?;
        share::share_out(tx, organization, amount.currency, &mut self.slots).await.map(drop)
    }
}

/// That an amount is more than nothing and up to what there is.
fn check_amount(amount: Amount, most: u64) -> Result<()> {
    if (1..=most).contains(&amount.minor) {
        return Ok(());
    }
    let most = Amount { minor: most, ..amount };
    Err(Error::invalid("/amount_minor", format!("more than nothing, up to the {most} that is free")))
}

impl Control {
    async fn open_credits<'a>(
        &'a self,
        actor: &'a Actor,
        (organization, currency): (OrganizationId, Currency),
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<Open<'a>> {
        actor.authorize(Action::SettleBills)?;
        self.store.get_organization(Scope::Operator, organization).await?;
        check_note(note)?;
        let mut change = self.change(actor).await?;
        change.tx.lock_credits(organization, currency).await?;
        let slots = share::slots(self, &mut change.tx, organization, currency, now).await?;
        share::lower_holds(&mut change.tx, organization, currency, &slots).await?;
        let free = share::free_of(&mut change.tx, organization, currency, &slots).await?;
        let grants = change.tx.list_credit_grants(organization, currency).await?;
        Ok(Open { change, slots, grants, free })
    }

    /// Takes credits back that were not used: because their money was given back, or they were granted by mistake.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` where it is more than is free; or the actor may not.
    pub async fn take_credits_back(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        amount: Amount,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<CreditStanding> {
        let mut open = self.open_credits(actor, (organization, amount.currency), note, now).await?;
        check_amount(amount, open.free)?;
        // What would be used last goes back first.
        let from =
            open.grants.iter().rev().map(|grant| (grant.id, grant.left_minor.unsigned_abs())).collect();
        open.take(organization, amount, from, note).await?;
        let details = json!({ "amount": amount, "note": note });
        open.change.commit("credits.refund", subject(organization), details).await?;
        self.credits(actor, organization).await
    }

    /// Gives back what was not used of credits that were bought: they are gone at once, and the provider is asked to pay
    /// their money back the way it came. Should that fail, they are there again.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` where it is more than is left of them and free; `Conflict` where they were not bought; or the
    /// actor may not.
    pub async fn refund_credits(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        grant: Uuid,
        amount: Amount,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<CreditStanding> {
        let mut open = self.open_credits(actor, (organization, amount.currency), note, now).await?;
        let entry = open.change.tx.reads().find_credit_entry(organization, grant).await?;
        let entry = entry.filter(|entry| entry.kind == "grant" && entry.currency == amount.currency);
        let entry = entry.ok_or(Error::NotFound("grant"))?;
        if entry.checkout_id.is_none() {
            return Err(Error::Conflict(
                "these credits were not bought by card; take them back instead".to_owned(),
            ));
        }
        let left =
            open.grants.iter().find(|one| one.id == grant).map_or(0, |one| one.left_minor.unsigned_abs());
        check_amount(amount, left.min(open.free))?;
        open.take(organization, amount, vec![(grant, left)], note).await?;
        let id = Uuid::now_v7();
        let new = NewCreditRefund { id, organization_id: organization, grant_id: grant, amount, note };
        open.change.tx.insert_credit_refund(&new).await?;
        jobs::queue(&mut open.change.tx, &Job::RefundCredits { refund_id: id }).await?;
        let details =
            json!({ "id": id, "grant_id": grant, "amount": amount, "note": note, "to": "provider" });
        open.change.commit("credits.refund", subject(organization), details).await?;
        self.credits(actor, organization).await
    }

    /// Asks the provider to pay back what was paid for credits.
    pub(crate) async fn make_credit_refund(&self, id: Uuid) -> Result<()> {
        let row = self.store.get_credit_refund(id).await?;
        if row.state != PaymentState::Pending || row.provider_ref.is_some() {
            return Ok(());
        }
        let provider = self.payment_provider()?.clone();
        let payment = row.payment_ref.clone().ok_or(Error::NotFound("payment"))?;
        let sought = Some(Sought::Refund { payment: payment.clone(), ours: id });
        let made = self
            .once_at_provider(&format!("credit_refund:{id}"), sought, async |key| {
                provider.refund(key, &payment, row.amount(), id).await.map(|(refund, _)| refund)
            })
            .await;
        match made {
            Ok(made) => {
                let standing = provider.refund_standing(&made).await?;
                self.settle_credit_refund(&row, standing, Some(&made)).await
            }
            // Asking again is of no use.
            Err(Error::Provider(ProviderFault::Refused(why))) => {
                tracing::error!(refund = %id, %why, "money of credits cannot be paid back");
                self.settle_credit_refund(&row, RefundStanding::Failed(why), None).await
            }
            Err(other) => Err(other),
        }
    }

    /// Takes over what became of a refund, as the provider has it; false where it is none of credits.
    pub(in crate::billing) async fn follow_credit_refund(&self, refund: &str) -> Result<bool> {
        let Some(row) = self.store.find_credit_refund(refund).await? else { return Ok(false) };
        let standing = self.payment_provider()?.refund_standing(refund).await?;
        self.settle_credit_refund(&row, standing, Some(refund)).await?;
        Ok(true)
    }

    async fn settle_credit_refund(
        &self,
        row: &CreditRefundRow,
        standing: RefundStanding,
        made: Option<&str>,
    ) -> Result<()> {
        let (state, failure) = standing.kept();
        let (system, organization) = (Actor::system(), row.organization_id);
        let mut change = self.change(&system).await?;
        change.tx.lock_credits(organization, row.amount().currency).await?;
        if !change.tx.settle_credit_refund(row.id, state, made, failure.as_deref()).await? {
            return Ok(());
        }
        if state == PaymentState::Failed {
            give_again(&mut change.tx, row).await?;
        }
        let details = json!({ "id": row.id, "amount": row.amount(), "state": state, "failure": failure });
        change.commit("credits.refund_settled", subject(organization), details).await
    }
}

/// Credits whose money could not be paid back are there as before.
async fn give_again(tx: &mut Tx, row: &CreditRefundRow) -> Result<()> {
    let entry = NewCreditEntry {
        id: Uuid::now_v7(),
        organization_id: row.organization_id,
        currency: row.amount().currency,
        kind: "grant",
        amount_minor: row.amount().minor.cast_signed(),
        grant_id: None,
        expires_at: None,
        invoice_id: None,
        checkout_id: None,
        note: "A refund that did not arrive",
    };
    Ok(tx.insert_credit_entry(&entry).await?)
}
