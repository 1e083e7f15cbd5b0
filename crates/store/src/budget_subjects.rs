//! Who may be lent what: subscriptions with the limits that hold for them, and the windows that these count in.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use tollgate_domain::{Anchor, Funds, Limit, OrganizationId, SubscriptionId, UserId, Window, Zone};
use uuid::Uuid;

use crate::{Result, Store};

/// A subscription as its budgets depend on it.
#[derive(Debug, Clone, FromRow)]
pub struct BudgetSubjectRow {
    /// Which.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// When it began: anniversaries are counted from then.
    pub created_at: DateTime<Utc>,
    /// The time zone of its organization.
    pub time_zone: String,
    /// The limits of its plan.
    pub limits: Value,
    /// Amounts of its own that are in force, by the name of the limit.
    pub overrides: Value,
    /// Budgets of money: see [`Funds`].
    pub kept: Value,
    /// What its spend cap allows a month that has just begun.
    pub month_weight: i64,
    /// The database's clock.
    pub now: DateTime<Utc>,
}

impl BudgetSubjectRow {
    /// The limits that hold for it: those of the plan, with its own amounts.
    #[must_use]
    pub fn limits(&self) -> Vec<Limit> {
        let mut limits: Vec<Limit> = serde_json::from_value(self.limits.clone()).unwrap_or_default();
        for limit in &mut limits {
            if let Some(amount) = self.overrides.get(&limit.name).and_then(Value::as_u64) {
                limit.amount = amount;
            }
        }
        limits
    }

    /// Every budget that it is lent from, with its place among the leases.
    pub(crate) fn leased(&self) -> Vec<(usize, Limit)> {
        let kept: Vec<Limit> = serde_json::from_value(self.kept.clone()).unwrap_or_default();
        let quotas = self.limits().into_iter().filter(Limit::is_leased).enumerate();
        quotas.chain(kept.into_iter().map(|limit| (limit.funds().cell(0), limit))).collect()
    }

    /// The window of one of its quotas at an instant; a shared one's, and money's, in UTC.
    #[must_use]
    pub fn window(&self, limit: &Limit, at: DateTime<Utc>) -> Option<Window> {
        Window::at(at, limit.period, self.zone(limit), self.anchor(limit))
    }

    pub(crate) fn before(&self, limit: &Limit, window: Window) -> Option<Window> {
        window.previous(limit.period, self.zone(limit), self.anchor(limit))
    }

    fn zone(&self, limit: &Limit) -> Zone {
        match (limit.budget.enforcement, limit.funds()) {
            (tollgate_domain::Enforcement::Shared, _) => Zone::UTC,
            (_, Funds::SpendCap | Funds::Credits | Funds::Throttled) => Zone::UTC,
            (_, Funds::Units) => self.time_zone.parse().unwrap_or_default(),
        }
    }

    fn anchor(&self, limit: &Limit) -> Option<DateTime<Utc>> {
        (limit.budget.anchor == Anchor::Subscription).then_some(self.created_at)
    }
}

impl Store {
    /// Subscriptions that are active, as their budgets depend on them.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_budget_subjects(&self, ids: &[Uuid]) -> Result<Vec<BudgetSubjectRow>> {
        Ok(sqlx::query_as(
            "select s.id as subscription_id, s.created_at, o.time_zone, p.limits, now() as now,
                coalesce((select jsonb_object_agg(v.name, v.amount) from limit_overrides v where v.subscription_id = s.id
                    and (v.expires_at is null or v.expires_at > now())), '{}') as overrides,
                coalesce((select jsonb_agg(k.limits) from (
                    select kept_limit('$credits') where p.prepaid
                    union all select kept_limit('$cap') where c.landing <> 'notify'
                    union all select l from free_plans f cross join jsonb_array_elements(throttled_limits(f.limits)) l
                        where c.landing = 'throttle' and f.product_id = s.product_id and l ->> 'name' = '$throttled'
                ) k (limits)), '[]') as kept, coalesce(c.month_weight, 0) as month_weight
             from subscriptions s join organizations o on o.id = s.organization_id join plans p on p.id = s.plan_id
             left join spend_caps c on c.subscription_id = s.id
             where s.id = any($1) and s.state = 'active'",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Subscriptions with exact or soft quotas that were used in the last 20 minutes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_budget_users(&self) -> Result<Vec<SubscriptionId>> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select s.id from (select distinct subscription_id from usage_counters
                where minute > now() - interval '20 minutes' and units > 0) u
             join subscriptions s on s.id = u.subscription_id and s.state = 'active'
             join plans p on p.id = s.plan_id
             where jsonb_path_exists(p.limits, '$[*] ? (@.kind == \"quota\" && (@.enforcement == \"exact\" || @.enforcement == \"soft\"))')
             order by s.id limit 10000",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(SubscriptionId::from).collect())
    }

    /// Who is told how an organization's quotas stand.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_alerted(&self, organization: OrganizationId) -> Result<Vec<UserId>> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select m.user_id from members m join users x on x.id = m.user_id
             where m.organization_id = $1 and m.role <> 'viewer' and x.disabled_at is null
                and x.email_verified_at is not null order by m.user_id",
        )
        .bind(organization.uuid())
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(UserId::from).collect())
    }
}
