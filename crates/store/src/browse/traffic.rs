//! Calls as operators look through them: narrowed, and summed by what they ask for.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{ApiId, ApplicationId, OrganizationId, Scope};
use uuid::Uuid;

use super::Conditions;
use crate::{Result, Store, UsageBucketRow};

/// What calls are summed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SumBy {
    /// Operation: method and path.
    Operation,
    /// API.
    Api,
    /// Application.
    Application,
    /// Status and how the call ended.
    Status,
}

/// Which calls.
#[derive(Debug, Clone, Copy)]
pub struct TrafficFilter<'f> {
    /// Not before.
    pub since: DateTime<Utc>,
    /// To this API.
    pub api: Option<ApiId>,
    /// By this application.
    pub application: Option<ApplicationId>,
    /// 2 for 2xx, and so on.
    pub status_class: Option<i16>,
    /// To this path template, without the API's base path.
    pub path: Option<&'f str>,
}

/// Calls that have something in common.
#[derive(Debug, Clone, FromRow)]
pub struct TrafficSum {
    /// The method, API slug, application id or status, by what was summed by; none where that is gone.
    pub key: Option<String>,
    /// The path, API name, application name or outcome code.
    pub name: Option<String>,
    /// The API's slug or the organization's name, where there is one.
    pub second: Option<String>,
    /// Calls.
    pub calls: i64,
    /// Of them, answered 4xx.
    pub client: i64,
    /// Of them, answered 5xx.
    pub server: i64,
    /// Mean call time in microseconds.
    pub mean_us: i64,
}

const FROM: &str =
    "from usage_counters u left join routes r on r.id = u.route_id left join apis a on a.id = r.api_id
    left join applications p on p.id = u.application_id left join organizations o on o.id = u.organization_id
    where u.minute >= date_trunc('minute', ";

fn narrow(query: &mut Conditions, scope: Scope, filter: &TrafficFilter<'_>) {
    query.sql.push_bind(filter.since).push(")");
    query
        .and("u.organization_id = ", scope.organization().map(OrganizationId::uuid))
        .and("r.api_id = ", filter.api.map(ApiId::uuid))
        .and("u.application_id = ", filter.application.map(ApplicationId::uuid))
        .and("u.status / 100 = ", filter.status_class)
        .and("r.path = ", filter.path);
}

impl Store {
    /// Sums that the scope may see, most calls first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sum_traffic(
        &self,
        scope: Scope,
        filter: TrafficFilter<'_>,
        by: SumBy,
        limit: i64,
    ) -> Result<Vec<TrafficSum>> {
        let keys = match by {
            SumBy::Operation => "r.method as key, a.base_path || r.path as name, a.slug as second",
            SumBy::Api => "a.slug as key, a.name as name, a.base_path as second",
            SumBy::Application => "p.id::text as key, p.name as name, o.name as second",
            SumBy::Status => "u.status::text as key, u.outcome::text as name, null::text as second",
        };
        let mut query = Conditions::new(
            format!(
                "select {keys}, sum(u.calls)::bigint as calls,
                coalesce(sum(u.calls) filter (where u.status between 400 and 499), 0)::bigint as client,
                coalesce(sum(u.calls) filter (where u.status >= 500), 0)::bigint as server,
                (sum(u.duration_us) / greatest(sum(u.calls), 1))::bigint as mean_us {FROM}"
            ),
            None,
        );
        narrow(&mut query, scope, &filter);
        query.sql.push(" group by 1, 2, 3 order by calls desc, name, key limit ").push_bind(limit);
        Ok(query.sql.build_query_as().fetch_all(&self.pool).await?)
    }

    /// Calls per step; steps without calls are left out. `step_seconds` is at least 60.
    ///
    /// # Errors
    /// The database failed.
    pub async fn traffic_series(
        &self,
        scope: Scope,
        filter: TrafficFilter<'_>,
        step_seconds: i32,
    ) -> Result<Vec<UsageBucketRow>> {
        let mut query = Conditions::new("select date_bin(make_interval(secs => ".to_owned(), None);
        query.sql.push_bind(f64::from(step_seconds.max(60)));
        query.sql.push(format_args!(
            "), u.minute, 'epoch') as at, sum(u.calls)::bigint as calls,
             coalesce(sum(u.calls) filter (where u.status >= 400), 0)::bigint as errors {FROM}"
        ));
        narrow(&mut query, scope, &filter);
        query.sql.push(" group by 1 order by 1 limit 2000");
        Ok(query.sql.build_query_as().fetch_all(&self.pool).await?)
    }
}

impl TrafficSum {
    /// The key as an id, where it is one.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.key.as_deref().and_then(|key| key.parse().ok())
    }
}
