//! What gateways read: the blueprint, the consumers, and what changed since a revision.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::postgres::PgListener;
use sqlx::{FromRow, PgConnection};
use tollgate_domain::{
    Api, ApplicationId, Blueprint, ConsumerApplication, ConsumerCredential, ConsumerSubscription,
    Deprecation, Environment, Limit, OrganizationId, Plan, Product, RetiredApi, Route, Service,
    ServiceProtocol, Target, Unreadable, UnreadableRow,
};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// Where the configuration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Head {
    /// Differs after a restore from backup.
    pub epoch: Uuid,
    /// Grows by one with every transaction that changed something.
    pub revision: i64,
}

/// One thing that a revision touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedChange {
    /// The revision.
    pub revision: i64,
    /// What it touched.
    pub kind: FeedKind,
}

/// What to read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// Services, APIs, routes, products or plans.
    Blueprint,
    /// One application with its keys and subscriptions.
    Consumer(ApplicationId),
}

/// Everything, in one consistent view.
#[derive(Debug, Clone)]
pub struct FullLoad {
    /// Routes, services, products and plans; carries epoch and revision of the whole load.
    pub blueprint: Blueprint,
    /// Every active application.
    pub applications: Vec<ConsumerApplication>,
}

/// A connection that hears of new revisions. A hint only: it may miss some, so the head is polled as well.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    /// Waits for the next notice.
    ///
    /// # Errors
    /// The connection was lost; listen again.
    pub async fn recv(&mut self) -> Result<()> {
        // try_recv tells of a lost connection instead of hiding it, and what happened meanwhile was missed.
        match self.0.try_recv().await? {
            Some(_) => Ok(()),
            None => Err(Error::Unavailable(sqlx::Error::WorkerCrashed)),
        }
    }
}

impl Store {
    /// The current revision.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_head(&self) -> Result<Head> {
        Ok(sqlx::query_as("select epoch, revision from config_head").fetch_one(&self.pool).await?)
    }

    /// The current revision, and what time it is there.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_head_now(&self) -> Result<(Head, DateTime<Utc>)> {
        let query = sqlx::query_as("select epoch, revision, clock_timestamp() from config_head");
        let (epoch, revision, now) = query.fetch_one(&self.pool).await?;
        Ok((Head { epoch, revision }, now))
    }

    /// Starts to listen.
    ///
    /// # Errors
    /// The database is away.
    pub async fn feed_listen(&self) -> Result<Listener> {
        let mut listener = PgListener::connect_with(self.pool()).await?;
        listener.ignore_pool_close_event(true);
        listener.listen("tollgate_config").await?;
        Ok(Listener(listener))
    }

    /// What changed after a revision, in order; none where the log no longer reaches back that far.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_changes(&self, after: i64) -> Result<Option<Vec<FeedChange>>> {
        let oldest: i64 =
            sqlx::query_scalar("select oldest_delta from config_head").fetch_one(&self.pool).await?;
        if after < oldest {
            return Ok(None);
        }
        let rows: Vec<(i64, String, Uuid)> = sqlx::query_as(
            "select revision, kind, application_id from config_changes where revision > $1 order by revision",
        )
        .bind(after)
        .fetch_all(&self.pool)
        .await?;
        let changes = rows.into_iter().map(|(revision, kind, application)| FeedChange {
            revision,
            kind: if kind == "consumer" {
                FeedKind::Consumer(application.into())
            } else {
                FeedKind::Blueprint
            },
        });
        Ok(Some(changes.collect()))
    }

    /// Forgets changes older than a week; who is further behind loads everything.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_prune(&self) -> Result<()> {
        sqlx::query(
            "with gone as (delete from config_changes where at < now() - interval '7 days' returning revision)
             update config_head set oldest_delta = greatest(oldest_delta, coalesce((select max(revision) from gone), 0))
             where exists (select from gone)",
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Routes, services, products and plans in one consistent view.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_blueprint(&self) -> Result<Blueprint> {
        let mut view = self.consistent_view().await?;
        read_blueprint(&mut view).await
    }

    /// Everything in one consistent view; allowed 60 s, since it may carry a million keys.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_full(&self) -> Result<FullLoad> {
        let mut view = self.consistent_view().await?;
        sqlx::query("set local statement_timeout = '60s'").execute(&mut *view).await?;
        let blueprint = read_blueprint(&mut view).await?;
        let applications = read_consumers(&mut view, None).await?;
        Ok(FullLoad { blueprint, applications })
    }

    /// Some applications; one that is not returned is deleted or unknown. All subscriptions of a suspended one are
    /// suspended, so that its calls are refused by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn feed_consumers(&self, ids: &[ApplicationId]) -> Result<Vec<ConsumerApplication>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let mut view = self.consistent_view().await?;
        read_consumers(&mut view, Some(&ids)).await
    }

    async fn consistent_view(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>> {
        let mut tx = tokio::time::timeout(Duration::from_secs(5), self.pool().begin())
            .await
            .map_err(|_| Error::Unavailable(sqlx::Error::PoolTimedOut))??;
        sqlx::query("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
        Ok(tx)
    }
}

impl Tx {
    /// The blueprint as this transaction would leave it, so that it can be compiled before it is committed. Until this
    /// transaction ends no other configuration change commits, so what was compiled is what will be in force.
    ///
    /// # Errors
    /// The database failed.
    pub async fn blueprint(&mut self) -> Result<Blueprint> {
        // The row that gives revisions: whoever holds it is alone. The read below is a statement of its own and sees
        // everything that was committed before the lock was had.
        sqlx::query("select revision from config_head for update").execute(self.conn()).await?;
        let mut connection = self.conn().connection().await?;
        read_blueprint(connection.as_mut().ok_or(sqlx::Error::PoolClosed)?).await
    }
}

#[derive(FromRow)]
struct FeedService {
    #[sqlx(try_from = "Uuid")]
    id: tollgate_domain::ServiceId,
    slug: String,
    connect_timeout_ms: i32,
    read_timeout_ms: i32,
    protocol: String,
    #[sqlx(json)]
    targets: Vec<Target>,
}

impl FeedService {
    /// A word that only a newer build knows makes this service unreadable, and nothing else.
    fn read(self) -> std::result::Result<Service, Unreadable> {
        let row = UnreadableRow::Service(self.id);
        let protocol = ServiceProtocol::try_from(self.protocol);
        let protocol = protocol.map_err(|error| unreadable(row, "protocol", &error))?;
        Ok(Service {
            id: self.id,
            slug: self.slug,
            connect_timeout_ms: self.connect_timeout_ms.unsigned_abs(),
            read_timeout_ms: self.read_timeout_ms.unsigned_abs(),
            protocol,
            targets: self.targets,
        })
    }
}

fn unreadable(row: UnreadableRow, field: &str, error: &dyn std::error::Error) -> Unreadable {
    Unreadable { row, field: field.to_owned(), reason: error.to_string() }
}

#[derive(FromRow)]
struct FeedApi {
    #[sqlx(try_from = "Uuid")]
    id: tollgate_domain::ApiId,
    slug: String,
    #[sqlx(try_from = "Uuid")]
    service_id: tollgate_domain::ServiceId,
    hosts: Vec<String>,
    base_path: String,
    product_ids: Vec<Uuid>,
    metering: serde_json::Value,
    deprecated_at: Option<DateTime<Utc>>,
    sunset_at: Option<DateTime<Utc>>,
    successor: Option<String>,
    body_limits: serde_json::Value,
}

impl FeedApi {
    fn deprecation(&self) -> Option<Deprecation> {
        Some(Deprecation {
            since_s: self.deprecated_at?.timestamp(),
            sunset_s: self.sunset_at.map(|at| at.timestamp()),
            successor: self.successor.clone(),
        })
    }
}

/// The slug of the API that takes the place of `a`; nobody is led to one that is not served.
const SUCCESSOR: &str = "(select s.slug from apis s where s.id = a.successor_id and s.state in ('published', 'deprecated')) as successor";

#[derive(FromRow)]
struct FeedPlan {
    id: Uuid,
    product_id: Uuid,
    slug: String,
    limits: serde_json::Value,
}

impl FeedPlan {
    /// The database checks that limits are a list, not of what; without them a plan would be without limits.
    fn read(self) -> std::result::Result<Plan, Unreadable> {
        let row = UnreadableRow::Plan(self.id.into());
        let limits: Vec<Limit> =
            serde_json::from_value(self.limits).map_err(|error| unreadable(row, "limits", &error))?;
        Ok(Plan { id: self.id.into(), product_id: self.product_id.into(), slug: self.slug, limits })
    }
}

/// Those that can be read; the others are put beside.
fn readable<T>(
    rows: impl IntoIterator<Item = std::result::Result<T, Unreadable>>,
    others: &mut Vec<Unreadable>,
) -> Vec<T> {
    rows.into_iter().filter_map(|row| row.map_err(|row| others.push(row)).ok()).collect()
}

/// What a field of an API says; where it cannot be read, that is noted, and the API is not served by the default.
fn readable_or_default<T: DeserializeOwned + Default>(
    api: tollgate_domain::ApiId,
    field: &str,
    said: serde_json::Value,
    others: &mut Vec<Unreadable>,
) -> T {
    serde_json::from_value(said).unwrap_or_else(|error| {
        others.push(unreadable(UnreadableRow::Api(api), field, &error));
        T::default()
    })
}

async fn read_blueprint(conn: &mut PgConnection) -> Result<Blueprint> {
    let head: Head = sqlx::query_as("select epoch, revision from config_head").fetch_one(&mut *conn).await?;
    let services: Vec<FeedService> = sqlx::query_as(
        "select s.id, s.slug, s.connect_timeout_ms, s.read_timeout_ms, s.protocol,
            (select coalesce(json_agg(json_build_object('url', t.url, 'weight', t.weight) order by t.position), '[]')
             from targets t where t.service_id = s.id) as targets
         from services s order by s.id",
    )
    .fetch_all(&mut *conn)
    .await?;
    let apis: Vec<FeedApi> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select a.id, a.slug, a.service_id, a.hosts, a.base_path, a.metering, a.body_limits, a.sunset_at, {SUCCESSOR},
            case when a.state = 'deprecated' then coalesce(a.deprecated_at, a.created_at) end as deprecated_at,
            array(select p.product_id from product_apis p join products q on q.id = p.product_id
                  where p.api_id = a.id order by p.product_id) as product_ids
         from apis a where a.state in ('published', 'deprecated') order by a.id",
    )))
    .fetch_all(&mut *conn)
    .await?;
    let retired = read_retired(&mut *conn).await?;
    let routes: Vec<(Uuid, Uuid, String, String)> = sqlx::query_as(
        "select r.api_id, r.id, r.method, r.path from routes r join apis a on a.id = r.api_id
         where a.state in ('published', 'deprecated') order by r.id",
    )
    .fetch_all(&mut *conn)
    .await?;
    let products: Vec<(Uuid, String)> =
        sqlx::query_as("select id, slug from products order by id").fetch_all(&mut *conn).await?;
    let plans: Vec<FeedPlan> = sqlx::query_as(PLANS).fetch_all(&mut *conn).await?;

    let mut routes_of: HashMap<Uuid, Vec<Route>> = HashMap::new();
    for (api, id, method, path) in routes {
        routes_of.entry(api).or_default().push(Route { id: id.into(), method, path });
    }
    let mut unreadable = Vec::new();
    let apis = apis.into_iter().map(|api| Api {
        deprecation: api.deprecation(),
        metering: readable_or_default(api.id, "metering", api.metering, &mut unreadable),
        body_limits: readable_or_default(api.id, "body_limits", api.body_limits, &mut unreadable),
        routes: routes_of.remove(&api.id.uuid()).unwrap_or_default(),
        id: api.id,
        slug: api.slug,
        service_id: api.service_id,
        hosts: api.hosts,
        base_path: api.base_path,
        product_ids: api.product_ids.into_iter().map(Into::into).collect(),
    });
    let apis: Vec<Api> = apis.collect();
    let services = readable(services.into_iter().map(FeedService::read), &mut unreadable);
    let plans = readable(plans.into_iter().map(FeedPlan::read), &mut unreadable);
    let certificates = crate::certificates::feed(&mut *conn).await?;
    let challenges = crate::acme::feed(&mut *conn).await?;
    Ok(Blueprint {
        certificates,
        challenges,
        epoch: head.epoch,
        revision: head.revision,
        services,
        apis,
        retired,
        products: products.into_iter().map(|(id, slug)| Product { id: id.into(), slug }).collect(),
        plans,
        unreadable,
    })
}

#[derive(FromRow)]
struct FeedRetired {
    hosts: Vec<String>,
    base_path: String,
    paths: Vec<String>,
    successor: Option<String>,
}

async fn read_retired(conn: &mut PgConnection) -> Result<Vec<RetiredApi>> {
    let rows: Vec<FeedRetired> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "select a.hosts, a.base_path,
            array(select distinct r.path from routes r where r.api_id = a.id order by 1) as paths, {SUCCESSOR}
         from apis a where a.state = 'retired' order by a.id",
    )))
    .fetch_all(&mut *conn)
    .await?;
    let api = |FeedRetired { hosts, base_path, paths, successor }| RetiredApi {
        hosts,
        base_path,
        paths,
        successor,
    };
    Ok(rows.into_iter().map(api).collect())
}

/// Plans, and for each subscription with amounts of its own a plan of its own: the same terms with those amounts, under the
/// subscription's id. Gateways know nothing of overrides.
const PLANS: &str = "
select id, product_id, slug, limits from plans
union all
select s.id, p.product_id, p.slug, (
    select coalesce(jsonb_agg(case when v.amount is null then l.value else l.value || jsonb_build_object('amount', v.amount) end
        order by l.ordinality), '[]')
    from jsonb_array_elements(p.limits) with ordinality l
    left join limit_overrides v on v.subscription_id = s.id and v.name = l.value ->> 'name'
)
from subscriptions s join plans p on p.id = s.plan_id
where s.state in ('active', 'suspended') and exists (select from limit_overrides v where v.subscription_id = s.id)
order by id";

#[derive(FromRow)]
struct FeedCredential {
    application_id: Uuid,
    id: Uuid,
    #[sqlx(try_from = "String")]
    environment: Environment,
    digest: Vec<u8>,
    pepper_version: i16,
    expires_at: Option<DateTime<Utc>>,
}

async fn read_consumers(conn: &mut PgConnection, ids: Option<&[Uuid]>) -> Result<Vec<ConsumerApplication>> {
    let applications: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select a.id, a.organization_id from applications a join organizations o on o.id = a.organization_id
         where a.deleted_at is null and o.deleted_at is null
           and ($1::uuid[] is null or a.id = any($1)) order by a.id",
    )
    .bind(ids)
    .fetch_all(&mut *conn)
    .await?;
    let credentials: Vec<FeedCredential> = sqlx::query_as(
        "select application_id, id, environment, digest, pepper_version, expires_at from credentials
         where revoked_at is null and (expires_at is null or expires_at > now() - interval '30 days')
           and ($1::uuid[] is null or application_id = any($1)) order by application_id, id",
    )
    .bind(ids)
    .fetch_all(&mut *conn)
    .await?;
    let subscriptions: Vec<(Uuid, Uuid, Uuid, Uuid, bool, bool)> = sqlx::query_as(
        "select s.application_id, s.id, s.product_id, coalesce(s.landed_plan_id,
                (select s.id where exists (select from limit_overrides v where v.subscription_id = s.id)), s.plan_id),
            s.state = 'suspended' or a.state = 'suspended', s.unpaid
         from subscriptions s join applications a on a.id = s.application_id
         where s.state in ('active', 'suspended') and ($1::uuid[] is null or s.application_id = any($1))
         order by s.application_id, s.id",
    )
    .bind(ids)
    .fetch_all(&mut *conn)
    .await?;

    let mut found: HashMap<Uuid, ConsumerApplication> = applications
        .into_iter()
        .map(|(id, organization)| {
            let application = ConsumerApplication {
                id: id.into(),
                organization_id: OrganizationId::from(organization),
                credentials: Vec::new(),
                subscriptions: Vec::new(),
            };
            (id, application)
        })
        .collect();
    for row in credentials {
        let Some((tag, _)) = row.digest.split_first_chunk() else { continue };
        if let Some(application) = found.get_mut(&row.application_id) {
            application.credentials.push(ConsumerCredential {
                id: row.id.into(),
                environment: row.environment,
                tag: *tag,
                pepper_version: row.pepper_version,
                expires_at: row.expires_at.map(|at| at.timestamp()),
            });
        }
    }
    for (application, id, product, plan, suspended, unpaid) in subscriptions {
        if let Some(application) = found.get_mut(&application) {
            application.subscriptions.push(ConsumerSubscription {
                id: id.into(),
                product_id: product.into(),
                plan_id: plan.into(),
                suspended,
                unpaid,
            });
        }
    }
    Ok(found.into_values().collect())
}
