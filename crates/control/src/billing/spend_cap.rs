//! Spend caps: the most that the use of a subscription may cost in a month, set by whoever pays for it.
//!
//! What the cap still allows is worked out here every few seconds, as a number of calls, and kept in the budget that gateways
//! are lent from. So a call knows no price, and the cap holds as exactly as a quota does.

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::{
    Amount, CalendarMonth, CapLanding, Currency, Funds, OrganizationId, Scope, SubscriptionId,
    SubscriptionState, Window,
};
use tollgate_rating::{LineKind, Span, Tariff, Usage};
use tollgate_store::{MoneyBudget, NewSpendCap, SpendCapRow, SubscriptionRow, Tx};

use super::allowance::Position;
use super::statement::{Charge, span, usage};
use crate::change::Subject;
use crate::jobs::Job;
use crate::{Action, Actor, Control, Error, Result, Who, events};

/// Caps that are looked at in one go.
const AT_ONCE: i64 = 2_000;
/// The most that a cap can be, in minor units.
const MINOR_MAX: u64 = 100_000_000_000;
/// At which percentages somebody is told.
const TOLD: [u8; 3] = [50, 80, 100];

/// A cap as it is set. The currency is that of the subscription's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendCapInput {
    /// The most, in minor units.
    pub amount_minor: u64,
    /// What becomes of calls when it is reached.
    pub landing: CapLanding,
}

/// How the use of a subscription stands against its cap, or what a cap would mean.
#[derive(Debug, Clone)]
pub struct SpendStanding {
    /// What the use of this month costs so far, as far as it is counted.
    pub spent: Amount,
    /// The cap.
    pub cap: Amount,
    /// What becomes of calls when it is reached.
    pub landing: CapLanding,
    /// Calls of one unit each that it still allows this month; none where nothing that is priced is known before a call.
    pub calls_left: Option<u64>,
    /// When it counts anew.
    pub ends: DateTime<Utc>,
    /// The free plan that calls are then held to; none where they are refused.
    pub free_plan: Option<String>,
    /// Whether the plan has prices of which a call's share is known only when it is over.
    pub is_estimated: bool,
}

impl SpendStanding {
    /// Whether it allows no further call, as far as is counted.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.percent() >= 100 || self.calls_left == Some(0)
    }

    /// How much of the cap is spent, in percent; a cap of nothing is always spent.
    #[must_use]
    pub fn percent(&self) -> u64 {
        match self.cap.minor {
            0 => 100,
            cap => self.spent.minor.saturating_mul(100) / cap,
        }
    }
}

/// The use of a subscription in a month.
struct Use {
    charges: Vec<Charge>,
    /// The place of the terms that are in force.
    current: Option<usize>,
}

/// The window of a calendar month.
pub(super) fn window(month: CalendarMonth) -> Window {
    Window { starts: month.start(), ends: month.end() }
}

impl Use {
    fn of(charges: Vec<Charge>, row: &SubscriptionRow) -> Self {
        let mine: Vec<Charge> = charges.into_iter().filter(|one| one.row.subscription_id == row.id).collect();
        let current = mine.iter().rposition(|one| one.row.plan_id == row.plan_id);
        Self { charges: mine, current }
    }

    fn of_use(charge: &Charge) -> u64 {
        let lines = charge.bill.lines.iter().filter(|line| matches!(line.kind, LineKind::Usage(_)));
        lines.fold(0u64, |sum, line| sum.saturating_add(line.minor))
    }

    /// What it costs so far, on all terms in this currency.
    fn spent(&self, cap: Amount) -> u64 {
        cost_of_use(&self.charges, cap.currency)
    }

    /// Calls that a cap allows beyond what was counted, where all of the month will be on other terms: those of a plan that
    /// is to be changed to since it began.
    fn allows_on(&self, tariff: &Tariff, cap: Amount, month: CalendarMonth, spent: u64) -> u64 {
        let limit = if tariff.currency == cap.currency { cap.minor } else { 0 };
        let counted = self.charges.iter().map(|one| usage(&one.row.used));
        let usage = counted.fold(Usage::default(), Usage::plus);
        let span = Span::of(month.seconds(), month.seconds());
        Position { tariff, span, usage, spent, besides_minor: 0, whole_bill: false }.allows(limit)
    }

    /// Calls that a cap allows beyond what was counted.
    fn allows(&self, cap: Amount, month: CalendarMonth, spent: u64) -> u64 {
        let Some(current) = self.current.map(|at| &self.charges[at]) else { return 0 };
        // A cap says nothing about another currency: what costs anything there waits for a new one.
        let (limit, besides_minor) = match current.tariff.currency == cap.currency {
            true => (cap.minor, self.spent(cap).saturating_sub(Self::of_use(current))),
            false => (0, 0),
        };
        let position = Position {
            tariff: &current.tariff,
            span: span(&current.row, month),
            usage: usage(&current.row.used),
            spent,
            besides_minor,
            whole_bill: false,
        };
        position.allows(limit)
    }
}

/// What use costs, without base fees, in one currency.
pub(super) fn cost_of_use(charges: &[Charge], currency: Currency) -> u64 {
    let of_currency = charges.iter().filter(|one| one.tariff.currency == currency);
    of_currency.map(Use::of_use).fold(0, u64::saturating_add)
}

/// Calls that a cap allows a month that has just begun.
fn fresh(tariff: &Tariff, cap: Amount) -> u64 {
    let limit = if tariff.currency == cap.currency { cap.minor } else { 0 };
    let usage = Usage::default();
    Position { tariff, span: Span::of(1, 1), usage, spent: 0, besides_minor: 0, whole_bill: false }
        .allows(limit)
}

impl Control {
    /// How a subscription stands against its cap; none where it has none.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn spend_cap(
        &self,
        actor: &Actor,
        id: SubscriptionId,
        now: DateTime<Utc>,
    ) -> Result<Option<SpendStanding>> {
        let row = self.movable_subscription(actor, id).await?;
        let Some(cap) = self.store.find_spend_cap(id).await? else { return Ok(None) };
        self.stand(&row, cap.amount(), cap.landing, now).await.map(Some)
    }

    /// What a cap would mean now, before it is set.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, or the actor may not.
    pub async fn preview_spend_cap(
        &self,
        actor: &Actor,
        id: SubscriptionId,
        input: SpendCapInput,
        now: DateTime<Utc>,
    ) -> Result<SpendStanding> {
        let row = self.movable_subscription(actor, id).await?;
        let cap = self.checked_cap(&row, input).await?;
        self.stand(&row, cap, input.landing, now).await
    }

    /// Sets the most that the use of a subscription may cost in a month. It holds at gateways within seconds.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`; `Conflict` where the subscription has ended; or the actor may not.
    pub async fn set_spend_cap(
        &self,
        actor: &Actor,
        id: SubscriptionId,
        input: SpendCapInput,
        now: DateTime<Utc>,
    ) -> Result<SpendStanding> {
        let scope = cap_scope(actor)?;
        let row = self.store.get_subscription(scope, id).await?;
        if row.state == SubscriptionState::Ended {
            return Err(Error::Conflict("the subscription has ended".to_owned()));
        }
        let amount = self.checked_cap(&row, input).await?;
        let before = self.store.find_spend_cap(id).await?;
        let mut change = self.change(actor).await?;
        let cap = NewSpendCap {
            subscription_id: id,
            application_id: row.application_id,
            organization_id: row.organization_id,
            amount,
            landing: input.landing,
        };
        change.tx.put_spend_cap(&cap).await?;
        self.keep_allowance(&mut change.tx, &row, amount, now).await?;
        let said = |amount: Amount, landing: CapLanding| json!({ "amount": amount, "landing": landing });
        let details = json!({
            "before": before.map(|cap| said(cap.amount(), cap.landing)), "after": said(amount, input.landing),
        });
        change.commit("subscription.cap", subject(id, row.organization_id), details).await?;
        self.stand(&row, amount, input.landing, now).await
    }

    /// Lets the use of a subscription cost what it costs.
    ///
    /// # Errors
    /// `NotFound` where it has no cap, or the actor may not.
    pub async fn lift_spend_cap(&self, actor: &Actor, id: SubscriptionId) -> Result<()> {
        let row = self.store.get_subscription(cap_scope(actor)?, id).await?;
        let mut change = self.change(actor).await?;
        change.tx.delete_spend_cap(id).await?;
        change.commit("subscription.uncap", subject(id, row.organization_id), json!({})).await
    }

    /// Works out what caps still allow, and tells of those that are half, mostly or wholly spent.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look_after_spend_caps(&self, now: DateTime<Utc>) -> Result<()> {
        for cap in self.store.list_spend_caps_to_look_at(AT_ONCE).await? {
            match self.look_after_spend_cap(&cap, now).await {
                Ok(()) => {}
                // One that cannot be worked out is in nobody's way.
                Err(error) => {
                    tracing::warn!(%error, subscription = %cap.subscription_id, "a spend cap was not looked after");
                }
            }
        }
        Ok(())
    }

    async fn look_after_spend_cap(&self, cap: &SpendCapRow, now: DateTime<Utc>) -> Result<()> {
        let row = self.store.get_subscription(Scope::Operator, cap.subscription_id).await?;
        let mut tx = self.store.begin().await?;
        let (spent, left) = self.keep_allowance(&mut tx, &row, cap.amount(), now).await?;
        tx.commit().await?;
        let percent = match cap.amount().minor {
            0 => 100,
            amount => spent.saturating_mul(100) / amount,
        };
        // The next call may cost more than is left: then it is reached, too.
        let percent = if left == 0 { percent.max(100) } else { percent };
        let reached = TOLD.into_iter().rev().find(|told| u64::from(*told) <= percent);
        match reached {
            Some(reached) => self.tell_of_cap(cap, &row, spent, reached, now).await,
            None => Ok(()),
        }
    }

    async fn tell_of_cap(
        &self,
        cap: &SpendCapRow,
        row: &SubscriptionRow,
        spent: u64,
        percent: u8,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let month = CalendarMonth::of(now);
        // A cap that is raised tells again.
        let about = format!("{}:{month}:{}:{percent}", row.id, cap.amount().minor);
        for user_id in self.store.list_alerted(row.organization_id).await? {
            let job = Job::SpendReached { subscription_id: row.id, user_id, percent: percent.into() };
            self.queue(&job, Some(&format!("spend:{about}:{user_id}")), None).await?;
        }
        let event = events::of_cap(row, cap, spent, percent, month);
        self.emit_once(&event, &format!("spend_cap.threshold_reached:{about}")).await
    }

    async fn checked_cap(&self, row: &SubscriptionRow, input: SpendCapInput) -> Result<Amount> {
        if input.amount_minor > MINOR_MAX {
            return Err(Error::invalid("/amount_minor", format!("at most {MINOR_MAX}")));
        }
        // The plan may have several: what the customer is billed in.
        let month = CalendarMonth::of(Utc::now());
        let rows = self.store.list_billable(Scope::Organization(row.organization_id), month).await?;
        let billed =
            rows.iter().rev().find(|one| one.subscription_id == row.id && one.plan_id == row.plan_id);
        let currency = match billed {
            Some(billed) => billed.currency,
            None => self.store.get_plan(row.plan_id).await?.price().currency,
        };
        Ok(Amount { minor: input.amount_minor, currency })
    }

    async fn stand(
        &self,
        row: &SubscriptionRow,
        cap: Amount,
        landing: CapLanding,
        now: DateTime<Utc>,
    ) -> Result<SpendStanding> {
        let month = CalendarMonth::of(now);
        let rows = self.store.list_billable(Scope::Organization(row.organization_id), month).await?;
        let charges = rows.into_iter().map(|one| Charge::of(one, month)).collect::<Result<Vec<_>>>()?;
        let mine = Use::of(charges, row);
        let counted = self.store.weight_used(row.id, window(month)).await?;
        let tariff = match mine.current {
            Some(at) => mine.charges[at].tariff.clone(),
            None => self.plan_tariff(row.plan_id).await?.tariff,
        };
        let known = |meter| matches!(meter, tollgate_domain::Meter::Calls | tollgate_domain::Meter::Units);
        let is_estimated = tariff.meters.iter().any(|price| !known(price.meter));
        let left = mine.allows(cap, month, counted);
        Ok(SpendStanding {
            spent: Amount { minor: mine.spent(cap), currency: cap.currency },
            cap,
            landing,
            calls_left: (!is_estimated).then_some(left),
            ends: month.end(),
            free_plan: self.store.find_free_plan(row.product_id).await?,
            is_estimated,
        })
    }

    /// Works out what a cap still allows, under the lock of its budget, and keeps it. What use costs so far, and how many
    /// calls more may be lent. Where another plan begins with the next month, or should have begun with this one, what is
    /// lent is no more than either allows.
    async fn keep_allowance(
        &self,
        tx: &mut Tx,
        row: &SubscriptionRow,
        cap: Amount,
        now: DateTime<Utc>,
    ) -> Result<(u64, u64)> {
        let month = CalendarMonth::of(now);
        let MoneyBudget { spent, .. } = tx.lock_money_budget(row.id, Funds::SpendCap, window(month)).await?;
        let rows = tx.list_billable(row.organization_id, month).await?;
        let charges = rows.into_iter().map(|one| Charge::of(one, month)).collect::<Result<Vec<_>>>()?;
        let mine = Use::of(charges, row);
        let planned = self.planned_tariff(tx, row).await?;
        let mut more = mine.allows(cap, month, spent);
        let mut fresh = mine.current.map_or(0, |at| fresh(&mine.charges[at].tariff, cap));
        if let Some((due_at, tariff)) = &planned {
            fresh = fresh.min(self::fresh(tariff, cap));
            if *due_at <= now {
                more = more.min(mine.allows_on(tariff, cap, month, spent));
            }
        }
        tx.set_money_budget(row.id, Funds::SpendCap, window(month), spent.saturating_add(more), spent)
            .await?;
        tx.note_spend_cap(row.id, fresh).await?;
        Ok((mine.spent(cap), more))
    }

    /// The terms that a subscription is to move to, and when.
    pub(super) async fn planned_tariff(
        &self,
        tx: &Tx,
        row: &SubscriptionRow,
    ) -> Result<Option<(DateTime<Utc>, Tariff)>> {
        let planned = tx.reads().find_planned_change(Scope::Operator, row.id).await?;
        let Some((due_at, plan)) = planned.and_then(|planned| Some((planned.due_at, planned.plan_id()?)))
        else {
            return Ok(None);
        };
        Ok(Some((due_at, self.tariff_of_move(row, plan).await?)))
    }

    /// The cap of a subscription that is about to move, and what its use of this month costs.
    pub(crate) async fn cap_before_move(
        &self,
        tx: &mut Tx,
        row: &SubscriptionRow,
    ) -> Result<Option<(SpendCapRow, u64)>> {
        let Some(cap) = tx.reads().find_spend_cap(row.id).await? else { return Ok(None) };
        let month = CalendarMonth::of(Utc::now());
        let rows = tx.list_billable(row.organization_id, month).await?;
        let charges = rows.into_iter().map(|one| Charge::of(one, month)).collect::<Result<Vec<_>>>()?;
        let spent = Use::of(charges, row).spent(cap.amount());
        Ok(Some((cap, spent)))
    }

    /// After it moved in this transaction: what its cap still allows on the new terms. Of what a plan includes a part of a
    /// month has its part, so a move in the middle of one can make calls cost something that were free when they were made:
    /// `refuses` says whether a move past the cap is refused.
    pub(crate) async fn keep_cap_of_moved(
        &self,
        tx: &mut Tx,
        id: SubscriptionId,
        before: Option<(SpendCapRow, u64)>,
        refuses: bool,
    ) -> Result<()> {
        let Some((cap, before)) = before else { return Ok(()) };
        let row = tx.reads().get_subscription(Scope::Operator, id).await?;
        let (after, _) = self.keep_allowance(tx, &row, cap.amount(), Utc::now()).await?;
        match over_cap(&cap, before, after) {
            Some(over) if refuses => Err(Error::Conflict(over)),
            _ => Ok(()),
        }
    }
}

/// Why a move breaks what a cap promises; none where it does not.
pub(super) fn over_cap(cap: &SpendCapRow, before: u64, after: u64) -> Option<String> {
    let amount = cap.amount();
    let breaks = cap.landing != CapLanding::Notify && after > amount.minor.max(before);
    breaks.then(|| {
        format!(
            "the calls of this month would cost {} by this move, because a part of a month includes only its part of the \
             units; the spend cap is {amount}. Move when the month is over, or raise the cap first",
            Amount { minor: after, ..amount }
        )
    })
}

const fn subject(id: SubscriptionId, organization: OrganizationId) -> Subject {
    Subject { kind: "subscription", id: id.uuid(), organization: Some(organization) }
}

fn cap_scope(actor: &Actor) -> Result<Scope> {
    match actor.who {
        Who::Member { .. } => actor.tenants(true),
        _ => actor.authorize(Action::ManageSubscriptions),
    }
}
