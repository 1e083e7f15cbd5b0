//! What plans charge: one row per price that a plan ever had.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use tollgate_domain::{Currency, PlanId, SubscriptionId};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// One price of a plan. It never changes: a new one gets the next number.
#[derive(Debug, Clone, FromRow)]
pub struct TariffRow {
    /// Counts from 1 in its plan.
    pub number: i32,
    /// Currency, base fee, meters and minimum.
    pub terms: Value,
    /// Since when whoever subscribes gets it.
    pub created_at: DateTime<Utc>,
}

/// One price of a plan, and who is on it.
#[derive(Debug, Clone, FromRow)]
pub struct TariffInUseRow {
    /// The price.
    #[sqlx(flatten)]
    pub tariff: TariffRow,
    /// Subscriptions that are charged by it now.
    pub subscriptions: i64,
}

/// What a subscription is charged by, or was when it was active last.
#[derive(Debug, Clone, FromRow)]
pub struct SubscriptionTermsRow {
    /// On which plan.
    #[sqlx(try_from = "Uuid")]
    pub plan_id: PlanId,
    /// At which of its tariffs.
    pub tariff: i32,
    /// What that says.
    pub terms: Value,
    /// In which of its currencies.
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    /// Until when its trial goes; none without one.
    pub trial_ends: Option<DateTime<Utc>>,
}

/// Somebody whose trial is over soon.
#[derive(Debug, Clone, FromRow)]
pub struct TrialEndingRow {
    /// Of which subscription.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// When.
    pub trial_ends: DateTime<Utc>,
}

impl Store {
    /// What a plan charges whoever subscribes now.
    ///
    /// # Errors
    /// `NotFound` where there is no such plan, or the database failed.
    pub async fn get_tariff(&self, plan: PlanId) -> Result<TariffRow> {
        sqlx::query_as("select * from tariffs where plan_id = $1 order by number desc limit 1")
            .bind(plan.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("plan"))
    }

    /// Every price that a plan had, the newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_tariffs(&self, plan: PlanId) -> Result<Vec<TariffInUseRow>> {
        Ok(sqlx::query_as(
            "select f.number, f.terms, f.created_at, coalesce(t.subscriptions, 0) as subscriptions
             from tariffs f left join (
                select tariff, count(*) as subscriptions from subscription_terms
                where plan_id = $1 and ends is null group by 1
             ) t on t.tariff = f.number
             where f.plan_id = $1 order by f.number desc limit 1000",
        )
        .bind(plan.uuid())
        .fetch_all(&self.pool)
        .await?)
    }

    /// What a subscription was charged by when it was last on a plan.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_tariff_had(&self, id: SubscriptionId, plan: PlanId) -> Result<Option<TariffRow>> {
        Ok(sqlx::query_as(
            "select f.* from subscription_terms t join tariffs f on f.plan_id = t.plan_id and f.number = t.tariff
             where t.subscription_id = $1 and t.plan_id = $2 order by t.begins desc limit 1",
        )
        .bind(id.uuid())
        .bind(plan.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// What a subscription is charged by, or was when it was active last; none where it never was.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_subscription_terms(&self, id: SubscriptionId) -> Result<Option<SubscriptionTermsRow>> {
        Ok(sqlx::query_as(
            "select t.plan_id, t.tariff, f.terms, t.currency, t.trial_ends
             from subscription_terms t join tariffs f on f.plan_id = t.plan_id and f.number = t.tariff
             where t.subscription_id = $1 order by t.begins desc limit 1",
        )
        .bind(id.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Trials that are over within so many days, of subscriptions that will cost something then.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_ending_trials(&self, days: i32) -> Result<Vec<TrialEndingRow>> {
        Ok(sqlx::query_as(
            "select t.subscription_id, t.trial_ends
             from subscription_terms t join tariffs f on f.plan_id = t.plan_id and f.number = t.tariff
             where t.ends is null and t.trial_ends > now() and t.trial_ends <= now() + make_interval(days => $1)
               and not prices_are_free(tariff_in(f.terms, t.currency)) order by t.trial_ends limit 10000",
        )
        .bind(days)
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// As [`Store::get_tariff`]. Lock the plan first.
    ///
    /// # Errors
    /// As [`Store::get_tariff`].
    pub async fn get_tariff(&mut self, plan: PlanId) -> Result<TariffRow> {
        sqlx::query_as("select * from tariffs where plan_id = $1 order by number desc limit 1")
            .bind(plan.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("plan"))
    }

    /// Gives a plan its next tariff. Lock the plan first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_tariff(&mut self, plan: PlanId, number: i32, terms: &Value) -> Result<()> {
        sqlx::query("insert into tariffs (plan_id, number, terms) values ($1, $2, $3)")
            .bind(plan.uuid())
            .bind(number)
            .bind(terms)
            .execute(self.conn())
            .await?;
        // The plan is another one now, also for who holds its version.
        sqlx::query("update plans set version = version + 1 where id = $1")
            .bind(plan.uuid())
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
