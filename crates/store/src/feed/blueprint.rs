//! What gateways route and limit by, whole or as far as it changed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::{FromRow, PgConnection};
use tollgate_domain::{
    Api, Blueprint, Deprecation, Limit, Plan, Policies, Product, RetiredApi, Route, Service, ServiceProtocol,
    Target, Unreadable, UnreadableRow,
};
use uuid::Uuid;

use super::{Head, rows};
use crate::Result;

/// A blueprint, or what of it changed.
#[derive(Debug, Clone)]
pub struct BlueprintRead {
    /// Everything but the APIs that were not touched, where those are known.
    pub(super) blueprint: Blueprint,
    /// The APIs that changed, went or came; nothing where all are listed.
    pub(super) touched: Option<Vec<Uuid>>,
}

impl BlueprintRead {
    /// The whole of it. `before` is the blueprint of the moment that was asked from.
    #[must_use]
    pub fn onto(self, before: &Blueprint) -> Blueprint {
        let Self { mut blueprint, touched } = self;
        if let Some(touched) = touched {
            let kept = before.apis.iter().filter(|api| !touched.contains(&api.id.uuid()));
            blueprint.apis.extend(kept.cloned());
            blueprint.apis.sort_unstable_by_key(|api| api.id);
        }
        blueprint
    }
}

/// Nobody is led to a successor that is not served.
const APIS: &str = "
select a.id, a.slug, a.service_id, a.hosts, a.base_path, a.match_headers, a.metering, a.policies, a.sunset_at,
    case when a.state = 'deprecated' then coalesce(a.deprecated_at, a.created_at) end as deprecated_at,
    (select s.slug from apis s where s.id = a.successor_id and s.state in ('published', 'deprecated')) as successor,
    array(select p.product_id from product_apis p join products q on q.id = p.product_id
          where p.api_id = a.id order by p.product_id) as product_ids
from apis a where a.state in ('published', 'deprecated')";

const ROUTES: &str = "
select r.api_id, r.id, r.method, r.path, r.operation_id, r.tags from routes r join apis a on a.id = r.api_id
where a.state in ('published', 'deprecated')";

const RETIRED: &str = "
select a.hosts, a.base_path, array(select distinct r.path from routes r where r.api_id = a.id order by 1) as paths,
    (select s.slug from apis s where s.id = a.successor_id and s.state in ('published', 'deprecated')) as successor
from apis a where a.state = 'retired' order by a.id";

/// The APIs that were touched since a moment, and those they succeed; none where that is not known any more.
pub(super) async fn touched_apis(conn: &mut PgConnection, since: Head) -> Result<Option<Vec<Uuid>>> {
    let known: bool = sqlx::query_scalar("select epoch = $1 and oldest_delta <= $2 from config_head")
        .bind(since.epoch)
        .bind(since.revision)
        .fetch_one(&mut *conn)
        .await?;
    if !known {
        return Ok(None);
    }
    let touched = sqlx::query_scalar(
        "with touched as (select subject_id as id from config_changes where revision > $1 and kind = 'api')
         select id from touched union select a.id from apis a join touched t on a.successor_id = t.id",
    );
    Ok(Some(touched.bind(since.revision).fetch_all(conn).await?))
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
    match_headers: serde_json::Value,
    product_ids: Vec<Uuid>,
    metering: serde_json::Value,
    deprecated_at: Option<DateTime<Utc>>,
    sunset_at: Option<DateTime<Utc>>,
    successor: Option<String>,
    policies: serde_json::Value,
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

#[derive(FromRow)]
struct FeedRetired {
    hosts: Vec<String>,
    base_path: String,
    paths: Vec<String>,
    successor: Option<String>,
}

impl FeedRetired {
    fn read(self) -> RetiredApi {
        let Self { hosts, base_path, paths, successor } = self;
        RetiredApi { hosts, base_path, paths, successor }
    }
}

#[derive(FromRow)]
struct FeedPlan {
    id: Uuid,
    product_id: Uuid,
    slug: String,
    limits: serde_json::Value,
    fallback: Option<Uuid>,
    uncharged: bool,
}

impl FeedPlan {
    /// The database checks that limits are a list, not of what; without them a plan would be without limits.
    fn read(self) -> std::result::Result<Plan, Unreadable> {
        let row = UnreadableRow::Plan(self.id.into());
        let limits: Vec<Limit> =
            serde_json::from_value(self.limits).map_err(|error| unreadable(row, "limits", &error))?;
        Ok(Plan {
            id: self.id.into(),
            product_id: self.product_id.into(),
            slug: self.slug,
            limits,
            fallback: self.fallback.map(Into::into),
            uncharged: self.uncharged,
        })
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

/// What all calls are held to; where it cannot be read, that is noted, and breaks everything.
async fn read_policies(conn: &mut PgConnection, others: &mut Vec<Unreadable>) -> Result<Policies> {
    let said: Option<serde_json::Value> =
        sqlx::query_scalar("select policies from policies").fetch_optional(conn).await?;
    Ok(serde_json::from_value(said.unwrap_or_else(|| serde_json::json!({}))).unwrap_or_else(|error| {
        others.push(unreadable(UnreadableRow::Policies, "policies", &error));
        Policies::default()
    }))
}

/// The blueprint; where `touched` are given, of the APIs only those.
pub(super) async fn read_blueprint(conn: &mut PgConnection, touched: Option<&[Uuid]>) -> Result<Blueprint> {
    let head: Head = sqlx::query_as("select epoch, revision from config_head").fetch_one(&mut *conn).await?;
    let services: Vec<FeedService> = sqlx::query_as(
        "select s.id, s.slug, s.connect_timeout_ms, s.read_timeout_ms, s.protocol,
            (select coalesce(json_agg(json_build_object('url', t.url, 'weight', t.weight) order by t.position), '[]')
             from targets t where t.service_id = s.id) as targets
         from services s order by s.id",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut apis: Vec<FeedApi> = rows(conn, APIS, "a.id", touched).await?;
    let mut routes: Vec<(Uuid, Uuid, String, String, String, Vec<String>)> =
        rows(conn, ROUTES, "r.api_id", touched).await?;
    // In the order of their ids, which decides who keeps a contested path.
    apis.sort_unstable_by_key(|api| api.id);
    routes.sort_unstable_by_key(|(_, id, ..)| *id);
    let retired: Vec<FeedRetired> = sqlx::query_as(RETIRED).fetch_all(&mut *conn).await?;
    let products: Vec<(Uuid, String)> =
        sqlx::query_as("select id, slug from products order by id").fetch_all(&mut *conn).await?;
    let plans: Vec<FeedPlan> = sqlx::query_as(PLANS).fetch_all(&mut *conn).await?;

    let mut routes_of: HashMap<Uuid, Vec<Route>> = HashMap::new();
    for (api, id, method, path, operation_id, tags) in routes {
        routes_of.entry(api).or_default().push(Route { id: id.into(), method, path, operation_id, tags });
    }
    let mut unreadable = Vec::new();
    let apis = apis.into_iter().map(|api| Api {
        deprecation: api.deprecation(),
        match_headers: readable_or_default(api.id, "match_headers", api.match_headers, &mut unreadable),
        metering: readable_or_default(api.id, "metering", api.metering, &mut unreadable),
        policies: readable_or_default(api.id, "policies", api.policies, &mut unreadable),
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
    let policies = read_policies(conn, &mut unreadable).await?;
    let certificates = crate::certificates::feed(&mut *conn).await?;
    let challenges = crate::acme::feed(&mut *conn).await?;
    Ok(Blueprint {
        policies,
        certificates,
        challenges,
        epoch: head.epoch,
        revision: head.revision,
        services,
        apis,
        retired: retired.into_iter().map(FeedRetired::read).collect(),
        products: products.into_iter().map(|(id, slug)| Product { id: id.into(), slug }).collect(),
        plans,
        unreadable,
    })
}

/// Plans, and what stands in their place for some subscriptions. Gateways know of no prices, caps or overrides.
///
/// - Where the calls of a product have a spend cap somewhere, each of its plans once more with the budget of the cap: for
///   those that are refused when it is reached, and for those that are then held to the free plan.
/// - The free plan as it holds for the latter: never charged, its quota a budget of its own.
/// - For each subscription with amounts of its own the same terms with those amounts, under the subscription's id.
const PLANS: &str = "
with terms as (
    select id, product_id, slug, case when prepaid then limits || kept_limit('$credits') else limits end as limits from plans
), capped as (
    select distinct s.product_id from spend_caps c join subscriptions s on s.id = c.subscription_id where c.landing <> 'notify'
)
select id, product_id, slug, limits, null::uuid as fallback, false as uncharged from terms
union all
select md5(id::text || ':block')::uuid, product_id, slug, limits || kept_limit('$cap'), null, false
from terms join capped using (product_id)
union all
select md5(id::text || ':throttle')::uuid, product_id, t.slug, t.limits || kept_limit('$cap'),
    md5(f.plan_id::text || ':free')::uuid, false
from terms t join capped using (product_id) left join free_plans f using (product_id)
union all
select md5(plan_id::text || ':free')::uuid, product_id, slug, throttled_limits(limits), null, true
from free_plans join capped using (product_id)
union all
select s.id, t.product_id, t.slug, (
    select coalesce(jsonb_agg(case when v.amount is null then l.value else l.value || jsonb_build_object('amount', v.amount) end
        order by l.ordinality), '[]')
    from jsonb_array_elements(t.limits) with ordinality l
    left join limit_overrides v on v.subscription_id = s.id and v.name = l.value ->> 'name'
) || case when c.landing <> 'notify' then jsonb_build_array(kept_limit('$cap')) else '[]' end,
    case when c.landing = 'throttle' then md5(f.plan_id::text || ':free')::uuid end, false
from subscriptions s join terms t on t.id = s.plan_id
left join spend_caps c on c.subscription_id = s.id left join free_plans f on f.product_id = s.product_id
where s.state in ('active', 'suspended') and exists (select from limit_overrides v where v.subscription_id = s.id)
order by id";
