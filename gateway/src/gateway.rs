//! Starting a gateway, and stopping it without dropping a call.

mod serving;
mod sockets;
mod supervise;

use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tollgate_engine::key::Peppers;
use uuid::Uuid;

use crate::disk::{DataDir, DirError};
use crate::feed::Feed;
use crate::feed::source::{Source, timed};
use crate::handover::{self, Inheritance};
use crate::listen::Listeners;
use crate::live::Live;
use crate::proxy::Proxy;
use crate::request_log::{AccessLog, RequestLog};
use crate::resolve::Resolver;
use crate::settings::Settings;
use crate::time;
use crate::tls::{Server, TlsError, check_roots};
use crate::usage::flush::{Flush, minute_of};
use crate::usage::leases::Leases;
use crate::usage::ledger::Ledger;
use crate::usage::leftovers::{Leftovers, leftovers};
use sockets::socket;
use supervise::supervise;

/// How long a start waits for Postgres in all when it could also start from disk.
const FIRST_ANSWER: Duration = Duration::from_secs(1);
/// The names of what is handed to the next process.
const PLAIN: &str = "plain";
const TLS: &str = "tls";
const OPERATOR: &str = "operator";
const LOCK: &str = "lock";
/// How often a process that takes over looks whether it has a configuration.
const LOADED_YET: Duration = Duration::from_millis(20);

/// Why a gateway cannot start. Postgres being away is none of the reasons.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory is not usable.
    #[error("data directory: {0}")]
    DataDir(#[from] DirError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The access log cannot be written.
    #[error("access log: {0}")]
    AccessLog(std::io::Error),
    /// No key would be recognised.
    #[error("pepper {0} is not the one that the control plane was set up with; no key would be recognised")]
    Pepper(i16),
    /// The TLS listener cannot be set up.
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    /// Threads could not be started, or the usage journal not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The data plane.
#[derive(Debug)]
pub struct Gateway;

/// A gateway that accepts calls.
#[derive(Debug)]
pub struct RunningGateway {
    /// Where callers connect.
    pub gateway_addr: SocketAddr,
    /// Where callers connect who speak TLS.
    pub tls_addr: Option<SocketAddr>,
    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub operator_addr: SocketAddr,
    /// This process, as it names itself in usage and heartbeats.
    pub boot_id: Uuid,
    supervisor: JoinHandle<()>,
}

impl RunningGateway {
    /// Waits until the gateway has stopped after its shutdown token was cancelled: calls in flight have ended or run out
    /// of time, usage is flushed or safe in the journal.
    pub async fn stopped(self) {
        if let Err(error) = self.supervisor.await {
            tracing::error!(%error, "the gateway ended abnormally");
        }
    }
}

/// What a started gateway consists of.
struct Parts {
    settings: Arc<Settings>,
    source: Arc<dyn Source>,
    live: Arc<Live>,
    ledger: Arc<Ledger>,
    log: Arc<RequestLog>,
    resolver: Arc<Resolver>,
    boot_id: Uuid,
    proxy: Arc<Proxy>,
}

impl Gateway {
    /// Starts on the caller's tokio runtime; calls are served by a runtime of the gateway's own. Serves the configuration
    /// saved on disk while the control plane is away, and nothing (not ready) while there is neither.
    ///
    /// # Errors
    /// When the data directory is in use or unusable, an address is taken, or a control plane that answers was set up with
    /// other peppers.
    pub async fn start(
        settings: Settings,
        source: Arc<dyn Source>,
        shutdown: CancellationToken,
    ) -> Result<RunningGateway, StartError> {
        let settings = Arc::new(settings);
        if let Some(roots) = &settings.upstream_roots {
            check_roots(roots).map_err(TlsError::from)?;
        }
        let mut inherited = match settings.take_over {
            true => handover::take_over(settings.data_dir.clone()).await?,
            false => None,
        };
        let data = Arc::new(match inherited.as_mut().and_then(|from| from.take(LOCK)) {
            Some(lock) => DataDir::inherit(&settings.data_dir, lock),
            None => DataDir::open(&settings.data_dir)?,
        });
        let listener = socket(&mut inherited, PLAIN, settings.listen)?;
        let tls = settings.tls.as_ref().map(|tls| socket(&mut inherited, TLS, tls.listen));
        let tls_listener = tls.transpose()?;
        let operator_listener = socket(&mut inherited, OPERATOR, settings.operator_listen)?;
        let gateway_addr = listener.local_addr()?;
        let tls_addr = tls_listener.as_ref().map(StdTcpListener::local_addr).transpose()?;
        let operator_addr = operator_listener.local_addr()?;

        let (parts, leases) = assemble(settings, source, &data)?;
        let tls = tls_server(&parts)?;
        let boot_id = parts.boot_id;
        let leftovers = leftovers(data.path(), inherited.as_ref().map(|from| from.boot_id))?;
        let (feed, flush) = first_load(&parts, &data, leftovers).await?;

        let mut things = parts.settings.hand_on.clone();
        things.extend(inherited.as_mut().map(Inheritance::rest).unwrap_or_default());
        things.push((LOCK.to_owned(), Arc::new(data.lock()?)));
        let sockets =
            [(PLAIN, Some(&listener)), (TLS, tls_listener.as_ref()), (OPERATOR, Some(&operator_listener))];
        for (name, socket) in sockets {
            if let Some(socket) = socket {
                things.push((name.to_owned(), Arc::new(socket.try_clone()?.into())));
            }
        }
        let listeners = Listeners { plain: listener, tls: tls_listener.zip(tls) };
        let supervisor = tokio::spawn(supervise(
            parts,
            (data, things, inherited),
            (listeners, operator_listener),
            (feed, flush, leases),
            shutdown,
        ));
        tracing::info!(%gateway_addr, ?tls_addr, %operator_addr, "the gateway accepts calls");
        Ok(RunningGateway { gateway_addr, tls_addr, operator_addr, boot_id, supervisor })
    }
}

fn assemble(
    settings: Arc<Settings>,
    source: Arc<dyn Source>,
    data: &DataDir,
) -> Result<(Parts, Leases), StartError> {
    let boot_id = Uuid::now_v7();
    let minute = minute_of(time::utc());
    let ledger = Arc::new(Ledger::new(data.path().to_owned(), boot_id, settings.journal_bytes_max, minute));
    let resolver = Arc::new(Resolver::default());
    let live = Arc::new(Live::new(&settings, Arc::clone(&resolver)));
    let access = settings.access_log.clone();
    let access = access.map(|target| AccessLog::start(target, settings.request_log_addresses)).transpose();
    let access = access.map_err(StartError::AccessLog)?;
    let log = Arc::new(RequestLog::new(settings.request_log, settings.request_log_per_second, access));
    let (leases, desk) = Leases::new(Arc::clone(&source), Arc::clone(&live), Arc::clone(&settings), boot_id);
    let proxy =
        Proxy::new(Arc::clone(&settings), Arc::clone(&live), Arc::clone(&ledger), Arc::clone(&log), desk);
    let proxy = Arc::new(proxy);
    Ok((Parts { settings, source, live, ledger, log, resolver, boot_id, proxy }, leases))
}

/// The TLS listener's side of handshakes; what of its files cannot be used stops the start.
fn tls_server(parts: &Parts) -> Result<Option<Server>, StartError> {
    let Parts { settings, live, .. } = parts;
    let Some(tls) = &settings.tls else { return Ok(None) };
    if let Some(dir) = &tls.certificates {
        live.certificates.open_files(dir.clone()).map_err(TlsError::from)?;
    }
    let (certificates, metrics) = (Arc::clone(&live.certificates), Arc::clone(&live.tls_metrics));
    let challenges = Arc::clone(&live.challenges);
    Ok(Some(Server::new(tls, certificates, challenges, metrics, settings.head_timeout)?))
}

/// What is to be known before the first call: from the control plane, or else from disk.
async fn first_load(
    parts: &Parts,
    data: &Arc<DataDir>,
    leftovers: Leftovers,
) -> Result<(Feed, Flush), StartError> {
    let Parts { settings, source, live, ledger, .. } = parts;
    let mut feed = Feed::new(Arc::clone(source), Arc::clone(live), Arc::clone(data), Arc::clone(settings));
    let mut flush = Flush::new(
        Arc::clone(ledger),
        Arc::clone(source),
        Arc::clone(live),
        Arc::clone(data),
        Arc::clone(settings),
        leftovers,
    );
    // Asked before the disk is read: who is silent for as long as that takes is not waited for any longer.
    let asked_at = Instant::now();
    let asking = answers(Arc::clone(source), settings.peppers.clone(), settings.query_timeout);
    let asking = AbortOnDropHandle::new(tokio::spawn(asking));
    let from_disk = feed.start_from_disk().await;
    let patience = if from_disk { FIRST_ANSWER } else { settings.query_timeout };
    let answered = tokio::time::timeout_at(asked_at + patience, asking).await;
    let answers = answered.ok().and_then(Result::ok).unwrap_or(Ok(false))?;
    if !answers {
        ledger.begin(minute_of(time::utc()));
        flush.quota_from_disk();
        return Ok((feed, flush));
    }
    let due = from_disk.then(|| Instant::now() + FIRST_ANSWER);
    let patience = || due.unwrap_or_else(|| Instant::now() + settings.query_timeout);
    // Cut short, both simply go on in the background.
    let _ = tokio::time::timeout_at(patience(), feed.catch_up_logged()).await;
    // The control plane may have told a time that lies before this machine's.
    ledger.begin(minute_of(time::utc()));
    match tokio::time::timeout_at(patience(), flush.quota_from_source()).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) | Err(_) => flush.quota_from_disk(),
    }
    Ok((feed, flush))
}

/// Whether the control plane answers within `limit`. One that does and has hashed its keys under another pepper ends the
/// start.
async fn answers(source: Arc<dyn Source>, peppers: Peppers, limit: Duration) -> Result<bool, StartError> {
    if timed(limit, source.head()).await.is_err() {
        return Ok(false);
    }
    for version in peppers.versions() {
        let known = timed(limit, source.pepper_fingerprint(version)).await.ok().flatten();
        if known.is_some_and(|known| peppers.fingerprint(version) != Some(known)) {
            return Err(StartError::Pepper(version));
        }
    }
    Ok(true)
}
