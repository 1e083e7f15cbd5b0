//! Amounts of a subscription's own, in place of its plan's.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{ApplicationId, OrganizationId, SubscriptionId};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// Another amount for one limit of one subscription.
#[derive(Debug, Clone, FromRow)]
pub struct LimitOverrideRow {
    /// Whose.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// The limit's name.
    pub name: String,
    /// The application that subscribes.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// Its organization.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// In place of the plan's amount.
    pub amount: i64,
    /// Why, for whoever looks after it.
    pub reason: String,
    /// From then on the plan's amount holds again.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Store {
    /// The amounts of a subscription's own that are in force, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_limit_overrides(&self, subscription: SubscriptionId) -> Result<Vec<LimitOverrideRow>> {
        Ok(sqlx::query_as(
            "select * from limit_overrides where subscription_id = $1 and (expires_at is null or expires_at > now())
             order by name",
        )
        .bind(subscription.uuid())
        .fetch_all(&self.pool)
        .await?)
    }

    /// Amounts that are not in force any more, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_expired_overrides(&self) -> Result<Vec<LimitOverrideRow>> {
        Ok(sqlx::query_as(
            "select * from limit_overrides where expires_at <= now() order by expires_at limit 1000",
        )
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Puts an amount in place of the plan's, or of an earlier one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_limit_override(&mut self, row: &LimitOverrideRow) -> Result<()> {
        sqlx::query(
            "insert into limit_overrides (subscription_id, name, application_id, organization_id, amount, reason, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (subscription_id, name) do update
                set amount = excluded.amount, reason = excluded.reason, expires_at = excluded.expires_at",
        )
        .bind(row.subscription_id.uuid())
        .bind(&row.name)
        .bind(row.application_id.uuid())
        .bind(row.organization_id.uuid())
        .bind(row.amount)
        .bind(&row.reason)
        .bind(row.expires_at)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Lets the plan's amount hold again.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn delete_limit_override(&mut self, subscription: SubscriptionId, name: &str) -> Result<()> {
        let done = sqlx::query("delete from limit_overrides where subscription_id = $1 and name = $2")
            .bind(subscription.uuid())
            .bind(name)
            .execute(self.conn())
            .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("override")) } else { Ok(()) }
    }
}
