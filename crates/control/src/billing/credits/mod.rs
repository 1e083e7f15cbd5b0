//! Credits: money that was paid in advance, used before anything is charged, and never overrun.
//!
//! Plans that are `prepaid` admit calls as far as credits go. For each of their subscriptions and months a part of the balance
//! is held, and gateways are lent no more calls than the hold pays for, whatever way they are spent. Balance and holds are
//! sums that the database keeps and compares. Where several subscriptions use the same credits, what is free is shared out
//! evenly, and levelled every few seconds.

mod back;
mod draw;
mod share;

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::{Amount, InvoiceId, OrganizationId, PlanId, Scope};
use tollgate_store::{CreditAccountRow, CreditEntryRow, CreditRefundRow, NewCreditEntry, Tx};
use uuid::Uuid;

use crate::change::{Change, Subject};
use crate::{Action, Actor, Control, Error, Result};

/// The most that is granted at once, in minor units.
const MINOR_MAX: u64 = 100_000_000_000;
/// What can be bought at once, in minor units; providers take no less and no more.
const BOUGHT_MINOR: RangeInclusive<u64> = 100..=10_000_000;
/// Movements that a page or an answer shows.
const SHOWN: i64 = 1_000;

/// Credits to be added.
#[derive(Debug, Clone)]
pub struct CreditInput {
    /// How much, in which currency.
    pub amount: Amount,
    /// From then on what is left is lost; none for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// What for, up to 500 characters.
    pub note: String,
}

/// How the credits of an organization stand.
#[derive(Debug, Clone)]
pub struct CreditStanding {
    /// The sums, by currency.
    pub accounts: Vec<CreditAccountRow>,
    /// The movements, newest first.
    pub entries: Vec<CreditEntryRow>,
    /// What was given back to the card of whoever bought them, newest first; for operators.
    pub refunds: Vec<CreditRefundRow>,
}

impl Control {
    /// The credits of an organization.
    ///
    /// # Errors
    /// The actor may not, or the database is away.
    pub async fn credits(&self, actor: &Actor, organization: OrganizationId) -> Result<CreditStanding> {
        let scope = actor.authorize(Action::ReadOrganization(organization))?;
        self.store.get_organization(scope, organization).await?;
        let theirs = Scope::Organization(organization);
        Ok(CreditStanding {
            accounts: self.store.list_credit_accounts(organization).await?,
            entries: self.store.list_credit_entries(theirs, SHOWN).await?,
            refunds: match actor.authorize(Action::ReadPlatform) {
                Ok(_) => self.store.list_credit_refunds(theirs, SHOWN).await?,
                Err(_) => Vec::new(),
            },
        })
    }

    /// Adds credits; prepaid calls that were refused are admitted again within a second.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, or the actor may not.
    pub async fn grant_credits(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        input: CreditInput,
        now: DateTime<Utc>,
    ) -> Result<CreditStanding> {
        actor.authorize(Action::SettleBills)?;
        self.store.get_organization(Scope::Operator, organization).await?;
        if !(1..=MINOR_MAX).contains(&input.amount.minor) {
            return Err(Error::invalid("/amount_minor", format!("between 1 and {MINOR_MAX}")));
        }
        if input.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::invalid("/expires_at", "a time that is still to come"));
        }
        check_note(&input.note)?;
        let mut change = self.change(actor).await?;
        change.tx.lock_credits(organization, input.amount.currency).await?;
        let entry = NewCreditEntry {
            id: Uuid::now_v7(),
            organization_id: organization,
            currency: input.amount.currency,
            kind: "grant",
            amount_minor: input.amount.minor.cast_signed(),
            grant_id: None,
            expires_at: input.expires_at,
            invoice_id: None,
            checkout_id: None,
            note: &input.note,
        };
        change.tx.insert_credit_entry(&entry).await?;
        share::settle(self, &mut change.tx, organization, input.amount.currency, now).await?;
        let details = json!({
            "id": entry.id, "amount": input.amount, "expires_at": input.expires_at, "note": input.note,
        });
        change.commit("credits.grant", subject(organization), details).await?;
        self.credits(actor, organization).await
    }

    /// That so many credits can be bought by an organization.
    pub(super) async fn check_purchase(&self, organization: OrganizationId, amount: Amount) -> Result<()> {
        if !BOUGHT_MINOR.contains(&amount.minor) {
            let of = |minor| Amount { minor, currency: amount.currency };
            let (least, most) = (of(*BOUGHT_MINOR.start()), of(*BOUGHT_MINOR.end()));
            return Err(Error::invalid("/amount_minor", format!("between {least} and {most}")));
        }
        match self.store.get_currency(Scope::Operator, organization).await? {
            Some(theirs) if theirs != amount.currency => {
                Err(Error::invalid("/currency", format!("this organization pays in {}", theirs.as_str())))
            }
            _ => Ok(()),
        }
    }

    /// Adds credits that were bought on a visit to the provider's page, with the change that settles the visit.
    pub(super) async fn grant_bought(
        &self,
        change: &mut Change<'_>,
        (organization, checkout): (OrganizationId, Uuid),
        amount: Amount,
        now: DateTime<Utc>,
    ) -> Result<()> {
        change.tx.lock_credits(organization, amount.currency).await?;
        let entry = NewCreditEntry {
            id: Uuid::now_v7(),
            organization_id: organization,
            currency: amount.currency,
            kind: "grant",
            amount_minor: amount.minor.cast_signed(),
            grant_id: None,
            expires_at: None,
            invoice_id: None,
            checkout_id: Some(checkout),
            note: "",
        };
        change.tx.insert_credit_entry(&entry).await?;
        share::settle(self, &mut change.tx, organization, amount.currency, now).await?;
        let details = json!({ "id": entry.id, "amount": amount, "checkout_id": checkout });
        change.note("credits.grant", &subject(organization), &details).await
    }

    /// Says whether the calls of a plan are paid from credits as they are made.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn set_prepaid(&self, actor: &Actor, plan: PlanId, prepaid: bool) -> Result<()> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        change.tx.lock_plan(plan).await?;
        if self.store.is_prepaid(plan).await? == prepaid {
            return Ok(());
        }
        change.tx.set_prepaid(plan, prepaid).await?;
        let subject = Subject { kind: "plan", id: plan.uuid(), organization: None };
        change.compile_and_commit("plan.prepaid", subject, json!({ "prepaid": prepaid })).await
    }
}

/// Takes an amount from grants in this order.
async fn take(
    tx: &mut Tx,
    organization: OrganizationId,
    amount: Amount,
    from: Vec<(Uuid, u64)>,
    kind: &'static str,
    invoice_id: Option<InvoiceId>,
    note: &str,
) -> Result<()> {
    let mut missing = amount.minor;
    for (grant, left) in from {
        let part = missing.min(left);
        if part == 0 {
            continue;
        }
        missing -= part;
        let entry = NewCreditEntry {
            id: Uuid::now_v7(),
            organization_id: organization,
            currency: amount.currency,
            kind,
            amount_minor: -part.cast_signed(),
            grant_id: Some(grant),
            expires_at: None,
            invoice_id,
            checkout_id: None,
            note,
        };
        tx.insert_credit_entry(&entry).await?;
    }
    Ok(())
}

fn check_note(note: &str) -> Result<()> {
    match note.chars().count() {
        0..=500 => Ok(()),
        _ => Err(Error::invalid("/note", "at most 500 characters")),
    }
}

const fn subject(organization: OrganizationId) -> Subject {
    Subject { kind: "organization", id: organization.uuid(), organization: Some(organization) }
}
