//! What stands on the stage: a database behind a proxy that spoils connections, a published API with its upstream, and
//! gateways as processes of their own, which can be killed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;
use tollgate_domain::{Limit, Period, PlanState, Price, Slug};
use tollgate_store::{NewPlan, Store};
use tollgate_testkit::{Behind, FaultProxy, TestDatabase, Upstream, World, month_quota, peppers_variable};

/// For what must come, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Rig {
    pub database: TestDatabase,
    pub store: Store,
    /// Between the gateways and the database.
    pub postgres: FaultProxy,
    /// Between the gateways and the upstream.
    pub way: FaultProxy,
    pub world: World,
    /// Requests that reached the upstream.
    pub arrived: Arc<AtomicU64>,
    _upstream: Upstream,
    dir: tempfile::TempDir,
}

impl Rig {
    pub async fn new() -> Self {
        Self::on(TestDatabase::create().await).await
    }

    pub async fn on(database: TestDatabase) -> Self {
        let store = database.store();
        let postgres = FaultProxy::start(behind(database.url())).await;
        let arrived = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&arrived);
        let answer = any(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            async { "an answer of some length, so that it can be cut off in its middle" }
        });
        let upstream = Upstream::serving(Router::new().route("/items", answer)).await;
        let way = FaultProxy::start(Behind::Tcp(upstream.address())).await;
        let url = format!("http://{}", way.address());
        let world = World::publish(&store, "items", "/v1", &url, &[month_quota(1_000_000)]).await;
        let dir = tempfile::tempdir().expect("a directory");
        Self { database, store, postgres, way, world, arrived, _upstream: upstream, dir }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("gateway-data")
    }

    /// The command that starts a gateway on this stage.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary());
        self.dress(&mut command);
        command
    }

    /// Tells a command that ends in the binary's name that it is a gateway on this stage.
    pub fn dress(&self, command: &mut Command) {
        command
            .args(["gateway", "--log-format", "json"])
            .env("DATABASE_URL", proxied_database(self))
            .env("TOLLGATE_DATA_DIR", self.data_dir())
            .env("TOLLGATE_PEPPERS", peppers_variable())
            .env("TOLLGATE_GATEWAY_LISTEN", "127.0.0.1:0")
            .env("TOLLGATE_OPERATOR_LISTEN", "127.0.0.1:0")
            .env("TOLLGATE_GATEWAY_THREADS", "1")
            .env("TOLLGATE_LOG", "warn,tollgate=info,tollgate_gateway=info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
    }

    /// A gateway that serves.
    pub async fn gateway(&self) -> Process {
        Process::start(self.command()).await.expect("the gateway serves")
    }

    /// The plan of this world, with other limits.
    pub fn plan_with<'p>(&self, slug: &'p Slug, limits: &'p [Limit]) -> NewPlan<'p> {
        NewPlan {
            id: self.world.plan,
            product_id: self.world.product,
            slug,
            name: "items",
            summary: "",
            state: PlanState::Open,
            approval: false,
            price: Price { minor: 0, currency: "EUR".parse().expect("a currency"), per: Period::Month },
            limits,
        }
    }

    /// Calls of this world that are in the ledger.
    pub async fn counted(&self) -> u64 {
        let sum = "select coalesce(sum(calls), 0)::bigint from usage_counters where status = 200 and $1 = ''";
        u64::try_from(self.database.count(sum, "").await).expect("a sum of calls")
    }
}

/// What was built for this test, or what `TOLLGATE_FAULTS_BINARY` names: a release build, which has no fail points.
pub fn binary() -> PathBuf {
    std::env::var_os("TOLLGATE_FAULTS_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_tollgate").into(), PathBuf::from)
}

/// A gateway process.
pub struct Process {
    child: tokio::process::Child,
    pub gateway: SocketAddr,
    pub operator: SocketAddr,
}

impl Process {
    /// Waits until it serves; none where it ended before.
    pub async fn start(mut command: Command) -> Option<Self> {
        let mut child = command.spawn().expect("the binary starts");
        let stderr = child.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(stderr).lines();
        let mut said = Vec::new();
        let reading = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(addresses) = serving(&line) {
                    return Some(addresses);
                }
                said.push(line);
            }
            None
        };
        let found = timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("no gateway"));
        // What it says later must not fill the pipe.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if std::env::var_os("TOLLGATE_FAULTS_SHOW_LOGS").is_some() {
                    eprintln!("{line}");
                }
            }
        });
        if found.is_none() && std::env::var_os("TOLLGATE_FAULTS_SHOW_LOGS").is_some() {
            eprintln!("ended before it served: {said:?}");
        }
        let (gateway, operator) = found?;
        Some(Self { child, gateway, operator })
    }

    pub fn id(&self) -> u32 {
        self.child.id().expect("it was not waited for")
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        if let Some(id) = self.child.id() {
            let id = nix::unistd::Pid::from_raw(i32::try_from(id).expect("a process id"));
            // It may have ended by itself meanwhile.
            let _ = nix::sys::signal::kill(id, signal);
        }
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let waiting = timeout(PATIENCE * 2, self.child.wait()).await;
        waiting.expect("it ends in time").expect("it can be waited for")
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked for").is_some()
    }

    /// Bytes of its memory that are in use.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of its memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }

    /// Files and sockets that it has open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).expect("it lives").count()
    }

    pub async fn metric(&self, name: &str) -> Option<f64> {
        let text = crate::load::get(self.operator, "/metrics", None).await?.body;
        let line =
            text.lines().find(|line| line.split_once([' ', '{']).is_some_and(|(word, _)| word == name))?;
        line.rsplit(' ').next()?.parse().ok()
    }
}

fn serving(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let said: serde_json::Value = serde_json::from_str(line).ok()?;
    (said["message"] == "gateway serving").then_some(())?;
    let address = |name: &str| said[name].as_str()?.parse().ok();
    Some((address("gateway")?, address("operator")?))
}

/// Where a `postgres://` URL leads.
fn behind(url: &str) -> Behind {
    let (authority, query) = parts(url);
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "5432"));
    match query.split('&').find_map(|pair| pair.strip_prefix("host=")) {
        Some(dir) => Behind::Unix(PathBuf::from(dir.replace("%2F", "/")).join(format!(".s.PGSQL.{port}"))),
        None => {
            let host = if host == "localhost" { "127.0.0.1" } else { host };
            Behind::Tcp(format!("{host}:{port}").parse().expect("an address"))
        }
    }
}

/// How the database of a stage is reached through the proxy before it.
pub fn proxied_database(rig: &Rig) -> String {
    proxied(rig.database.url(), rig.postgres.address())
}

/// The same URL, with the proxy in place of the server.
fn proxied(url: &str, proxy: SocketAddr) -> String {
    let (authority, _) = parts(url);
    let url = url.split('?').next().unwrap_or(url);
    format!("{}?sslmode=disable", url.replacen(authority, &proxy.to_string(), 1))
}

/// `host:port` and the query of a URL.
fn parts(url: &str) -> (&str, &str) {
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    (authority.rsplit_once('@').map_or(authority, |(_, host)| host), query)
}

/// What the matrix asks for, where there is time for it (`scripts/faults`), else a shorter time.
pub fn seconds(quick: u64, matrix: u64) -> Duration {
    Duration::from_secs(if at_length() { matrix } else { quick })
}

/// Whether there is time for all that the matrix asks for.
pub fn at_length() -> bool {
    std::env::var_os("TOLLGATE_FAULTS_AT_LENGTH").is_some()
}

/// Waits until `holds`; a condition, not a time.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
