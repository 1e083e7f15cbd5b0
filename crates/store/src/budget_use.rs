//! What was used of budgets, as bills count it, and what they have besides their limit's amount.

use sqlx::PgExecutor;
use tollgate_domain::{Funds, SubscriptionId, Window};

use crate::{Result, Store};

impl Store {
    /// Units that were used of a subscription in a window, as counted so far.
    ///
    /// # Errors
    /// The database failed.
    pub async fn units_used(&self, subscription: SubscriptionId, window: Window) -> Result<u64> {
        let used: i64 = sqlx::query_scalar(
            "select coalesce(sum(u.units), 0)::bigint from usage_counters u
             join subscriptions s on s.id = u.subscription_id and s.organization_id = u.organization_id
             where s.id = $1 and u.minute >= $2 and u.minute < $3",
        )
        .bind(subscription.uuid())
        .bind(window.starts)
        .bind(window.ends)
        .fetch_one(&self.pool)
        .await?;
        Ok(used.unsigned_abs())
    }

    /// What was taken of budgets of money in a window, as counted so far: see [`Funds::weight`].
    ///
    /// # Errors
    /// The database failed.
    pub async fn weight_used(&self, subscription: SubscriptionId, window: Window) -> Result<u64> {
        weight_used(&self.pool, subscription, window).await
    }

    /// What may be lent of a budget of money in a window in all; none where nobody asked for any yet.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_money_budget(
        &self,
        subscription: SubscriptionId,
        funds: Funds,
        window: Window,
    ) -> Result<Option<u64>> {
        let amount: Option<i64> = sqlx::query_scalar(
            "select amount from budgets where subscription_id = $1 and name = $2 and starts = $3",
        )
        .bind(subscription.uuid())
        .bind(funds.limit_name())
        .bind(window.starts)
        .fetch_optional(&self.pool)
        .await?;
        Ok(amount.map(i64::unsigned_abs))
    }

    /// Units that a budget has besides its limit's amount, left over from the window before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn units_carried(
        &self,
        subscription: SubscriptionId,
        limit: &str,
        window: Window,
    ) -> Result<u64> {
        let carried: Option<i64> = sqlx::query_scalar(
            "select carried from budgets where subscription_id = $1 and name = $2 and starts = $3",
        )
        .bind(subscription.uuid())
        .bind(limit)
        .bind(window.starts)
        .fetch_optional(&self.pool)
        .await?;
        Ok(carried.unwrap_or(0).unsigned_abs())
    }
}

/// As [`Store::weight_used`], in a transaction.
pub(crate) async fn weight_used(
    executor: impl PgExecutor<'_>,
    subscription: SubscriptionId,
    window: Window,
) -> Result<u64> {
    let used: i64 = sqlx::query_scalar(
        "select coalesce(sum(greatest(u.units, u.charged)), 0)::bigint from usage_counters u
         join subscriptions s on s.id = u.subscription_id and s.organization_id = u.organization_id
         where s.id = $1 and u.minute >= $2 and u.minute < $3",
    )
    .bind(subscription.uuid())
    .bind(window.starts)
    .bind(window.ends)
    .fetch_one(executor)
    .await?;
    Ok(used.unsigned_abs())
}
