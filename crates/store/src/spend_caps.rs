//! Spend caps: what the use of a subscription may cost in a month, and the calls that the present month still allows.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{
    Amount, ApplicationId, CapLanding, Currency, Funds, OrganizationId, ProductId, SubscriptionId, Window,
};
use uuid::Uuid;

use crate::budget_use::weight_used;
use crate::{Error, Result, Store, Tx};

/// The most that the use of a subscription may cost in a calendar month (UTC).
#[derive(Debug, Clone, FromRow)]
pub struct SpendCapRow {
    /// Whose.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// The application that subscribes.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// Its organization.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    amount_minor: i64,
    #[sqlx(try_from = "String")]
    currency: Currency,
    /// What becomes of calls when it is reached.
    #[sqlx(try_from = "String")]
    pub landing: CapLanding,
    /// When it was set first.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

impl SpendCapRow {
    /// The most.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        Amount { minor: self.amount_minor.unsigned_abs(), currency: self.currency }
    }
}

/// A cap as it is set.
#[derive(Debug, Clone, Copy)]
pub struct NewSpendCap {
    /// Whose.
    pub subscription_id: SubscriptionId,
    /// The application that subscribes.
    pub application_id: ApplicationId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// The most.
    pub amount: Amount,
    /// What becomes of calls when it is reached.
    pub landing: CapLanding,
}

/// How a budget of money stands, in calls weighted as [`Funds::weight`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneyBudget {
    /// What was counted.
    pub spent: u64,
    /// What gateways were lent and may still spend.
    pub outstanding: u64,
}

impl Store {
    /// The cap of a subscription.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_spend_cap(&self, subscription: SubscriptionId) -> Result<Option<SpendCapRow>> {
        Ok(sqlx::query_as("select * from spend_caps where subscription_id = $1")
            .bind(subscription.uuid())
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Caps that are to be looked at: of subscriptions that were used since, and each now and then.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_spend_caps_to_look_at(&self, limit: i64) -> Result<Vec<SpendCapRow>> {
        Ok(sqlx::query_as(
            "select c.* from spend_caps c join subscriptions s on s.id = c.subscription_id and s.state = 'active'
             where c.looked_at < now() - interval '5 minutes' or exists (
                select from usage_counters u where u.organization_id = c.organization_id
                    and u.subscription_id = c.subscription_id and u.minute >= now() - interval '3 minutes' and u.charged > 0)
             order by c.looked_at limit $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// What the free plan of a product is called; none where it has none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_free_plan(&self, product: ProductId) -> Result<Option<String>> {
        Ok(sqlx::query_scalar(
            "select p.name from free_plans f join plans p on p.id = f.plan_id where f.product_id = $1",
        )
        .bind(product.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// How many subscriptions have a cap, and of how many the present month's is reached: nothing more can be lent.
    ///
    /// # Errors
    /// The database failed.
    pub async fn spend_cap_figures(&self) -> Result<(i64, i64)> {
        Ok(sqlx::query_as(
            "select count(*), count(*) filter (where exists (select from budgets b
                where b.subscription_id = c.subscription_id and b.name = '$cap' and b.starts <= now() and b.ends > now()
                    and b.granted >= b.amount)) from spend_caps c",
        )
        .fetch_one(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Sets a cap, or another one in its place.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_spend_cap(&mut self, cap: &NewSpendCap) -> Result<()> {
        sqlx::query(
            "insert into spend_caps (subscription_id, application_id, organization_id, amount_minor, currency, landing)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (subscription_id) do update set amount_minor = excluded.amount_minor, currency = excluded.currency,
                landing = excluded.landing, updated_at = now()",
        )
        .bind(cap.subscription_id.uuid())
        .bind(cap.application_id.uuid())
        .bind(cap.organization_id.uuid())
        .bind(cap.amount.minor.cast_signed())
        .bind(cap.amount.currency.as_str())
        .bind(cap.landing.as_str())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Takes a cap away.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn delete_spend_cap(&mut self, subscription: SubscriptionId) -> Result<()> {
        let done = sqlx::query("delete from spend_caps where subscription_id = $1")
            .bind(subscription.uuid())
            .execute(self.conn())
            .await?;
        sqlx::query("delete from budgets where subscription_id = $1 and name = '$cap' and granted = 0")
            .bind(subscription.uuid())
            .execute(self.conn())
            .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("spend cap")) } else { Ok(()) }
    }

    /// Locks a budget of money of a window; it is made where there is none, with nothing in it but what was spent. Whoever
    /// was lent some has it counted as outstanding until its calls are counted.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lock_money_budget(
        &mut self,
        subscription: SubscriptionId,
        funds: Funds,
        window: Window,
    ) -> Result<MoneyBudget> {
        sqlx::query(
            "insert into budgets (subscription_id, name, starts, ends, amount) values ($1, $2, $3, $4, 0) on conflict do nothing",
        )
        .bind(subscription.uuid())
        .bind(funds.limit_name())
        .bind(window.starts)
        .bind(window.ends)
        .execute(self.conn())
        .await?;
        let granted: i64 = sqlx::query_scalar(
            "select granted from budgets where subscription_id = $1 and name = $2 and starts = $3 for update",
        )
        .bind(subscription.uuid())
        .bind(funds.limit_name())
        .bind(window.starts)
        .fetch_one(self.conn())
        .await?;
        let spent = weight_used(self.conn(), subscription, window).await?;
        Ok(MoneyBudget { spent, outstanding: granted.unsigned_abs().saturating_sub(spent) })
    }

    /// Sets what may be lent of a budget of money in all: never less than what was spent and lent already.
    ///
    /// # Errors
    /// The database failed.
    pub async fn set_money_budget(
        &mut self,
        subscription: SubscriptionId,
        funds: Funds,
        window: Window,
        amount: u64,
        spent: u64,
    ) -> Result<()> {
        sqlx::query(
            "update budgets set granted = greatest(granted, $5), amount = greatest($4, granted, $5)
             where subscription_id = $1 and name = $2 and starts = $3",
        )
        .bind(subscription.uuid())
        .bind(funds.limit_name())
        .bind(window.starts)
        .bind(i64::try_from(amount).unwrap_or(i64::MAX))
        .bind(i64::try_from(spent).unwrap_or(i64::MAX))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Keeps what a fresh month allows, and that a cap was looked at.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_spend_cap(&mut self, subscription: SubscriptionId, month_weight: u64) -> Result<()> {
        sqlx::query("update spend_caps set month_weight = $2, looked_at = now() where subscription_id = $1")
            .bind(subscription.uuid())
            .bind(i64::try_from(month_weight).unwrap_or(i64::MAX))
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
