//! The gateway on a real database: changes come in, usage goes out, lost connections are found again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tollgate_domain::{
    ApiId, ApiState, ApplicationId, CalendarMonth, CredentialId, Environment, OrganizationId, Outcome,
    Period, PlanId, PlanState, Price, ProductId, ProductState, Scope, ServiceId, SubscriptionId,
    SubscriptionState, Target, UsageKey, Visibility,
};
use tollgate_gateway::usage::journal::{Amounts, Segment};
use tollgate_gateway::{Gateway, RunningGateway};
use tollgate_store::{NewApi, NewCredential, NewPlan, NewProduct, NewService, NewSubscription, Store};
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

use crate::http::{Client, Upstream};
use crate::stage::{mint, peppers, quick_settings, quota, until};

/// Long enough that only notifications explain a quick change, on a busy machine, too.
const POLL: Duration = Duration::from_secs(12);

struct World {
    database: TestDatabase,
    store: Store,
    upstream: Upstream,
    api: ApiId,
    plan: PlanId,
    product: ProductId,
    organization: OrganizationId,
    application: ApplicationId,
    subscription: SubscriptionId,
    credential: CredentialId,
    key: String,
    gateway: RunningGateway,
    _dir: tempfile::TempDir,
}

fn new<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

fn routes(paths: &[&str]) -> Vec<(String, String, String)> {
    paths.iter().map(|path| (path.trim_start_matches('/').into(), "GET".into(), (*path).into())).collect()
}

fn plan<'p>(
    world: (PlanId, ProductId),
    slug: &'p tollgate_domain::Slug,
    limits: &'p [tollgate_domain::Limit],
) -> NewPlan<'p> {
    NewPlan {
        id: world.0,
        product_id: world.1,
        slug,
        name: "Free",
        summary: "",
        state: PlanState::Open,
        approval: false,
        price: Price { minor: 0, currency: "EUR".parse().unwrap(), per: Period::Month },
        limits,
    }
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let store = database.store();
        let upstream = Upstream::start().await;
        let (service, api, product, plan_id): (ServiceId, ApiId, ProductId, PlanId) =
            (new(), new(), new(), new());
        let slug = "items".parse().unwrap();
        let target = Target { url: format!("http://{}", upstream.address), weight: 1 };
        let mut tx = store.begin().await.unwrap();
        tx.insert_service(&NewService {
            id: service,
            slug: &slug,
            name: "Items",
            connect_timeout_ms: 1_000,
            read_timeout_ms: 5_000,
            protocol: tollgate_domain::ServiceProtocol::H1,
            targets: &[target],
        })
        .await
        .unwrap();
        tx.insert_api(&NewApi {
            id: api,
            slug: &slug,
            name: "Items",
            summary: "",
            service_id: service,
            hosts: &[],
            base_path: "/v1",
            match_headers: &[],
            metering: &tollgate_domain::Metering::default(),
            sunset_at: None,
            successor: None,
            policies: &tollgate_domain::ApiPolicies::default(),
            state: ApiState::Published,
        })
        .await
        .unwrap();
        tx.replace_routes(api, &routes(&["/items"])).await.unwrap();
        tx.insert_product(&NewProduct {
            id: product,
            slug: &slug,
            name: "Items",
            summary: "",
            description: "",
            state: ProductState::Published,
            visibility: Visibility::Public,
            apis: &[api],
        })
        .await
        .unwrap();
        tx.insert_plan(&plan((plan_id, product), &slug, &[quota(1_000)])).await.unwrap();

        let (organization, application, subscription, credential) = (new(), new(), new(), new());
        let key = mint();
        tx.insert_organization(organization, "acme", &"acme".parse().unwrap()).await.unwrap();
        tx.insert_application(application, organization, "app").await.unwrap();
        tx.insert_subscription(NewSubscription {
            id: subscription,
            organization_id: organization,
            application_id: application,
            product_id: product,
            plan_id,
            state: SubscriptionState::Active,
        })
        .await
        .unwrap();
        tx.insert_credential(&NewCredential {
            id: credential,
            organization_id: organization,
            application_id: application,
            name: "first",
            environment: Environment::Live,
            display_prefix: &key[..12],
            display_last4: &key[key.len() - 4..],
            digest: &peppers().digest(1, &key).unwrap(),
            pepper_version: 1,
            expires_at: None,
            sealed: None,
            imported: false,
            restrictions: &tollgate_domain::Restrictions::default(),
        })
        .await
        .unwrap();
        tx.commit().await.unwrap();

        let dir = tempfile::tempdir().unwrap();
        let mut settings = quick_settings(dir.path());
        settings.poll_every = POLL;
        settings.query_timeout = Duration::from_secs(5);
        let source = Arc::new(store.clone());
        let gateway = Gateway::start(settings, source, CancellationToken::new()).await.unwrap();
        Self {
            database,
            store,
            upstream,
            api,
            plan: plan_id,
            product,
            organization,
            application,
            subscription,
            credential,
            key,
            gateway,
            _dir: dir,
        }
    }

    async fn call(&self, path: &str) -> u16 {
        let mut client = Client::connect(self.gateway.gateway_addr).await;
        client.call(&format!("GET {path}"), &[("X-API-Key", &self.key)]).await.status()
    }

    async fn used(&self) -> u64 {
        let month = CalendarMonth::of(chrono::Utc::now());
        self.store.quota_used(self.subscription, month).await.unwrap_or(0)
    }
}

#[tokio::test]
async fn routes_plans_and_keys_are_in_force_without_waiting_for_the_poll() {
    let world = World::new().await;
    assert_eq!(world.call("/v1/items").await, 200);
    assert_eq!(world.call("/v1/news").await, 404);

    let began = Instant::now();
    let mut tx = world.store.begin().await.unwrap();
    tx.replace_routes(world.api, &routes(&["/items", "/news"])).await.unwrap();
    tx.commit().await.unwrap();
    until("the new route", async || world.call("/v1/news").await == 200).await;
    assert!(began.elapsed() < POLL / 2, "{:?}", began.elapsed());

    let began = Instant::now();
    let slug = "items".parse().unwrap();
    let mut tx = world.store.begin().await.unwrap();
    tx.update_plan(&plan((world.plan, world.product), &slug, &[quota(1)])).await.unwrap();
    tx.commit().await.unwrap();
    until("the smaller quota", async || world.call("/v1/items").await == 429).await;
    assert!(began.elapsed() < POLL / 2, "{:?}", began.elapsed());

    let began = Instant::now();
    let mut tx = world.store.begin().await.unwrap();
    let scope = Scope::Organization(world.organization);
    assert!(tx.revoke_credential(scope, world.credential).await.unwrap());
    tx.commit().await.unwrap();
    until("the revocation", async || world.call("/v1/items").await == 401).await;
    assert!(began.elapsed() < POLL / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn usage_reaches_the_ledger_and_the_gateway_is_listed() {
    let world = World::new().await;
    for _ in 0..5 {
        assert_eq!(world.call("/v1/items").await, 200);
    }
    until("stored", async || world.used().await == 5).await;
    let scope = Scope::Organization(world.organization);
    let since = CalendarMonth::of(chrono::Utc::now()).start();
    let totals = world.store.usage_totals(scope, Some(world.application), since).await.unwrap();
    assert_eq!((totals.calls, totals.charged), (5, 5));
    until("listed", async || {
        let nodes = world.store.list_nodes().await.unwrap();
        nodes
            .iter()
            .any(|node| node.boot_id == world.gateway.boot_id && node.state == "serving" && node.revision > 0)
    })
    .await;
    assert_eq!(world.upstream.seen().len(), 5);
}

#[tokio::test]
async fn lost_connections_are_found_again_and_cost_no_call() {
    let world = World::new().await;
    assert_eq!(world.call("/v1/items").await, 200);
    let all_others = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                      where datname = current_database() and pid <> pg_backend_pid() and $1 = ''";
    for _ in 0..3 {
        world.database.count(all_others, "").await;
        assert_eq!(world.call("/v1/items").await, 200);
    }
    let mut tx = loop {
        // The pool of this test has lost its connections, too.
        if let Ok(tx) = world.store.begin().await {
            break tx;
        }
    };
    tx.replace_routes(world.api, &routes(&["/items", "/news"])).await.unwrap();
    tx.commit().await.unwrap();
    until("the change comes through", async || world.call("/v1/news").await == 200).await;
    until("all usage came through", async || world.used().await >= 5).await;
}

#[tokio::test]
async fn a_journal_that_postgres_refuses_is_set_aside_and_the_others_are_stored() {
    let world = World::new().await;
    // What the third process charges is beyond all numbers now.
    let full = "with full_row as (
            insert into quota_usage (subscription_id, month, boot_id, charged)
            values ($1::uuid, date_trunc('month', now() at time zone 'UTC')::date,
                '00000000-0000-0000-0000-000000000003', 9223372036854775807) returning 1)
        select count(*) from full_row";
    world.database.count(full, &world.subscription.uuid().to_string()).await;
    let dir = tempfile::tempdir().unwrap();
    let minute = u32::try_from(chrono::Utc::now().timestamp() / 60).unwrap();
    let boots = [1, 2, 3].map(Uuid::from_u128);
    // The one at fault is sent first.
    for boot_id in boots {
        let segment = Segment::create(dir.path(), boot_id, 0, 4).unwrap();
        for (status, charged) in [(500, 0), (200, 1), (501, 0)] {
            let key = UsageKey {
                credential_id: world.credential,
                subscription_id: world.subscription,
                route_id: new(),
                status,
                outcome: Outcome::Served,
                minute,
            };
            segment.add(
                segment.claim(&key).unwrap(),
                &Amounts { charged, units: charged, ..Amounts::default() },
            );
        }
    }
    let source = Arc::new(world.store.clone());
    let gateway = Gateway::start(quick_settings(dir.path()), source, CancellationToken::new()).await.unwrap();
    let stored = "select count(*) from usage_counters where boot_id::text like $1";
    until("all others are stored", async || {
        world.database.count(stored, "00000000-0000-0000-0000-00000000000_").await == 8
    })
    .await;
    let set_aside = dir.path().join(format!("usage-{}-00000000.damaged", boots[2].simple()));
    until("what was refused is kept", async || set_aside.exists()).await;
    drop(gateway);
}
