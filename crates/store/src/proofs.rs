//! What the ledgers of a month say, side by side: every query here should find nothing.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::FromRow;
use tollgate_domain::{CalendarMonth, PlanId, SubscriptionId};
use uuid::Uuid;

use crate::{Result, Store};

/// A subscription of which two ledgers say different things.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DifferenceRow {
    /// Which.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// What the facts say.
    pub expected: i64,
    /// What the other ledger says.
    pub found: i64,
}

/// Sums of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct ProofSums {
    /// Units that decisions took from quotas and kept.
    pub allowed: i64,
    /// Units of the calls that were counted.
    pub metered: i64,
    /// Of them, those of live keys.
    pub billable: i64,
}

/// What was billed for a subscription on one tariff in one month, late lines among it.
#[derive(Debug, Clone, FromRow)]
pub struct BilledSumRow {
    /// Which subscription.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// Which plan it was on.
    #[sqlx(try_from = "Uuid")]
    pub plan_id: PlanId,
    /// At which of its tariffs.
    pub tariff: i32,
    /// Minor units.
    pub amount_minor: i64,
}

/// A comparison that was made.
#[derive(Debug, Clone, FromRow)]
pub struct ProofRow {
    /// Its id.
    pub id: Uuid,
    /// Of which month.
    pub month: NaiveDate,
    /// When.
    pub made_at: DateTime<Utc>,
    /// Units that decisions took from quotas and kept.
    pub allowed: i64,
    /// Units of the calls that were counted.
    pub metered: i64,
    /// Of them, those of live keys.
    pub billable: i64,
    /// What differs; none is what should be.
    pub differences: Value,
}

const FACTS: &str = "select subscription_id, sum(units)::bigint as units from usage_counters
    where minute >= $2 and minute < $3 group by 1";

impl Store {
    /// Sums of a month, in one view.
    ///
    /// # Errors
    /// The database failed.
    pub async fn proof_sums(&self, month: CalendarMonth) -> Result<ProofSums> {
        Ok(sqlx::query_as(
            "select (select coalesce(sum(charged), 0)::bigint from quota_usage where month = $1) as allowed,
                coalesce(sum(u.units), 0)::bigint as metered,
                coalesce(sum(u.units) filter (where c.environment = 'live'), 0)::bigint as billable
             from usage_counters u left join credentials c on c.id = u.credential_id
             where u.minute >= $2 and u.minute < $3",
        )
        .bind(month.first_day())
        .bind(month.start())
        .bind(month.end())
        .fetch_one(&self.pool)
        .await?)
    }

    /// Subscriptions of which the quota's count is not the sum of their calls.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_quota_differences(&self, month: CalendarMonth) -> Result<Vec<DifferenceRow>> {
        let sql = format!(
            "with facts as ({FACTS}), quotas as (
                select subscription_id, sum(charged)::bigint as units from quota_usage where month = $1 group by 1
             )
             select subscription_id, coalesce(f.units, 0) as expected, coalesce(q.units, 0) as found
             from facts f full join quotas q using (subscription_id)
             where coalesce(f.units, 0) <> coalesce(q.units, 0) order by 1 limit 1000"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(month.first_day())
            .bind(month.start())
            .bind(month.end())
            .fetch_all(&self.pool)
            .await?)
    }

    /// Exact quotas of windows that ended in a month of which more was used than there was.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_overdrawn_budgets(&self, month: CalendarMonth) -> Result<Vec<DifferenceRow>> {
        Ok(sqlx::query_as(
            "select b.subscription_id, b.amount as expected, u.units as found
             from budgets b join subscriptions s on s.id = b.subscription_id
             cross join lateral (
                select coalesce(sum(case when b.name in ('$cap', '$credits') then greatest(c.units, c.charged) else c.units end), 0)
                    ::bigint as units from usage_counters c
                where c.organization_id = s.organization_id and c.subscription_id = b.subscription_id
                    and c.minute >= b.starts and c.minute < b.ends
             ) u
             where b.name <> '$throttled' and b.ends > $1 and b.ends <= $2 and u.units > b.amount order by 1 limit 1000",
        )
        .bind(month.start())
        .bind(month.end())
        .fetch_all(&self.pool)
        .await?)
    }

    /// All that was billed for the use of a month.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_all_billed(&self, month: CalendarMonth) -> Result<Vec<BilledSumRow>> {
        Ok(sqlx::query_as(
            "select subscription_id, plan_id, tariff, sum(amount_minor)::bigint as amount_minor
             from invoice_lines where month = $1 group by 1, 2, 3",
        )
        .bind(month.first_day())
        .fetch_all(&self.pool)
        .await?)
    }

    /// Whether bills were written for a month, and whether what came late for it was billed, too.
    ///
    /// # Errors
    /// The database failed.
    pub async fn month_is_billed(&self, month: CalendarMonth) -> Result<(bool, bool)> {
        let billed: Vec<bool> =
            sqlx::query_scalar("select billed from billing_months where month = any($1) order by month")
                .bind(vec![month.first_day(), month.next().first_day()])
                .fetch_all(&self.pool)
                .await?;
        Ok((billed.first().copied().unwrap_or(false), billed.len() == 2))
    }

    /// Keeps a comparison; those of a year ago are forgotten.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_proof(
        &self,
        month: CalendarMonth,
        sums: ProofSums,
        differences: &Value,
    ) -> Result<()> {
        sqlx::query("delete from usage_proofs where made_at < now() - interval '400 days'")
            .execute(&self.pool)
            .await?;
        sqlx::query(
            "insert into usage_proofs (id, month, allowed, metered, billable, differences)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(Uuid::now_v7())
        .bind(month.first_day())
        .bind(sums.allowed)
        .bind(sums.metered)
        .bind(sums.billable)
        .bind(differences)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The latest comparisons, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_proofs(&self, limit: i64) -> Result<Vec<ProofRow>> {
        Ok(sqlx::query_as("select * from usage_proofs order by made_at desc, month desc limit $1")
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Differences that the latest comparison of each of the last two months found; none where none was made.
    ///
    /// # Errors
    /// The database failed.
    pub async fn proof_differences(&self) -> Result<Option<i64>> {
        Ok(sqlx::query_scalar(
            "select sum(jsonb_array_length(differences))::bigint from (
                select distinct on (month) differences from usage_proofs
                where made_at > now() - interval '3 days' order by month, made_at desc) latest",
        )
        .fetch_one(&self.pool)
        .await?)
    }
}
