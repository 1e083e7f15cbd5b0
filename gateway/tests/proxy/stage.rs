//! A gateway with one published API, one consumer and one upstream, ready to be called.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tollgate_domain::{
    Api, Blueprint, ConsumerApplication, ConsumerCredential, ConsumerSubscription, Environment, Limit,
    LimitKind, LimitPer, Period, Plan, Product, Route, Service, Target,
};
use tollgate_engine::{Peppers, key};
use tollgate_gateway::{Gateway, RunningGateway, Settings};
use uuid::Uuid;

use crate::fake_source::FakeSource;
use crate::http::{Client, Message, Upstream};

const PEPPER: [u8; 32] = *b"a pepper of exactly 32 bytes.!?.";

pub struct Stage {
    pub source: Arc<FakeSource>,
    pub upstream: Upstream,
    pub key: String,
    pub gateway: SocketAddr,
    #[allow(dead_code, reason = "only tests of TLS connect there")]
    pub tls: Option<SocketAddr>,
    pub operator: SocketAddr,
    pub data_dir: PathBuf,
    pub boot_id: Uuid,
    running: Option<RunningGateway>,
    shutdown: CancellationToken,
    dir: Option<TempDir>,
}

/// What a test may change before the gateway starts.
pub struct Plot {
    pub blueprint: Blueprint,
    pub consumer: ConsumerApplication,
    pub key: String,
    pub upstream: Upstream,
    pub tune: Box<dyn Fn(&mut Settings)>,
}

pub fn peppers() -> Peppers {
    Peppers::new(vec![(1, PEPPER)]).expect("one pepper")
}

pub fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(n).into()
}

/// A credential for `key` with an id made from `n`.
pub fn credential(n: u128, key: &str) -> ConsumerCredential {
    let tag = peppers().tag(1, key).expect("version 1 is known");
    ConsumerCredential {
        id: id(n),
        environment: Environment::Live,
        tag,
        pepper_version: 1,
        expires_at: None,
        imported: false,
        restrictions: None,
    }
}

pub fn mint() -> String {
    let mut random = [0; 32];
    random[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    random[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    key::mint("tg", Environment::Live, &random)
}

pub fn rate(amount: u64, period: Period) -> Limit {
    let (kind, per) = (LimitKind::Rate, LimitPer::Subscription);
    Limit {
        name: "burst".into(),
        kind,
        amount,
        period,
        burst: None,
        per,
        visible: true,
        budget: tollgate_domain::Budget::default(),
    }
}

pub fn quota(amount: u64) -> Limit {
    let (kind, per) = (LimitKind::Quota, LimitPer::Subscription);
    Limit {
        name: "month".into(),
        kind,
        amount,
        period: Period::Month,
        burst: None,
        per,
        visible: true,
        budget: tollgate_domain::Budget::default(),
    }
}

pub fn route(n: u128, method: &str, path: &str) -> Route {
    Route {
        id: id(n),
        method: method.into(),
        path: path.into(),
        operation_id: format!("op{n}"),
        tags: vec!["all".into()],
    }
}

impl Plot {
    /// `/v1/items`, `/v1/items/{id}` on one upstream; a plan of 1,000 calls a second and 1,000,000 a month.
    pub async fn new() -> Self {
        let upstream = Upstream::start().await;
        let key = mint();
        let consumer = ConsumerApplication {
            id: id(70),
            organization_id: id(71),
            credentials: vec![credential(72, &key)],
            subscriptions: vec![ConsumerSubscription {
                id: id(73),
                product_id: id(40),
                plan_id: id(50),
                suspended: false,
                unpaid: false,
            }],
        };
        let target = Target { url: format!("http://{}/base", upstream.address), weight: 1 };
        let blueprint = Blueprint {
            services: vec![Service {
                id: id(10),
                slug: "items".into(),
                connect_timeout_ms: 500,
                read_timeout_ms: 5_000,
                protocol: tollgate_domain::ServiceProtocol::H1,
                targets: vec![target],
            }],
            apis: vec![Api {
                id: id(20),
                slug: "items".into(),
                service_id: id(10),
                hosts: vec![],
                base_path: "/v1".into(),
                match_headers: Vec::new(),
                metering: tollgate_domain::Metering::default(),
                deprecation: None,
                policies: tollgate_domain::ApiPolicies::default(),
                product_ids: vec![id(40)],
                routes: vec![
                    route(30, "GET", "/items"),
                    route(31, "GET", "/items/{id}"),
                    route(32, "POST", "/items"),
                ],
            }],
            products: vec![Product { id: id(40), slug: "items".into() }],
            plans: vec![Plan {
                id: id(50),
                product_id: id(40),
                slug: "free".into(),
                limits: vec![rate(1_000, Period::Second), quota(1_000_000)],
                fallback: None,
                uncharged: false,
            }],
            ..Blueprint::default()
        };
        Self { blueprint, consumer, key, upstream, tune: Box::new(|_| {}) }
    }

    pub fn limits(mut self, limits: Vec<Limit>) -> Self {
        self.blueprint.plans[0].limits = limits;
        self
    }

    pub fn tune(mut self, tune: impl Fn(&mut Settings) + 'static) -> Self {
        self.tune = Box::new(tune);
        self
    }

    pub async fn start(self) -> Stage {
        let source = FakeSource::new(self.blueprint.clone(), vec![self.consumer.clone()]);
        self.start_from(source).await
    }

    pub async fn start_from(self, source: Arc<FakeSource>) -> Stage {
        let dir = tempfile::tempdir().expect("a directory");
        let data_dir = dir.path().join("gateway");
        let mut stage = self.start_in(source, &data_dir).await;
        stage.dir = Some(dir);
        stage
    }

    pub async fn start_in(self, source: Arc<FakeSource>, data_dir: &Path) -> Stage {
        let mut settings = quick_settings(data_dir);
        (self.tune)(&mut settings);
        let shutdown = CancellationToken::new();
        let running = Gateway::start(settings, Arc::clone(&source) as _, shutdown.clone()).await;
        let running = running.expect("the gateway starts");
        Stage {
            source,
            upstream: self.upstream,
            key: self.key,
            gateway: running.gateway_addr,
            tls: running.tls_addr,
            operator: running.operator_addr,
            data_dir: data_dir.to_owned(),
            boot_id: running.boot_id,
            running: Some(running),
            shutdown,
            dir: None,
        }
    }
}

/// Everything that waits, waits less.
pub fn quick_settings(data_dir: &Path) -> Settings {
    let mut settings =
        Settings::new(data_dir.to_owned(), "https://portal.example/problems".into(), peppers());
    settings.threads = 2;
    settings.half_close_timeout = Duration::from_millis(200);
    settings.drain_delay = Duration::from_millis(50);
    settings.drain = Duration::from_secs(10);
    settings.flush_every = Duration::from_millis(50);
    settings.quota_every = Duration::from_millis(50);
    settings.poll_every = Duration::from_millis(200);
    settings.heartbeat_every = Duration::from_millis(200);
    settings.query_timeout = Duration::from_millis(500);
    settings
}

impl Stage {
    pub async fn client(&self) -> Client {
        Client::connect(self.gateway).await
    }

    /// One call with the key on a connection of its own.
    pub async fn call(&self, line: &str) -> Message {
        let bearer = format!("Bearer {}", self.key);
        self.client().await.call(line, &[("Authorization", &bearer)]).await
    }

    pub async fn operator_get(&self, path: &str) -> Message {
        Client::connect(self.operator).await.call(&format!("GET {path}"), &[("Connection", "close")]).await
    }

    pub async fn metric(&self, name: &str) -> Option<f64> {
        let text = String::from_utf8(self.operator_get("/metrics").await.body).expect("text");
        let line =
            text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Begins a graceful stop without waiting for its end.
    pub fn begin_stop(&self) {
        self.shutdown.cancel();
    }

    pub async fn stopped(&mut self) {
        let running = self.running.take().expect("stopped once");
        tokio::time::timeout(Duration::from_secs(150), running.stopped()).await.expect("it stops");
    }

    pub async fn stop(&mut self) {
        self.begin_stop();
        self.stopped().await;
    }
}

/// Waits until `holds`; a condition, not a time.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
