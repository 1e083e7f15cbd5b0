//! Single calls: written by gateways in batches, read to explain a refusal.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, Postgres, QueryBuilder};
use tollgate_domain::{ApplicationId, CredentialId, RouteId, Scope, SubscriptionId};
use uuid::Uuid;

use crate::{Result, Store};

/// Rows of one id at most: whoever chooses its own ids may choose one again.
const SAME_ID_MAX: i64 = 20;
/// Days that are kept.
const KEEP_DAYS: i32 = 30;

/// One call as a gateway tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRequest {
    /// Any number that no other call of the same microsecond has.
    pub id: i64,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// As in `X-Request-Id`.
    pub request_id: String,
    /// Whether the gateway made the id.
    pub minted: bool,
    /// The gateway process.
    pub node: Uuid,
    /// Whose call it was, as far as that is known.
    pub parties: Parties,
    /// None where the head could not be read; so are host and path.
    pub method: Option<String>,
    /// As asked for.
    pub host: Option<String>,
    /// Without query.
    pub path: Option<String>,
    /// What the caller saw.
    pub status: u16,
    /// The problem's code where the gateway answered itself.
    pub code: Option<&'static str>,
    /// What the refusal was about.
    pub detail: Option<Value>,
    /// Microseconds of the whole call.
    pub duration_us: u64,
    /// Microseconds to the head of the upstream's answer, where it gave one.
    pub upstream_us: Option<u64>,
    /// Request body bytes.
    pub bytes_in: u64,
    /// Response body bytes.
    pub bytes_out: u64,
    /// An address or a network, as PostgreSQL reads it.
    pub client: Option<String>,
    /// What the caller calls itself.
    pub user_agent: Option<String>,
}

/// A program somewhere that uses a key.
#[derive(Debug, Clone, FromRow)]
pub struct KeyUserRow {
    /// Its address, or the network of it that is kept.
    pub client: Option<String>,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// How many of its calls were kept.
    pub calls: i64,
    /// When the last of them ended.
    pub last_at: DateTime<Utc>,
}

/// Whom and what a call was about, each where it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parties {
    /// The tenant.
    pub organization_id: Option<Uuid>,
    /// Its application.
    pub application_id: Option<Uuid>,
    /// The key.
    pub credential_id: Option<Uuid>,
    /// What it was decided under.
    pub subscription_id: Option<Uuid>,
    /// The terms.
    pub plan_id: Option<Uuid>,
    /// The API.
    pub api_id: Option<Uuid>,
    /// The operation.
    pub route_id: Option<Uuid>,
}

/// One logged call.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct RequestRow {
    /// Its place among calls of the same instant.
    pub id: i64,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// As in `X-Request-Id`.
    pub request_id: String,
    /// Whether the gateway made the id.
    pub minted: bool,
    /// The gateway process.
    pub node: Uuid,
    /// The tenant; none where the key was missing or unknown.
    pub organization_id: Option<Uuid>,
    /// Its application.
    pub application_id: Option<Uuid>,
    /// The key.
    pub credential_id: Option<Uuid>,
    /// What it was decided under.
    pub subscription_id: Option<Uuid>,
    /// The terms.
    pub plan_id: Option<Uuid>,
    /// The API.
    pub api_id: Option<Uuid>,
    /// The operation.
    pub route_id: Option<Uuid>,
    /// None where the head could not be read; so are host and path.
    pub method: Option<String>,
    /// As asked for.
    pub host: Option<String>,
    /// Without query.
    pub path: Option<String>,
    /// What the caller saw.
    pub status: i16,
    /// The problem's code where the gateway answered itself; none where the upstream did.
    pub code: Option<String>,
    /// What the refusal was about: `limit` `amount` `per` `retry_after_s` `opens_at`, `allow`, `reason` or `key`.
    pub detail: Option<Value>,
    /// Microseconds of the whole call.
    pub duration_us: i64,
    /// Microseconds to the head of the upstream's answer.
    pub upstream_us: Option<i64>,
    /// Request body bytes.
    pub bytes_in: i64,
    /// Response body bytes.
    pub bytes_out: i64,
    /// The caller's network, or address where the operator has them kept whole.
    pub client: Option<String>,
    /// What the caller calls itself.
    pub user_agent: Option<String>,
}

/// Which calls; what is none does not narrow.
#[derive(Debug, Clone, Default)]
pub struct RequestFilter {
    /// Of this application.
    pub application: Option<ApplicationId>,
    /// With this key.
    pub credential: Option<CredentialId>,
    /// On this subscription.
    pub subscription: Option<SubscriptionId>,
    /// To this operation.
    pub route: Option<RouteId>,
    /// 2 for 2xx, and so on.
    pub status_class: Option<i16>,
    /// Refused with this code.
    pub code: Option<String>,
    /// With this method.
    pub method: Option<String>,
    /// With a path that begins so.
    pub path_prefix: Option<String>,
    /// At this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
}

/// Where a page of calls ended; the next begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCursor {
    /// The last row's time.
    pub at: DateTime<Utc>,
    /// The last row's id.
    pub id: i64,
}

const COLUMNS: &str = "select id, at, request_id, minted, node, organization_id, application_id, credential_id,
    subscription_id, plan_id, api_id, route_id, method, host, path, status, code, detail, duration_us, upstream_us,
    bytes_in, bytes_out, abbrev(client) as client, user_agent from request_log";

impl RequestRow {
    /// Where the page that ends with this row goes on.
    #[must_use]
    pub const fn cursor(&self) -> RequestCursor {
        RequestCursor { at: self.at, id: self.id }
    }

    /// Consumers are not told of limits that protect the publisher: neither their names nor their numbers.
    fn shown_to(mut self, scope: Scope) -> Self {
        if scope.organization().is_some()
            && let Some(Value::Object(detail)) = &mut self.detail
            && detail.get("visible") == Some(&Value::Bool(false))
        {
            detail.retain(|name, _| matches!(name.as_str(), "retry_after_s" | "opens_at"));
        }
        self
    }
}

impl Store {
    /// Adds calls; the same ones again change nothing. A time more than a day off is drawn near, for there is no partition for it.
    ///
    /// # Errors
    /// The database failed; nothing was added.
    pub async fn insert_requests(&self, calls: &[NewRequest]) -> Result<()> {
        match self.try_insert_requests(calls).await {
            // No partition for the day: nobody kept house for days.
            Err(error) if error.is_refusal() => {
                self.keep_request_days().await?;
                self.try_insert_requests(calls).await
            }
            other => other,
        }
    }

    async fn try_insert_requests(&self, calls: &[NewRequest]) -> Result<()> {
        let ids = |pick: fn(&Parties) -> Option<Uuid>| {
            calls.iter().map(|call| pick(&call.parties)).collect::<Vec<_>>()
        };
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        // PostgreSQL's text has no NUL.
        let text = |pick: fn(&NewRequest) -> Option<&String>| {
            calls.iter().map(|call| pick(call).map(|text| text.replace('\0', ""))).collect::<Vec<_>>()
        };
        sqlx::query(INSERT)
            .bind(calls.iter().map(|c| c.at).collect::<Vec<_>>())
            .bind(calls.iter().map(|c| c.request_id.as_str()).collect::<Vec<_>>())
            .bind(calls.iter().map(|c| c.minted).collect::<Vec<_>>())
            .bind(calls.iter().map(|c| c.node).collect::<Vec<_>>())
            .bind(ids(|p| p.organization_id))
            .bind(ids(|p| p.application_id))
            .bind(ids(|p| p.credential_id))
            .bind(ids(|p| p.subscription_id))
            .bind(ids(|p| p.plan_id))
            .bind(ids(|p| p.api_id))
            .bind(ids(|p| p.route_id))
            .bind(text(|c| c.method.as_ref()))
            .bind(text(|c| c.host.as_ref()))
            .bind(text(|c| c.path.as_ref()))
            .bind(calls.iter().map(|c| c.status.cast_signed()).collect::<Vec<i16>>())
            .bind(calls.iter().map(|c| c.code).collect::<Vec<_>>())
            .bind(calls.iter().map(|c| c.detail.clone()).collect::<Vec<_>>())
            .bind(calls.iter().map(|c| number(c.duration_us)).collect::<Vec<_>>())
            .bind(calls.iter().map(|c| c.upstream_us.map(number)).collect::<Vec<_>>())
            .bind(calls.iter().map(|c| number(c.bytes_in)).collect::<Vec<_>>())
            .bind(calls.iter().map(|c| number(c.bytes_out)).collect::<Vec<_>>())
            .bind(calls.iter().map(|c| c.client.as_deref()).collect::<Vec<_>>())
            .bind(text(|c| c.user_agent.as_ref()))
            .bind(calls.iter().map(|c| c.id).collect::<Vec<_>>())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Calls with this request id, latest first. An organization finds its own, and those of callers that nobody knew
    /// where only who had the answer can know the id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_requests(&self, scope: Scope, request_id: &str) -> Result<Vec<RequestRow>> {
        let mut query = QueryBuilder::<Postgres>::new(COLUMNS);
        query.push(" where request_id = ").push_bind(request_id);
        if let Some(organization) = scope.organization() {
            query.push(" and (organization_id = ").push_bind(organization.uuid());
            query.push(" or (organization_id is null and minted))");
        }
        query.push(" order by at desc, id desc limit ").push_bind(SAME_ID_MAX);
        let rows: Vec<RequestRow> = query.build_query_as().fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|row| row.shown_to(scope)).collect())
    }

    /// From where a key was used since an instant, by the single calls that were kept: the latest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_key_users(
        &self,
        scope: Scope,
        key: CredentialId,
        since: DateTime<Utc>,
    ) -> Result<Vec<KeyUserRow>> {
        Ok(sqlx::query_as(
            "select host(client) as client, user_agent, count(*) as calls, max(at) as last_at from request_log
             where credential_id = $1 and at >= $3 and ($2::uuid is null or organization_id = $2)
             group by 1, 2 order by last_at desc limit 10",
        )
        .bind(key.uuid())
        .bind(scope.organization().map(tollgate_domain::OrganizationId::uuid))
        .bind(since)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A page of calls, latest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_requests(
        &self,
        scope: Scope,
        filter: &RequestFilter,
        after: Option<RequestCursor>,
        limit: i64,
    ) -> Result<Vec<RequestRow>> {
        // Written anew for what is asked, so that each question finds its index.
        let mut query = QueryBuilder::<Postgres>::new(COLUMNS);
        query.push(" where true");
        if let Some(organization) = scope.organization() {
            query.push(" and organization_id = ").push_bind(organization.uuid());
        }
        if let Some(application) = filter.application {
            query.push(" and application_id = ").push_bind(application.uuid());
        }
        if let Some(credential) = filter.credential {
            query.push(" and credential_id = ").push_bind(credential.uuid());
        }
        if let Some(subscription) = filter.subscription {
            query.push(" and subscription_id = ").push_bind(subscription.uuid());
        }
        if let Some(route) = filter.route {
            query.push(" and route_id = ").push_bind(route.uuid());
        }
        if let Some(class) = filter.status_class {
            // The partial index is found by a condition that stands in the text.
            query.push(if class >= 4 { " and status >= 400" } else { "" });
            query.push(" and status / 100 = ").push_bind(class);
        }
        if let Some(code) = &filter.code {
            query.push(" and code = ").push_bind(code);
        }
        if let Some(method) = &filter.method {
            query.push(" and method = ").push_bind(method);
        }
        if let Some(prefix) = &filter.path_prefix {
            query.push(" and starts_with(path, ").push_bind(prefix).push(")");
        }
        if let Some(from) = filter.from {
            query.push(" and at >= ").push_bind(from);
        }
        if let Some(until) = filter.until {
            query.push(" and at < ").push_bind(until);
        }
        if let Some(after) = after {
            query.push(" and (at, id) < (").push_bind(after.at).push(", ").push_bind(after.id).push(")");
            // A row comparison says nothing to the choice of partitions.
            query.push(" and at <= ").push_bind(after.at);
        }
        query.push(" order by at desc, id desc limit ").push_bind(limit);
        let rows: Vec<RequestRow> = query.build_query_as().persistent(false).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|row| row.shown_to(scope)).collect())
    }

    /// Makes room for the days to come and drops those past keeping; says how many were dropped.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_request_days(&self) -> Result<i32> {
        Ok(sqlx::query_scalar("select request_log_days($1)").bind(KEEP_DAYS).fetch_one(&self.pool).await?)
    }
}

const INSERT: &str = "
insert into request_log (id, at, request_id, minted, node, organization_id, application_id, credential_id,
    subscription_id, plan_id, api_id, route_id, method, host, path, status, code, detail, duration_us, upstream_us,
    bytes_in, bytes_out, client, user_agent)
select id, greatest(least(t.at, now() + interval '1 day'), now() - interval '1 day'), request_id, minted, node,
    organization_id, application_id, credential_id, subscription_id, plan_id, api_id, route_id, method, host, path,
    status, code, detail, duration_us, upstream_us, bytes_in, bytes_out, client::inet, user_agent
from unnest($1::timestamptz[], $2::text[], $3::boolean[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[],
    $9::uuid[], $10::uuid[], $11::uuid[], $12::text[], $13::text[], $14::text[], $15::smallint[], $16::text[],
    $17::jsonb[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::text[], $23::text[], $24::bigint[])
  as t (at, request_id, minted, node, organization_id, application_id, credential_id, subscription_id, plan_id, api_id,
    route_id, method, host, path, status, code, detail, duration_us, upstream_us, bytes_in, bytes_out, client,
    user_agent, id)
on conflict (at, id) do nothing";
