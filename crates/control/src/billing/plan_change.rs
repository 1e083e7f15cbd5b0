//! Moving a subscription to another plan, or ending it: now, or when the month is over; told to the cent before.

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::{Amount, CalendarMonth, LimitKind, PlanId, Scope, SubscriptionId, SubscriptionState};
use tollgate_rating::Tariff;
use tollgate_store::{PlanRow, PlannedChangeRow, Store, SubscriptionRow};

use super::pricing::{read_prices, read_terms};
use super::statement::{Charge, by_currency};
use crate::change::{Subject, check_version};
use crate::subscriptions::SubscriptionPatch;
use crate::{Action, Actor, Control, Error, Result, Who};

/// Changes made in one go.
const AT_ONCE: i64 = 200;

/// What shall become of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// It goes on on another plan of its product.
    To(PlanId),
    /// It is over.
    End,
}

/// When it shall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// When the calendar month (UTC) is over.
    PeriodEnd,
}

/// What a move would come to. Amounts are of the subscription alone, in the currency of the plan that they are for.
#[derive(Debug, Clone)]
pub struct MovePreview {
    /// When it happens.
    pub when: When,
    /// The instant.
    pub at: DateTime<Utc>,
    /// What this month comes to without it, by the calls so far: one amount per currency.
    pub this_month_before: Vec<Amount>,
    /// What this month comes to with it, if no further call is made.
    pub this_month_after: Vec<Amount>,
    /// The base fee of a whole month before and, unless it ends, after.
    pub base_before: Amount,
    /// After.
    pub base_after: Option<Amount>,
    /// The one-time fee of a plan that it was never on, due when a trial of it is over.
    pub setup: Option<Amount>,
    /// Until when the new plan is tried; none without a trial, or where that is over.
    pub trial_ends: Option<DateTime<Utc>>,
    /// Calls of this month that count on: moving never sets them back.
    pub used: u64,
    /// How many calls a month the new plan includes in its quota; none without a quota or where it ends.
    pub quota_after: Option<u64>,
    /// Why the move would break the spend cap: then its owner cannot make it.
    pub over_cap: Option<String>,
}

impl MovePreview {
    /// Whether further calls are refused from then on, because more was used than the new quota has.
    #[must_use]
    pub fn exhausts(&self) -> bool {
        self.when == When::Now && self.quota_after.is_some_and(|quota| self.used >= quota)
    }
}

impl Control {
    /// When a move would happen by itself: to what costs more at once, to what costs less, and ends, when the month that
    /// is paid for is over.
    ///
    /// # Errors
    /// `NotFound`, or the database is away.
    pub async fn usual_time(&self, row: &SubscriptionRow, to: Move) -> Result<When> {
        let Move::To(plan) = to else { return Ok(When::PeriodEnd) };
        let (old, _) = self.subscription_tariff(row.id, row.plan_id).await?;
        self.store.get_plan(plan).await?;
        let new = self.tariff_of_move(row, plan).await?;
        let less = old.currency == new.currency && new.base_minor < old.base_minor;
        Ok(if less { When::PeriodEnd } else { When::Now })
    }

    /// What a move would come to, before anything is done.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` where the plan is of another product, or the actor may not.
    pub async fn preview_move(
        &self,
        actor: &Actor,
        id: SubscriptionId,
        to: Move,
        when: When,
        now: DateTime<Utc>,
    ) -> Result<MovePreview> {
        let row = self.movable_subscription(actor, id).await?;
        let month = CalendarMonth::of(now);
        let at = if when == When::Now { now } else { month.end() };
        let new = match to {
            Move::To(plan) => Some(self.movable_plan(actor, &row, plan).await?),
            Move::End => None,
        };
        let of = Scope::Organization(row.organization_id);
        let before = charges(&self.store, of, id, month).await?;
        let base_of = |tariff: &Tariff| Amount { minor: tariff.base_minor, currency: tariff.currency };
        let (held, _) = self.subscription_tariff(id, row.plan_id).await?;
        let mut after = totals(&before);
        let mut then = None;
        let mut over = None;
        let plan_id = new.as_ref().map(|plan| plan.id);
        if row.state == SubscriptionState::Active {
            // The move itself, rated by what bills are rated by, and undone: nothing else is right to the cent.
            let mut tx = self.store.begin().await?;
            let state = plan_id.map_or(SubscriptionState::Ended, |_| row.state);
            tx.update_subscription(id, plan_id.unwrap_or(row.plan_id), state).await?;
            tx.date_terms(id, now).await?;
            let reads = tx.reads();
            let moved = charges(&reads, of, id, month).await?;
            if let Some(plan_id) = plan_id {
                let terms = reads.find_subscription_terms(id).await?.filter(|terms| terms.plan_id == plan_id);
                then = terms.map(|terms| {
                    Ok::<_, Error>((read_prices(terms.terms, terms.currency)?, terms.trial_ends))
                });
            }
            if when == When::Now {
                after = totals(&moved);
                if let (Some(cap), Some(_)) = (self.store.find_spend_cap(id).await?, plan_id) {
                    let use_of =
                        |charges: &[Charge]| super::spend_cap::cost_of_use(charges, cap.amount().currency);
                    over = super::spend_cap::over_cap(&cap, use_of(&before), use_of(&moved));
                }
            }
        }
        let then = match (then.transpose()?, plan_id) {
            (Some(then), _) => Some(then),
            (None, Some(plan)) => Some((self.tariff_of_move(&row, plan).await?, None)),
            (None, None) => None,
        };
        let setup =
            then.as_ref().map(|(tariff, _)| Amount { minor: tariff.setup_minor, currency: tariff.currency });
        let is_first = match plan_id {
            Some(plan) => self.store.find_tariff_had(id, plan).await?.is_none(),
            None => false,
        };
        let quota = |plan: &PlanRow| {
            plan.limits.iter().find(|limit| limit.kind == LimitKind::Quota).map(|limit| limit.amount)
        };
        Ok(MovePreview {
            when,
            at,
            this_month_before: totals(&before),
            this_month_after: after,
            base_before: base_of(&held),
            base_after: then.as_ref().map(|(tariff, _)| base_of(tariff)),
            setup: setup.filter(|setup| is_first && setup.minor > 0),
            trial_ends: then.and_then(|(_, trial_ends)| trial_ends).filter(|_| when == When::Now),
            used: self.store.quota_used(id, month).await?,
            quota_after: new.as_ref().and_then(quota),
            over_cap: over,
        })
    }

    /// Moves a subscription now, or plans to when the month is over. What was used this month counts on either way.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, `Invalid`; `Conflict` where there is nothing to move; or the actor may not.
    pub async fn move_subscription(
        &self,
        actor: &Actor,
        id: SubscriptionId,
        expected: Option<i64>,
        to: Move,
        when: When,
    ) -> Result<SubscriptionRow> {
        if when == When::Now {
            let patch = match to {
                Move::To(plan) => SubscriptionPatch { plan_id: Some(plan), state: None },
                Move::End => SubscriptionPatch { plan_id: None, state: Some(SubscriptionState::Ended) },
            };
            return self.update_subscription(actor, id, expected, patch).await;
        }
        let scope = self.subscription_scope(actor)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_subscription(scope, id).await?;
        check_version(expected, row.version)?;
        if matches!(row.state, SubscriptionState::Ended | SubscriptionState::Requested) {
            return Err(Error::Conflict(
                "this subscription is not in force; nothing can be planned for it".into(),
            ));
        }
        let plan = match to {
            Move::To(plan) if plan == row.plan_id => {
                return Err(Error::invalid("/plan_id", "the subscription is on this plan already"));
            }
            Move::To(plan) => {
                let plan = self.movable_plan(actor, &row, plan).await?;
                self.check_payer(actor, row.organization_id, &plan).await?;
                Some(plan.id)
            }
            Move::End => None,
        };
        let due_at = CalendarMonth::of(Utc::now()).end();
        change.tx.put_planned_change(row.organization_id, id, plan, due_at).await?;
        let cap = self.cap_before_move(&mut change.tx, &row).await?;
        self.keep_cap_of_moved(&mut change.tx, id, cap, false).await?;
        let details = json!({ "plan_id": plan, "ends": plan.is_none(), "due_at": due_at });
        change.commit("subscription.plan", subject(&row), details).await?;
        Ok(self.store.get_subscription(scope, id).await?)
    }

    /// Takes back what was planned for a subscription. Taking back nothing is no error.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn keep_subscription(&self, actor: &Actor, id: SubscriptionId) -> Result<SubscriptionRow> {
        let scope = self.subscription_scope(actor)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_subscription(scope, id).await?;
        if change.tx.delete_planned_change(id).await? {
            change.commit("subscription.keep", subject(&row), json!({})).await?;
        }
        Ok(row)
    }

    /// Pauses a subscription, or goes on with one that its owner paused. While it is paused its calls are refused, and
    /// nothing is due for it.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`; `Conflict` where it is not active, or was suspended by an operator; or the actor
    /// may not.
    pub async fn pause_subscription(
        &self,
        actor: &Actor,
        id: SubscriptionId,
        expected: Option<i64>,
        pause: bool,
    ) -> Result<SubscriptionRow> {
        let scope = self.subscription_scope(actor)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_subscription(scope, id).await?;
        check_version(expected, row.version)?;
        let (from, to) = match pause {
            true => (SubscriptionState::Active, SubscriptionState::Suspended),
            false => (SubscriptionState::Suspended, SubscriptionState::Active),
        };
        if row.state == to && row.paused == pause {
            return Ok(row);
        }
        let by_operator = !pause && !row.paused && matches!(actor.who, Who::Member { .. });
        if row.state != from || by_operator {
            return Err(Error::Conflict(match (pause, by_operator) {
                (_, true) => "an operator suspended this subscription; they can resume it".to_owned(),
                (true, _) => "only an active subscription can be paused".to_owned(),
                (false, _) => "this subscription is not paused".to_owned(),
            }));
        }
        change.tx.update_subscription(id, row.plan_id, to).await?;
        change.tx.set_paused(id, pause).await?;
        let details = crate::change::before_after(
            &json!({ "plan_id": row.plan_id, "state": row.state, "paused": row.paused }),
            &json!({ "plan_id": row.plan_id, "state": to, "paused": pause }),
        );
        change.commit("subscription.update", subject(&row), details).await?;
        Ok(self.store.get_subscription(scope, id).await?)
    }

    /// Makes the changes that were planned for a month that is over; returns how many.
    ///
    /// # Errors
    /// The database is away.
    pub async fn make_planned_changes(&self, now: DateTime<Utc>) -> Result<usize> {
        let system = Actor::system();
        let due = self.store.list_due_changes(now, AT_ONCE).await?;
        let mut made = 0;
        for planned in due {
            match self.make_planned_change(&system, &planned).await {
                Ok(()) => made += 1,
                // One that cannot be made is in nobody's way: it is looked at again.
                Err(error) => {
                    tracing::warn!(%error, subscription = %planned.subscription_id, "a planned change was not made")
                }
            }
        }
        Ok(made)
    }

    async fn make_planned_change(&self, system: &Actor, planned: &PlannedChangeRow) -> Result<()> {
        let mut change = self.change(system).await?;
        let row = change.tx.lock_subscription(Scope::Operator, planned.subscription_id).await?;
        // Another process made it meanwhile.
        if !change.tx.delete_planned_change(row.id).await? {
            return Ok(());
        }
        if row.state == SubscriptionState::Ended {
            change.tx.commit().await?;
            return Ok(());
        }
        let (plan, state) = match planned.plan_id() {
            Some(plan) => (plan, row.state),
            None => (row.plan_id, SubscriptionState::Ended),
        };
        let cap = self.cap_before_move(&mut change.tx, &row).await?;
        change.tx.update_subscription(row.id, plan, state).await?;
        change.tx.date_terms(row.id, planned.due_at).await?;
        self.keep_cap_of_moved(&mut change.tx, row.id, cap, false).await?;
        let details = crate::change::before_after(
            &json!({ "plan_id": row.plan_id, "state": row.state }),
            &json!({ "plan_id": plan, "state": state }),
        );
        change.commit("subscription.update", subject(&row), details).await
    }

    /// A subscription that the actor may see or move.
    ///
    /// # Errors
    /// `NotFound`, or the actor may neither.
    pub async fn movable_subscription(&self, actor: &Actor, id: SubscriptionId) -> Result<SubscriptionRow> {
        let scope = self.subscription_scope(actor).or_else(|_| actor.tenants(false))?;
        Ok(self.store.get_subscription(scope, id).await?)
    }

    fn subscription_scope(&self, actor: &Actor) -> Result<Scope> {
        match actor.who {
            Who::Member { .. } => actor.tenants(true),
            _ => actor.authorize(Action::ManageSubscriptions),
        }
    }

    async fn movable_plan(&self, actor: &Actor, row: &SubscriptionRow, plan: PlanId) -> Result<PlanRow> {
        let plan = self.choosable_plan(actor, plan).await?;
        if plan.product_id != row.product_id {
            return Err(Error::invalid("/plan_id", "a plan of the same product"));
        }
        if plan.approval && matches!(actor.who, Who::Member { .. }) {
            return Err(Error::invalid("/plan_id", "this plan needs an approval"));
        }
        self.check_currency(row.organization_id, plan.id).await?;
        Ok(plan)
    }

    /// Back on a plan it is back on the tariff it had there; else on the plan's latest, in the customer's currency where it
    /// has prices in that.
    pub(super) async fn tariff_of_move(&self, row: &SubscriptionRow, plan: PlanId) -> Result<Tariff> {
        let tariff = match self.store.find_tariff_had(row.id, plan).await? {
            Some(had) => read_terms(had.terms)?,
            None => self.plan_tariff(plan).await?.tariff,
        };
        let theirs = self.store.get_currency(Scope::Operator, row.organization_id).await?;
        Ok(theirs.and_then(|theirs| tariff.in_currency(theirs)).unwrap_or(tariff))
    }
}

fn subject(row: &SubscriptionRow) -> Subject {
    Subject { kind: "subscription", id: row.id.uuid(), organization: Some(row.organization_id) }
}

/// What a month of one subscription comes to, as a store sees it.
async fn charges(store: &Store, of: Scope, id: SubscriptionId, month: CalendarMonth) -> Result<Vec<Charge>> {
    let rows = store.list_billable(of, month).await?;
    rows.into_iter().filter(|row| row.subscription_id == id).map(|row| Charge::of(row, month)).collect()
}

fn totals(charges: &[Charge]) -> Vec<Amount> {
    by_currency(charges.iter().map(|one| (one.tariff.currency, one.bill.total_minor)))
}
