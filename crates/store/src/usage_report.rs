//! The ledger's read side: what pages show.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{ApiId, ApplicationId, OrganizationId, Outcome, Scope};
use uuid::Uuid;

use crate::{Result, Store};

/// From when until when, by the minute.
#[derive(Debug, Clone, Copy)]
pub struct TrafficRange {
    /// Its first minute.
    pub since: DateTime<Utc>,
    /// The minute that it ends before; none is now.
    pub until: Option<DateTime<Utc>>,
}

impl From<DateTime<Utc>> for TrafficRange {
    /// Until now.
    fn from(since: DateTime<Utc>) -> Self {
        Self { since, until: None }
    }
}

/// Sums over a range.
#[derive(Debug, Clone, Default, FromRow)]
pub struct UsageTotals {
    /// Calls of known consumers.
    pub calls: i64,
    /// Of them, charged.
    pub charged: i64,
    /// Of them, refused by a limit (429).
    pub refused: i64,
    /// Of them, answered 4xx by the upstream.
    pub client_errors: i64,
    /// Of them, answered 5xx, or not answered.
    pub server_errors: i64,
    /// Sum of call times in microseconds.
    pub duration_us: i64,
}

/// One line of a traffic table.
#[derive(Debug, Clone, FromRow)]
pub struct TrafficRow {
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
    /// Mean call time in microseconds.
    pub mean_us: i64,
}

/// Calls in one step of time.
#[derive(Debug, Clone, FromRow)]
pub struct UsageBucketRow {
    /// When the step begins.
    pub at: DateTime<Utc>,
    /// Calls.
    pub calls: i64,
    /// Of them, refused or failed.
    pub errors: i64,
}

/// How an API did for a while.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct ApiHealthRow {
    /// Which one.
    #[sqlx(try_from = "Uuid")]
    pub api_id: ApiId,
    /// Calls that were sent to it.
    pub calls: i64,
    /// Calls that it failed: a 5xx, or no answer.
    pub failed: i64,
    /// Their time together, in microseconds.
    pub duration_us: i64,
}

impl Store {
    /// How each API that was called since then did; refusals of the gateway are not counted.
    ///
    /// # Errors
    /// The database failed.
    pub async fn api_health(&self, since: DateTime<Utc>) -> Result<Vec<ApiHealthRow>> {
        Ok(sqlx::query_as(
            "select r.api_id, sum(u.calls)::bigint as calls,
                    coalesce(sum(u.calls) filter (where u.status >= 500), 0)::bigint as failed,
                    sum(u.duration_us)::bigint as duration_us
             from usage_counters u join routes r on r.id = u.route_id
             where u.minute >= date_trunc('minute', $1) and u.outcome = any ($2)
             group by r.api_id having sum(u.calls) > 0",
        )
        .bind(since)
        .bind([Outcome::Served, Outcome::UpstreamFailed].map(Outcome::code).to_vec())
        .fetch_all(&self.pool)
        .await?)
    }

    /// Sums over a range, for the scope, of one application or of all.
    ///
    /// # Errors
    /// The database failed.
    pub async fn usage_totals(
        &self,
        scope: Scope,
        application: Option<ApplicationId>,
        range: impl Into<TrafficRange>,
    ) -> Result<UsageTotals> {
        let range = range.into();
        Ok(sqlx::query_as(
            "select coalesce(sum(calls), 0)::bigint as calls, coalesce(sum(charged), 0)::bigint as charged,
                coalesce(sum(calls) filter (where outcome in (2, 3)), 0)::bigint as refused,
                coalesce(sum(calls) filter (where outcome = 1 and status between 400 and 499), 0)::bigint as client_errors,
                coalesce(sum(calls) filter (where outcome = 4 or (outcome = 1 and status >= 500)), 0)::bigint as server_errors,
                coalesce(sum(duration_us), 0)::bigint as duration_us
             from usage_counters where minute >= date_trunc('minute', $3)
               and ($1::uuid is null or organization_id = $1) and ($2::uuid is null or application_id = $2)
               and ($4::timestamptz is null or minute < date_trunc('minute', $4))",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(application.map(ApplicationId::uuid))
        .bind(range.since)
        .bind(range.until)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Calls by operation, status and outcome in a range, most first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn traffic(
        &self,
        scope: Scope,
        application: Option<ApplicationId>,
        range: impl Into<TrafficRange>,
        limit: i64,
    ) -> Result<Vec<TrafficRow>> {
        let range = range.into();
        Ok(sqlx::query_as(
            "select a.slug as api, r.method, a.base_path || r.path as path, u.status, u.outcome,
                sum(u.calls)::bigint as calls, (sum(u.duration_us) / greatest(sum(u.calls), 1))::bigint as mean_us
             from usage_counters u left join routes r on r.id = u.route_id left join apis a on a.id = r.api_id
             where u.minute >= date_trunc('minute', $3)
               and ($1::uuid is null or u.organization_id = $1) and ($2::uuid is null or u.application_id = $2)
               and ($5::timestamptz is null or u.minute < date_trunc('minute', $5))
             group by 1, 2, 3, 4, 5 order by calls desc, path, status limit $4",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(application.map(ApplicationId::uuid))
        .bind(range.since)
        .bind(limit)
        .bind(range.until)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Calls per step since an instant; steps without calls are there with 0. `step_seconds` is at least 60.
    ///
    /// # Errors
    /// The database failed.
    pub async fn usage_series(
        &self,
        scope: Scope,
        application: Option<ApplicationId>,
        since: DateTime<Utc>,
        step_seconds: i32,
    ) -> Result<Vec<UsageBucketRow>> {
        Ok(sqlx::query_as(
            "select s.at, coalesce(sum(u.calls), 0)::bigint as calls,
                coalesce(sum(u.calls) filter (where u.status >= 400), 0)::bigint as errors
             from generate_series(date_bin(make_interval(secs => $4), $3, 'epoch'), now(), make_interval(secs => $4)) s (at)
             left join usage_counters u on u.minute >= s.at and u.minute < s.at + make_interval(secs => $4)
               and ($1::uuid is null or u.organization_id = $1) and ($2::uuid is null or u.application_id = $2)
             group by s.at order by s.at limit 2000",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind(application.map(ApplicationId::uuid))
        .bind(since)
        .bind(f64::from(step_seconds.max(60)))
        .fetch_all(&self.pool)
        .await?)
    }

    /// Until when counts are complete: the oldest instant up to which a gateway that lives has handed in its calls. One
    /// that was not heard of for 15 s is not waited for: what a dead one still has in its journal, at most what it counted
    /// since its last word, comes when it is started again. None where none lives.
    ///
    /// # Errors
    /// The database failed.
    pub async fn counted_up_to(&self) -> Result<Option<DateTime<Utc>>> {
        Ok(sqlx::query_scalar(
            "select min(coalesce(counted_at, started_at)) from gateway_nodes
             where state in ('serving', 'draining') and seen_at > now() - interval '15 seconds'",
        )
        .fetch_one(&self.pool)
        .await?)
    }

    /// Whether an application ever made a call that was counted.
    ///
    /// # Errors
    /// The database failed.
    pub async fn has_called(&self, scope: Scope, application: ApplicationId) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from usage_counters where application_id = $2
             and ($1::uuid is null or organization_id = $1))",
        )
        .bind(scope.organization().map(OrganizationId::uuid))
        .bind::<Uuid>(application.uuid())
        .fetch_one(&self.pool)
        .await?)
    }
}
