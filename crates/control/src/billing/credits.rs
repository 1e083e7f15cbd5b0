//! Credits: money that was paid in advance, used before anything is charged, and never overrun.
//!
//! Plans that are `prepaid` admit calls as far as credits go. For each of their subscriptions and months a part of the balance
//! is held, and gateways are lent no more calls than the hold pays for, whatever way they are spent. Balance and holds are
//! sums that the database keeps and compares. Where several subscriptions use the same credits, what is free is shared out
//! evenly, and levelled every few seconds.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tollgate_domain::{
    Amount, CalendarMonth, Currency, Funds, InvoiceId, OrganizationId, PaymentKind, PaymentState, PlanId,
    Scope, SubscriptionId,
};
use tollgate_rating::{Span, Tariff, Usage};
use tollgate_store::{
    CreditAccountRow, CreditEntryRow, MoneyBudget, NewCreditEntry, NewInvoiceLine, NewPayment, Tx,
};
use uuid::Uuid;

use super::allowance::Position;
use super::spend_cap::window;
use super::statement::{Charge, span, usage};
use crate::change::{Change, Subject};
use crate::jobs::Job;
use crate::{Action, Actor, Control, Error, Result, events};

/// So long before a month turns, the next one is lent from too.
const TURN: TimeDelta = TimeDelta::minutes(2);
/// The most that is granted at once, in minor units.
const MINOR_MAX: u64 = 100_000_000_000;
/// What can be bought at once, in minor units; providers take no less and no more.
const BOUGHT_MINOR: RangeInclusive<u64> = 100..=10_000_000;
/// Percentages of what was granted that are left when somebody is told.
const TOLD: [u64; 2] = [20, 0];
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
}

/// A subscription in a month, as its credits depend on it.
struct Slot {
    subscription: SubscriptionId,
    month: CalendarMonth,
    tariff: Tariff,
    span: Span,
    usage: Usage,
    besides_minor: u64,
    budget: MoneyBudget,
    /// Whether further calls are admitted.
    goes_on: bool,
    /// What its calls cost at most, those that are lent and not counted among them.
    committed: u64,
    /// The terms that all of the month will be on, where a move to them is planned for its begin and not made yet.
    planned: Option<Tariff>,
}

impl Slot {
    /// On the terms that are in force, and on those that are planned.
    fn positions(&self) -> impl Iterator<Item = Position<'_>> {
        let now = Position {
            tariff: &self.tariff,
            span: self.span.clone(),
            usage: self.usage.clone(),
            spent: self.budget.spent,
            besides_minor: self.besides_minor,
            whole_bill: true,
        };
        let whole = self.month.seconds();
        let planned = self.planned.as_ref().map(|tariff| Position {
            tariff,
            span: Span::of(whole, whole),
            ..now.clone()
        });
        std::iter::once(now).chain(planned)
    }

    /// What so many calls more cost at most.
    fn cost(&self, more: u64) -> u64 {
        self.positions().map(|position| position.cost(more)).max().unwrap_or(0)
    }

    /// The calls that so much pays for, whichever terms it will be.
    fn allows(&self, minor: u64) -> u64 {
        self.positions().map(|position| position.allows(minor)).min().unwrap_or(0)
    }
}

/// What an account comes to after it was looked at.
#[derive(Debug, Clone, Copy)]
struct Settled {
    /// What nothing is committed of.
    free: u64,
    /// What the grants that something is left of were.
    granted: u64,
    /// The latest of them.
    latest: Option<Uuid>,
    /// Whether any calls are paid from it as they are made.
    is_prepaid: bool,
}

impl Control {
    /// The credits of an organization.
    ///
    /// # Errors
    /// The actor may not, or the database is away.
    pub async fn credits(&self, actor: &Actor, organization: OrganizationId) -> Result<CreditStanding> {
        let scope = actor.authorize(Action::ReadOrganization(organization))?;
        self.store.get_organization(scope, organization).await?;
        Ok(CreditStanding {
            accounts: self.store.list_credit_accounts(organization).await?,
            entries: self.store.list_credit_entries(Scope::Organization(organization), SHOWN).await?,
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
        settle(self, &mut change.tx, organization, input.amount.currency, now).await?;
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
        settle(self, &mut change.tx, organization, amount.currency, now).await?;
        let details = json!({ "id": entry.id, "amount": amount, "checkout_id": checkout });
        change.note("credits.grant", &subject(organization), &details).await
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
        actor.authorize(Action::SettleBills)?;
        self.store.get_organization(Scope::Operator, organization).await?;
        check_note(note)?;
        let mut change = self.change(actor).await?;
        change.tx.lock_credits(organization, amount.currency).await?;
        let mut slots = slots(self, &mut change.tx, organization, amount.currency, now).await?;
        lower_holds(&mut change.tx, organization, amount.currency, &slots).await?;
        let free = free_of(&mut change.tx, organization, amount.currency, &slots).await?;
        if amount.minor == 0 || amount.minor > free {
            let free = Amount { minor: free, ..amount };
            return Err(Error::invalid(
                "/amount_minor",
                format!("more than nothing, up to the {free} that is free"),
            ));
        }
        // What would be used last goes back first.
        let from = change.tx.list_credit_grants(organization, amount.currency).await?;
        let from = from.into_iter().rev().map(|grant| (grant.id, grant.left_minor.unsigned_abs())).collect();
        take(&mut change.tx, organization, amount, from, "refund", None, note).await?;
        share_out(&mut change.tx, organization, amount.currency, &mut slots).await?;
        change
            .commit("credits.refund", subject(organization), json!({ "amount": amount, "note": note }))
            .await?;
        self.credits(actor, organization).await
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

    /// Lets credits expire, and shares out what is free among those whose calls are paid from it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look_after_credits(&self, now: DateTime<Utc>) -> Result<()> {
        let month = CalendarMonth::of(now);
        let turns = month.end() - now <= TURN || now - month.start() <= TURN;
        for (organization, currency) in self.store.list_credit_accounts_to_look_at(now, turns).await? {
            let mut tx = self.store.begin().await?;
            tx.lock_credits(organization, currency).await?;
            let settled = settle(self, &mut tx, organization, currency, now).await?;
            tx.commit().await?;
            self.tell_of_credits(organization, currency, settled).await?;
        }
        Ok(())
    }

    async fn tell_of_credits(
        &self,
        organization: OrganizationId,
        currency: Currency,
        settled: Settled,
    ) -> Result<()> {
        let percent = settled.free.saturating_mul(100).checked_div(settled.granted).unwrap_or(0);
        let reached = TOLD.into_iter().rev().find(|told| percent <= *told);
        let Some(reached) = reached.filter(|_| settled.is_prepaid) else { return Ok(()) };
        let left = Amount { minor: settled.free, currency };
        let about = format!("{organization}:{}:{:?}:{reached}", currency.as_str(), settled.latest);
        for user_id in self.store.list_alerted(organization).await? {
            let job = Job::CreditsLow {
                organization_id: organization,
                user_id,
                left: left.to_string(),
                used_up: reached == 0,
            };
            self.queue(&job, Some(&format!("credits:{about}:{user_id}")), None).await?;
        }
        let event =
            events::Event::of("credits.low", organization, json!({ "left": left, "percent": reached }));
        self.emit_once(&event, &format!("credits.low:{about}")).await
    }

    /// Pays an invoice that is being written from credits, as far as they go; how much. Where calls are paid from credits as
    /// they are made, credits are for them alone.
    pub(super) async fn draw_credits(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        invoice: (InvoiceId, CalendarMonth, Amount),
        lines: &[NewInvoiceLine],
    ) -> Result<u64> {
        let (id, month, total) = invoice;
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
            lines.iter().filter(|line| prepaid.is_empty() || prepaid.contains(&line.subscription_id));
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
            note: Some("Paid from credits"),
        })
        .await?;
        tx.sum_returns(id).await?;
        Ok(drawn)
    }
}

/// Looks at an account that is locked: expiry, holds, and the calls that gateways may be lent.
async fn settle(
    control: &Control,
    tx: &mut Tx,
    organization: OrganizationId,
    currency: Currency,
    now: DateTime<Utc>,
) -> Result<Settled> {
    let mut slots = slots(control, tx, organization, currency, now).await?;
    lower_holds(tx, organization, currency, &slots).await?;
    expire(tx, organization, currency, &slots, now).await?;
    let free = share_out(tx, organization, currency, &mut slots).await?;
    let grants = tx.list_credit_grants(organization, currency).await?;
    Ok(Settled {
        free,
        granted: grants.iter().fold(0, |sum, grant| sum.saturating_add(grant.granted_minor.unsigned_abs())),
        latest: grants.iter().map(|grant| grant.id).max(),
        is_prepaid: slots.iter().any(|slot| slot.goes_on),
    })
}

/// Every subscription and month that something of the account is, or will be, committed to.
async fn slots(
    control: &Control,
    tx: &mut Tx,
    organization: OrganizationId,
    currency: Currency,
    now: DateTime<Utc>,
) -> Result<Vec<Slot>> {
    let this = CalendarMonth::of(now);
    let prepaid = tx.list_prepaid(organization, currency).await?;
    let held = tx.list_credit_holds(organization, currency).await?;
    let mut months = vec![this];
    if this.end() - now <= TURN {
        months.push(this.next());
    }
    // Months that are over and have no invoice yet.
    let mut open: Vec<CalendarMonth> =
        held.iter().map(|(_, month, _)| *month).filter(|month| *month < this).collect();
    open.sort_unstable();
    open.dedup();
    months.extend(open);
    let mut charges: HashMap<CalendarMonth, Vec<Charge>> = HashMap::new();
    for month in &months {
        let rows = tx.list_billable(organization, *month).await?;
        let rated = rows.into_iter().map(|row| Charge::of(row, *month)).collect::<Result<Vec<_>>>()?;
        charges.insert(*month, rated);
    }
    let mut slots = Vec::new();
    for row in prepaid {
        let subscription = tx.reads().get_subscription(Scope::Operator, row.subscription_id).await?;
        let planned = control.planned_tariff(tx, &subscription).await?;
        // Another currency is another account.
        let planned = planned.filter(|(_, tariff)| tariff.currency == currency);
        for month in &months {
            let mine = charges.get(month).into_iter().flatten();
            let mine: Vec<&Charge> = mine
                .filter(|one| {
                    one.row.subscription_id == row.subscription_id && one.tariff.currency == currency
                })
                .collect();
            let Some(last) = mine.last() else { continue };
            let total = |charges: &[&Charge]| {
                charges.iter().fold(0u64, |sum, one| sum.saturating_add(one.bill.total_minor))
            };
            let budget = tx.lock_money_budget(row.subscription_id, Funds::Credits, window(*month)).await?;
            let mut slot = Slot {
                subscription: row.subscription_id,
                month: *month,
                tariff: last.tariff.clone(),
                span: span(&last.row, *month),
                usage: usage(&last.row.used),
                besides_minor: total(&mine[..mine.len() - 1]),
                budget,
                goes_on: row.active && *month >= this,
                committed: 0,
                planned: planned
                    .as_ref()
                    .filter(|(at, _)| *at <= month.start())
                    .map(|(_, tariff)| tariff.clone()),
            };
            slot.committed = slot.cost(budget.outstanding);
            slots.push(slot);
        }
    }
    Ok(slots)
}

/// Lets go of what is held beyond what is committed, so that it can be shared out anew.
async fn lower_holds(
    tx: &mut Tx,
    organization: OrganizationId,
    currency: Currency,
    slots: &[Slot],
) -> Result<()> {
    for (subscription, month, held) in tx.list_credit_holds(organization, currency).await? {
        let slot = slots.iter().find(|slot| (slot.subscription, slot.month) == (subscription, month));
        let minor = slot.map_or(0, |slot| slot.committed).min(held);
        if minor < held {
            tx.hold_credits(subscription, month, organization, Amount { minor, currency }).await?;
        }
    }
    Ok(())
}

/// What is left of grants whose time is over and is not committed is lost. What is committed counts as used of the grants in
/// the order of their use.
async fn expire(
    tx: &mut Tx,
    organization: OrganizationId,
    currency: Currency,
    slots: &[Slot],
    now: DateTime<Utc>,
) -> Result<()> {
    let mut committed = slots.iter().fold(0u64, |sum, slot| sum.saturating_add(slot.committed));
    for grant in tx.list_credit_grants(organization, currency).await? {
        let left = grant.left_minor.unsigned_abs();
        let lost = left.saturating_sub(committed);
        committed = committed.saturating_sub(left);
        if lost > 0 && grant.expires_at.is_some_and(|at| at <= now) {
            let from = vec![(grant.id, lost)];
            take(tx, organization, Amount { minor: lost, currency }, from, "expiry", None, "").await?;
        }
    }
    Ok(())
}

async fn free_of(
    tx: &mut Tx,
    organization: OrganizationId,
    currency: Currency,
    slots: &[Slot],
) -> Result<u64> {
    let balance = tx.lock_credits(organization, currency).await?;
    let committed = slots.iter().fold(0u64, |sum, slot| sum.saturating_add(slot.committed));
    Ok(balance.saturating_sub(committed))
}

/// Holds for each what it is committed to and its share of what is free, and allows it the calls that this pays for.
async fn share_out(
    tx: &mut Tx,
    organization: OrganizationId,
    currency: Currency,
    slots: &mut [Slot],
) -> Result<u64> {
    let mut left = tx.lock_credits(organization, currency).await?;
    let free = free_of(tx, organization, currency, slots).await?;
    if slots.iter().fold(0u64, |sum, slot| sum.saturating_add(slot.committed)) > left {
        // More is due than there is (a base fee, say): whoever comes first is held for, and nobody for more than is there.
        for slot in slots.iter() {
            let none = Amount { minor: 0, currency };
            tx.hold_credits(slot.subscription, slot.month, organization, none).await?;
        }
    }
    let sharers = u64::try_from(slots.iter().filter(|slot| slot.goes_on).count()).unwrap_or(u64::MAX);
    for slot in slots {
        let own = if slot.goes_on { free.checked_div(sharers).unwrap_or(0) } else { 0 };
        let minor = slot.committed.saturating_add(own).min(left);
        left -= minor;
        tx.hold_credits(slot.subscription, slot.month, organization, Amount { minor, currency }).await?;
        let more = if slot.goes_on { slot.allows(minor) } else { 0 };
        let amount = slot.budget.spent.saturating_add(more);
        tx.set_money_budget(slot.subscription, Funds::Credits, window(slot.month), amount, slot.budget.spent)
            .await?;
    }
    Ok(free)
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
