//! What is free of an account, shared out among the subscriptions whose calls are paid from it.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tollgate_domain::{Amount, CalendarMonth, Currency, Funds, OrganizationId, Scope, SubscriptionId};
use tollgate_rating::{Span, Tariff, Usage};
use tollgate_store::{BilledRow, MoneyBudget, Tx};
use uuid::Uuid;

use super::super::allowance::Position;
use super::super::spend_cap::window;
use super::super::statement::{Charge, span, usage};
use super::take;
use crate::jobs::Job;
use crate::{Control, Result, events};

/// So long before a month turns, the next one is lent from too.
const TURN: TimeDelta = TimeDelta::minutes(2);
/// Percentages of what was granted that are left when somebody is told.
const TOLD: [u64; 2] = [20, 0];

/// A subscription in a month, as its credits depend on it.
pub(super) struct Slot {
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
pub(super) struct Settled {
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
}

/// Looks at an account that is locked: expiry, holds, and the calls that gateways may be lent.
pub(super) async fn settle(
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
pub(super) async fn slots(
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
    // Months that are over and have no invoice yet, and those of which counts came since.
    let late: Vec<CalendarMonth> =
        tx.list_late_months(&[organization], this).await?.into_iter().map(|(_, month)| month).collect();
    let mut open: Vec<CalendarMonth> =
        held.iter().map(|(_, month, _)| *month).filter(|month| *month < this).collect();
    open.extend(&late);
    open.sort_unstable();
    open.dedup();
    months.extend(open);
    // Looked at before the use is: calls that are counted in between are then committed twice, and not set free.
    let mut budgets: HashMap<(SubscriptionId, CalendarMonth), MoneyBudget> = HashMap::new();
    for row in &prepaid {
        for month in &months {
            let id = row.subscription_id;
            let budget = tx.lock_money_budget(id, Funds::Credits, window(*month)).await?;
            budgets.insert((id, *month), budget);
        }
    }
    let mut charges: HashMap<CalendarMonth, Vec<Charge>> = HashMap::new();
    let mut billed: HashMap<CalendarMonth, Vec<BilledRow>> = HashMap::new();
    for month in &months {
        let rows = tx.list_billable(organization, *month).await?;
        let rated = rows.into_iter().map(|row| Charge::of(row, *month)).collect::<Result<Vec<_>>>()?;
        charges.insert(*month, rated);
        if *month < this {
            billed.insert(*month, tx.list_billed(&[organization], *month).await?);
        }
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
            let Some(budget) = budgets.get(&(row.subscription_id, *month)).copied() else { continue };
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
            let billed = billed.get(month).map_or(0, |rows| billed_of(&mine, rows));
            // What a gateway did not spend of a month that is billed, it does not hand back.
            let more = if billed > 0 || late.contains(month) { 0 } else { budget.outstanding };
            slot.committed = slot.cost(more).saturating_sub(billed);
            slots.push(slot);
        }
    }
    Ok(slots)
}

/// What invoices say already of what a subscription came to in a month.
fn billed_of(charges: &[&Charge], rows: &[BilledRow]) -> u64 {
    let is_of = |row: &BilledRow, one: &Charge| {
        (row.subscription_id, row.plan_id, row.tariff)
            == (one.row.subscription_id, one.row.plan_id, one.row.tariff)
    };
    let theirs = rows.iter().filter(|row| charges.iter().any(|one| is_of(row, one)));
    theirs.fold(0u64, |sum, row| sum.saturating_add(row.amount_minor.unsigned_abs()))
}

/// Lets go of what is held beyond what is committed, so that it can be shared out anew.
pub(super) async fn lower_holds(
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

pub(super) async fn free_of(
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
pub(super) async fn share_out(
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
