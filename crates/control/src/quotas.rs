//! How the limits of a subscription stand, and amounts of its own.

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::{
    CalendarMonth, Enforcement, Limit, LimitKind, Scope, SubscriptionId, SubscriptionState, Window,
};
use tollgate_store::{LimitOverrideRow, SubscriptionRow};

use crate::change::Subject;
use crate::jobs::Job;
use crate::{Action, Actor, Control, Error, FieldFault, Result, events};

/// One limit that holds for a subscription.
#[derive(Debug, Clone)]
pub struct LimitStanding {
    /// The limit, with the amount that holds.
    pub limit: Limit,
    /// The subscription's own amount, where it has one; the plan's is in `of_plan`.
    pub own: Option<LimitOverrideRow>,
    /// The plan's amount.
    pub of_plan: u64,
    /// Of quotas: how the present period stands.
    pub period: Option<Standing>,
}

/// How a quota stands in the present period. What is left is always derived, from what was counted.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// From when to when.
    pub window: Window,
    /// Units left over from the period before.
    pub carried: u64,
    /// Units used, as counted so far.
    pub used: u64,
}

impl LimitStanding {
    /// Units that the period has in all.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.limit.amount + self.period.map_or(0, |period| period.carried)
    }

    /// Units left; none of a soft quota that is overdrawn.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        self.period.map(|period| self.amount().saturating_sub(period.used))
    }
}

/// An amount in place of the plan's.
#[derive(Debug, Clone)]
pub struct OverrideInput {
    /// In place of the plan's amount.
    pub amount: u64,
    /// Why, up to 500 characters.
    pub reason: String,
    /// From then on the plan's amount holds again.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Control {
    /// The limits of a subscription as they hold now; none where it is not active.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn limits_of(&self, actor: &Actor, id: SubscriptionId) -> Result<Vec<LimitStanding>> {
        let row = self.store.get_subscription(actor.tenants(false)?, id).await?;
        self.standing_of(&row).await
    }

    pub(crate) async fn standing_of(&self, row: &SubscriptionRow) -> Result<Vec<LimitStanding>> {
        let subject = self.store.list_budget_subjects(&[row.id.uuid()]).await?.into_iter().next();
        let Some(subject) = subject else { return Ok(Vec::new()) };
        let own = self.store.list_limit_overrides(row.id).await?;
        let plan = self.store.get_plan(row.plan_id).await?;
        let mut standing = Vec::new();
        for limit in subject.limits() {
            let window = match limit.kind {
                LimitKind::Quota => subject.window(&limit, subject.now),
                LimitKind::Rate => None,
            };
            let period = match window {
                Some(window) => Some(Standing {
                    window,
                    carried: self.store.units_carried(row.id, &limit.name, window).await?,
                    used: match limit.budget.enforcement {
                        // What gateways compare it with.
                        Enforcement::Shared => {
                            self.store.quota_used(row.id, CalendarMonth::of(subject.now)).await?
                        }
                        _ => self.store.units_used(row.id, window).await?,
                    },
                }),
                None => None,
            };
            let of_plan = plan.limits.iter().find(|one| one.name == limit.name);
            standing.push(LimitStanding {
                own: own.iter().find(|one| one.name == limit.name).cloned(),
                of_plan: of_plan.map_or(limit.amount, |one| one.amount),
                limit,
                period,
            });
        }
        Ok(standing)
    }

    /// Gives a subscription an amount of its own for one limit of its plan, at once and perhaps for a while.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Conflict` where the subscription has ended, or the actor may not.
    pub async fn put_limit_override(
        &self,
        actor: &Actor,
        id: SubscriptionId,
        name: &str,
        input: OverrideInput,
    ) -> Result<Vec<LimitStanding>> {
        let scope = actor.authorize(Action::ManageSubscriptions)?;
        let row = self.store.get_subscription(scope, id).await?;
        let plan = self.store.get_plan(row.plan_id).await?;
        let mut faults = Vec::new();
        if !(1..=Limit::AMOUNT_MAX).contains(&input.amount) {
            faults.push(FieldFault::new("/amount", format!("between 1 and {}", Limit::AMOUNT_MAX)));
        }
        if input.reason.chars().count() > 500 {
            faults.push(FieldFault::new("/reason", "at most 500 characters"));
        }
        if input.expires_at.is_some_and(|at| at <= Utc::now()) {
            faults.push(FieldFault::new("/expires_at", "a time that is still to come"));
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        if !plan.limits.iter().any(|limit| limit.name == name) {
            return Err(Error::NotFound("limit"));
        }
        if row.state == SubscriptionState::Ended {
            return Err(Error::Conflict("the subscription has ended".to_owned()));
        }
        let own = LimitOverrideRow {
            subscription_id: row.id,
            name: name.to_owned(),
            application_id: row.application_id,
            organization_id: row.organization_id,
            amount: input.amount.cast_signed(),
            reason: input.reason,
            expires_at: input.expires_at,
            created_at: Utc::now(),
        };
        let mut change = self.change(actor).await?;
        change.tx.put_limit_override(&own).await?;
        let details = json!({
            "limit": name, "amount": own.amount, "reason": own.reason, "expires_at": own.expires_at,
        });
        change.compile_and_commit("subscription.override", subject(&own), details).await?;
        self.standing_of(&row).await
    }

    /// Lets the plan's amount hold again.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn delete_limit_override(&self, actor: &Actor, id: SubscriptionId, name: &str) -> Result<()> {
        let scope = actor.authorize(Action::ManageSubscriptions)?;
        let row = self.store.get_subscription(scope, id).await?;
        let mut own = self.store.list_limit_overrides(row.id).await?;
        let at = own.iter().position(|one| one.name == name).ok_or(Error::NotFound("override"))?;
        self.end_override(actor, own.swap_remove(at), "removed").await
    }

    /// Ends amounts whose time is over.
    ///
    /// # Errors
    /// The database is away.
    pub async fn expire_overrides(&self) -> Result<()> {
        let system = Actor::system();
        for own in self.store.list_expired_overrides().await? {
            match self.end_override(&system, own, "expired").await {
                // Another process was first.
                Ok(()) | Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Tells of exact and soft quotas what was used of them, once per threshold and period.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn look_after_budgets(&self) -> Result<()> {
        for id in self.store.list_budget_users().await? {
            let row = self.store.get_subscription(Scope::Operator, id).await?;
            for standing in self.standing_of(&row).await? {
                let Some(period) = standing.period else { continue };
                let budget = &standing.limit.budget;
                let percent = period.used.saturating_mul(100) / standing.amount().max(1);
                let reached = budget.alerts.iter().rev().find(|alert| u64::from(**alert) <= percent);
                let (false, Some(reached)) = (budget.enforcement == Enforcement::Shared, reached) else {
                    continue;
                };
                self.tell_of_quota(&row, &standing, period, *reached).await?;
            }
        }
        Ok(())
    }

    async fn tell_of_quota(
        &self,
        row: &SubscriptionRow,
        standing: &LimitStanding,
        period: Standing,
        percent: u8,
    ) -> Result<()> {
        let day = period.window.starts.date_naive();
        let about = format!("{}:{}:{day}:{percent}", row.id, standing.limit.name);
        for user_id in self.store.list_alerted(row.organization_id).await? {
            let job = Job::QuotaUsed {
                subscription_id: row.id,
                user_id,
                percent: percent.into(),
                opens: Some(period.window.ends),
                soft: standing.limit.budget.enforcement == Enforcement::Soft,
                quota: Some(standing.limit.name.clone()),
            };
            self.queue(&job, Some(&format!("quota_used:{about}:{user_id}")), None).await?;
        }
        let name = &standing.limit.name;
        let event = events::of_quota(&self.store, row.id, name, percent.into(), &day.to_string()).await?;
        self.emit_once(&event, &format!("quota.threshold_reached:{about}")).await
    }

    async fn end_override(&self, actor: &Actor, own: LimitOverrideRow, why: &str) -> Result<()> {
        let mut change = self.change(actor).await?;
        change.tx.delete_limit_override(own.subscription_id, &own.name).await?;
        let details = json!({ "limit": own.name, "amount": own.amount, "reason": why });
        change.compile_and_commit("subscription.override_end", subject(&own), details).await
    }
}

const fn subject(own: &LimitOverrideRow) -> Subject {
    Subject { kind: "subscription", id: own.subscription_id.uuid(), organization: Some(own.organization_id) }
}
