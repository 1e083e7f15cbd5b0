//! Usage by hour and day: summed by a job, read together with what is not summed yet.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::FromRow;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{AssertSqlSafe, Postgres};
use tollgate_domain::{ApplicationId, CalendarMonth, CredentialId, OrganizationId};
use uuid::Uuid;

use crate::{Result, Store};

/// Hours summed in one transaction, so that each is short.
const CHUNK_HOURS: i64 = 6;
/// Counts are this late without anything being wrong.
const LATE_HOURS: i64 = 2;
/// Counts of gateways that had been cut off may be this late.
const CUT_OFF_HOURS: i64 = 72;

/// How fine the counts are that a range is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Up to some hours.
    Minutes,
    /// Up to some days; the range begins with an hour.
    Hours,
    /// Up to years; the range begins with a day.
    Days,
}

/// Whose usage, since when.
#[derive(Debug, Clone, Copy)]
pub struct UsageRange {
    /// Whose.
    pub organization: OrganizationId,
    /// Of one application.
    pub application: Option<ApplicationId>,
    /// Of one key.
    pub credential: Option<CredentialId>,
    /// Since when: the beginning of a minute, hour or day, as the grain is.
    pub since: DateTime<Utc>,
    /// How fine.
    pub grain: Grain,
}

/// Usage in one step of time, by how it ended.
#[derive(Debug, Clone, FromRow)]
pub struct UsageStepRow {
    /// When the step begins.
    pub at: DateTime<Utc>,
    /// Calls.
    pub calls: i64,
    /// Of them, 4xx: refused here or by the service.
    pub refused: i64,
    /// Of them, 5xx.
    pub failed: i64,
}

/// Usage of one operation with one status.
#[derive(Debug, Clone, FromRow)]
pub struct UsageLineRow {
    /// When the step begins; the range's beginning where all steps are summed.
    pub at: DateTime<Utc>,
    /// The API's slug; none where the route is gone.
    pub api: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// Path template, with the API's base path.
    pub path: Option<String>,
    /// The status that callers saw.
    pub status: i16,
    /// How it ended, see `Outcome`.
    pub outcome: i16,
    /// Calls.
    pub calls: i64,
    /// Of them, charged.
    pub charged: i64,
    /// Sum of call times in microseconds.
    pub duration_us: i64,
}

/// Usage of one key.
#[derive(Debug, Clone, FromRow)]
pub struct UsageKeyRow {
    /// The key.
    #[sqlx(try_from = "Uuid")]
    pub credential_id: CredentialId,
    /// Whose it is.
    #[sqlx(try_from = "Uuid")]
    pub application_id: ApplicationId,
    /// Its name.
    pub name: String,
    /// What it begins with.
    pub display_prefix: String,
    /// What it ends with.
    pub display_last4: String,
    /// Calls.
    pub calls: i64,
    /// Of them, 4xx and 5xx.
    pub errors: i64,
}

/// How far the sums are.
#[derive(FromRow)]
struct Marks {
    summed_to: Option<DateTime<Utc>>,
    deep: bool,
    now: DateTime<Utc>,
    first: Option<DateTime<Utc>>,
}

/// What is counted in the range: each part from the coarsest table that has it. The mark is read with the rows, so a part
/// is never read from two.
const FACTS: &str = "with mark as materialized (select hours_to, days_to from usage_sums),
facts as (
    select minute as at, application_id, credential_id, route_id, status, outcome, calls, charged, duration_us
    from usage_counters where organization_id = $1
      and minute >= greatest($4, case when $5 = 0 then $4 else (select hours_to from mark) end)
      and ($2::uuid is null or application_id = $2) and ($3::uuid is null or credential_id = $3)
    union all
    select at, application_id, credential_id, route_id, status, outcome, calls, charged, duration_us
    from usage_hours where $5 > 0 and organization_id = $1 and at < (select hours_to from mark)
      and at >= greatest($4, case when $5 = 1 then $4 else (select days_to from mark) end)
      and ($2::uuid is null or application_id = $2) and ($3::uuid is null or credential_id = $3)
    union all
    select at, application_id, credential_id, route_id, status, outcome, calls, charged, duration_us
    from usage_days where $5 = 2 and organization_id = $1 and at >= $4 and at < (select days_to from mark)
      and ($2::uuid is null or application_id = $2) and ($3::uuid is null or credential_id = $3)
)";

impl UsageRange {
    fn bind<'q, O>(
        &self,
        query: QueryAs<'q, Postgres, O, PgArguments>,
    ) -> QueryAs<'q, Postgres, O, PgArguments> {
        query
            .bind(self.organization.uuid())
            .bind(self.application.map(ApplicationId::uuid))
            .bind(self.credential.map(CredentialId::uuid))
            .bind(self.since)
            .bind(match self.grain {
                Grain::Minutes => 0i32,
                Grain::Hours => 1,
                Grain::Days => 2,
            })
    }
}

impl Store {
    /// Usage per step, steps without calls included; oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn usage_steps(&self, range: &UsageRange, step_seconds: i32) -> Result<Vec<UsageStepRow>> {
        let sql = format!(
            "{FACTS}, sums as (
                select date_bin(make_interval(secs => $6), at, 'epoch') as at, sum(calls) as calls,
                    sum(calls) filter (where status between 400 and 499) as refused,
                    sum(calls) filter (where status >= 500) as failed
                from facts group by 1)
             select s.at, coalesce(calls, 0)::bigint as calls, coalesce(refused, 0)::bigint as refused,
                coalesce(failed, 0)::bigint as failed
             from generate_series(date_bin(make_interval(secs => $6), $4, 'epoch'), now(), make_interval(secs => $6)) s (at)
             left join sums using (at) order by s.at limit 2000"
        );
        let query = range.bind(sqlx::query_as(AssertSqlSafe(sql)));
        Ok(query.bind(f64::from(step_seconds.max(60))).fetch_all(&self.pool).await?)
    }

    /// Usage by operation, status and outcome, most first; with steps, by these too, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn usage_lines(
        &self,
        range: &UsageRange,
        step_seconds: Option<i32>,
        limit: i64,
    ) -> Result<Vec<UsageLineRow>> {
        let sql = format!(
            "{FACTS}, sums as (
                select case when $6::float8 is null then $4 else date_bin(make_interval(secs => $6), at, 'epoch') end as at,
                    route_id, status, outcome, sum(calls)::bigint as calls, sum(charged)::bigint as charged,
                    sum(duration_us)::bigint as duration_us
                from facts group by 1, 2, 3, 4)
             select u.at, a.slug as api, r.method, a.base_path || r.path as path, u.status, u.outcome, u.calls, u.charged,
                u.duration_us
             from sums u left join routes r on r.id = u.route_id left join apis a on a.id = r.api_id
             order by u.at, u.calls desc, path, u.status limit $7"
        );
        let query = range.bind(sqlx::query_as(AssertSqlSafe(sql)));
        Ok(query.bind(step_seconds.map(f64::from)).bind(limit).fetch_all(&self.pool).await?)
    }

    /// Usage by key, most first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn usage_keys(&self, range: &UsageRange, limit: i64) -> Result<Vec<UsageKeyRow>> {
        let sql = format!(
            "{FACTS}, sums as (
                select credential_id, sum(calls)::bigint as calls,
                    coalesce(sum(calls) filter (where status >= 400), 0)::bigint as errors
                from facts group by 1 order by 2 desc limit $6)
             select u.credential_id, c.application_id, c.name, c.display_prefix, c.display_last4, u.calls, u.errors
             from sums u join credentials c on c.id = u.credential_id order by u.calls desc, c.name"
        );
        let query = range.bind(sqlx::query_as(AssertSqlSafe(sql)));
        Ok(query.bind(limit).fetch_all(&self.pool).await?)
    }

    /// Makes room for the months to come and drops those past keeping; says how many were dropped.
    ///
    /// # Errors
    /// The database failed, or others held the tables for too long.
    pub async fn keep_usage_months(&self) -> Result<i32> {
        Ok(sqlx::query_scalar("select usage_months()").fetch_one(&self.pool).await?)
    }

    /// The first month whose minutes were not dropped; none before any was.
    ///
    /// # Errors
    /// The database failed.
    pub async fn minutes_begin(&self) -> Result<Option<CalendarMonth>> {
        let first: Option<NaiveDate> =
            sqlx::query_scalar("select begins from usage_keep where grain = 'usage_counters'")
                .fetch_one(&self.pool)
                .await?;
        Ok(first.map(CalendarMonth::from))
    }

    /// Sums what is new, and again what late counts may have changed. Only one at a time; returns the hours summed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sum_usage(&self) -> Result<i64> {
        let mut done = 0;
        loop {
            let hours = self.sum_usage_chunk().await?;
            done += hours;
            if hours < CHUNK_HOURS {
                return Ok(done);
            }
        }
    }

    /// One chunk, from the oldest that is due; fewer than a full one of hours where it was the last.
    async fn sum_usage_chunk(&self) -> Result<i64> {
        let mut tx = self.pool.pool().begin().await?;
        let marks: Option<Marks> = sqlx::query_as(
            "select case when isfinite(hours_to) then hours_to end as summed_to, deep_at < now() - interval '1 day' as deep,
                date_trunc('hour', now(), 'UTC') as now,
                (select date_trunc('hour', min(minute), 'UTC') from usage_counters where organization_id is not null) as first
             from usage_sums for update skip locked",
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(Marks { summed_to, deep, now, first }) = marks else { return Ok(0) };
        let Some(first) = first.filter(|first| *first < now) else { return Ok(0) };
        let back = if deep { CUT_OFF_HOURS } else { LATE_HOURS };
        let from = summed_to
            .map_or(first, |to| (to - TimeDelta::hours(LATE_HOURS)).min(now - TimeDelta::hours(back)));
        let from = from.max(first);
        let to = (from + TimeDelta::hours(CHUNK_HOURS.max(back))).min(now);
        let day = from.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        // Ordered, so that what an organization's pages read lies together: of three days, when these are made again.
        for statement in [
            "delete from usage_hours where at >= $1 and at < $2 and $3::timestamptz is not null",
            "insert into usage_hours select organization_id, date_trunc('hour', minute, 'UTC'), application_id, credential_id,
                route_id, status, outcome, sum(calls), sum(charged), sum(duration_us)
             from usage_counters where minute >= $1 and minute < $2 and organization_id is not null
               and application_id is not null and $3::timestamptz is not null group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2",
            "delete from usage_days where at >= $3 and at < $2 and $1::timestamptz is not null",
            "insert into usage_days select organization_id, date_trunc('day', at, 'UTC'), application_id, credential_id,
                route_id, status, outcome, sum(calls), sum(charged), sum(duration_us)
             from usage_hours where at >= $3 and at < $2 and $1::timestamptz is not null group by 1, 2, 3, 4, 5, 6, 7
             order by 1, 2",
            "update usage_sums set hours_to = greatest(hours_to, $2), days_to = greatest(days_to, date_trunc('day', $2, 'UTC'))
             where $1::timestamptz is not null and $3::timestamptz is not null",
        ] {
            sqlx::query(statement).bind(from).bind(to).bind(day).execute(&mut *tx).await?;
        }
        let over = to >= now;
        if over && deep {
            sqlx::query("update usage_sums set deep_at = now()").execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(if over { 0 } else { CHUNK_HOURS })
    }
}
