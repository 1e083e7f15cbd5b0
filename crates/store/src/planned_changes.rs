//! What becomes of subscriptions when their month ends.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{OrganizationId, PlanId, Scope, SubscriptionId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// A change that is to come.
#[derive(Debug, Clone, FromRow)]
pub struct PlannedChangeRow {
    /// Of which subscription.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    plan_id: Option<Uuid>,
    /// The plan's name.
    pub plan: Option<String>,
    /// When.
    pub due_at: DateTime<Utc>,
}

impl PlannedChangeRow {
    /// The plan that it moves to; none where it ends.
    #[must_use]
    pub fn plan_id(&self) -> Option<PlanId> {
        self.plan_id.map(PlanId::from)
    }
}

const SELECT: &str = "select c.subscription_id, c.plan_id, p.name as plan, c.due_at
    from planned_changes c left join plans p on p.id = c.plan_id";

impl Store {
    /// What becomes of a subscription that the scope may see, where anything does.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_planned_change(
        &self,
        scope: Scope,
        id: SubscriptionId,
    ) -> Result<Option<PlannedChangeRow>> {
        let sql =
            format!("{SELECT} where c.subscription_id = $1 and ($2::uuid is null or c.organization_id = $2)");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(id.uuid())
            .bind(scope.organization().map(OrganizationId::uuid))
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Changes whose time has come.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_due_changes(&self, now: DateTime<Utc>, limit: i64) -> Result<Vec<PlannedChangeRow>> {
        let sql = format!("{SELECT} where c.due_at <= $1 order by c.due_at limit $2");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(now).bind(limit).fetch_all(&self.pool).await?)
    }
}

impl Tx {
    /// Plans a change; it takes the place of one that was planned before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_planned_change(
        &mut self,
        organization: OrganizationId,
        id: SubscriptionId,
        plan: Option<PlanId>,
        due_at: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query(
            "insert into planned_changes (subscription_id, organization_id, plan_id, due_at) values ($1, $2, $3, $4)
             on conflict (subscription_id) do update set plan_id = excluded.plan_id, due_at = excluded.due_at,
                created_at = now()",
        )
        .bind(id.uuid())
        .bind(organization.uuid())
        .bind(plan.map(PlanId::uuid))
        .bind(due_at)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Takes a planned change back, or notes that it was made. False where there was none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_planned_change(&mut self, id: SubscriptionId) -> Result<bool> {
        let done = sqlx::query("delete from planned_changes where subscription_id = $1")
            .bind(id.uuid())
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The terms that this transaction began and ended count from `at`: a change that was due at the end of a month and
    /// made a minute later is billed to the second. Nothing is moved before what began then.
    ///
    /// # Errors
    /// The database failed.
    pub async fn date_terms(&mut self, id: SubscriptionId, at: DateTime<Utc>) -> Result<()> {
        for sql in [
            "update subscription_terms set ends = $2 where subscription_id = $1 and ends = now() and begins < $2",
            "update subscription_terms t set begins = $2, trial_ends = trial_ends - case
                    -- A trial that began before counts from then.
                    when trial_ends - begins = (select (f.terms -> 'trial' ->> 'days')::int * interval '24 hours' from tariffs f
                        where f.plan_id = t.plan_id and f.number = t.tariff) then begins - $2 else interval '0' end
                where subscription_id = $1 and begins = now()
                and not exists (select from subscription_terms t where t.subscription_id = $1 and t.begins >= $2 and t.begins < now())",
        ] {
            sqlx::query(sql).bind(id.uuid()).bind(at).execute(self.conn()).await?;
        }
        Ok(())
    }

    /// Says whether a suspended subscription was paused by its owner.
    ///
    /// # Errors
    /// The database failed.
    pub async fn set_paused(&mut self, id: SubscriptionId, paused: bool) -> Result<()> {
        sqlx::query("update subscriptions set paused = $2 where id = $1")
            .bind(id.uuid())
            .bind(paused)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
