//! Upstream connections at rest, of one worker thread.
//!
//! Each worker keeps its own, so that a connection stays on the thread that polls it and nobody waits for anybody: the
//! lock is there for the type system, and is never contended.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pingora_core::connectors::{ConnectorOptions, TransportConnector};
use tokio::time::Instant;
use tollgate_engine::Denial;
use tollgate_engine::snapshot::IdHasher;

use crate::http2::trunk::{Lane, Trunk};
use crate::link::Link;
use crate::upstream::{Destination, PlaceKey};

/// How long an unused connection is kept. Shorter than what common servers keep theirs, so that they rarely close
/// one that is just being used.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often those are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// Connections at rest that one worker keeps.
const KEPT_MAX: usize = 1_024;

/// Where a worker takes its upstream connections from.
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    connector: TransportConnector,
}

#[derive(Default)]
struct Idle {
    /// The last one used is the first one taken: the others grow old and go.
    places: HashMap<PlaceKey, Vec<Link>, BuildHasherDefault<IdHasher>>,
    kept: usize,
    /// Those that many calls share.
    trunks: HashMap<PlaceKey, Vec<Trunk>>,
    /// Held by whoever opens one, so that a rush of calls opens one and not one each.
    openings: HashMap<PlaceKey, Arc<tokio::sync::Mutex<()>>>,
}

impl Pool {
    /// Upstreams' certificates are checked against the roots in a file that was checked, or those of the system.
    pub(crate) fn new(roots: Option<&Path>) -> Self {
        let mut options = ConnectorOptions::new(1);
        options.ca_file = roots.and_then(Path::to_str).map(str::to_owned);
        Self { idle: Mutex::default(), connector: TransportConnector::new(Some(options)) }
    }

    /// A connection at rest that nothing was heard of.
    pub(crate) fn take(&self, destination: &Destination, address: SocketAddr) -> Option<Link> {
        let mut idle = self.idle();
        let idle = &mut *idle;
        let links = idle.places.get_mut(&destination.place())?;
        while let Some(at) = links.iter().rposition(|link| link.address == address) {
            let mut link = links.swap_remove(at);
            idle.kept -= 1;
            if link.is_quiet() {
                return Some(link);
            }
        }
        None
    }

    /// A new connection. In a box: what it takes to make one is large, and would lie in every call that uses one.
    pub(crate) async fn connect(
        &self,
        destination: &Destination,
        address: SocketAddr,
    ) -> Result<Link, Denial> {
        Box::pin(destination.connect(address, &self.connector)).await
    }

    /// A share of a connection that many calls use, which is opened where there is none.
    pub(crate) async fn lane(&self, destination: &Destination, address: SocketAddr) -> Result<Lane, Denial> {
        match self.free_lane(destination.place(), address) {
            Some(lane) => Ok(lane),
            None => Box::pin(self.open_lane(destination, address)).await,
        }
    }

    async fn open_lane(&self, destination: &Destination, address: SocketAddr) -> Result<Lane, Denial> {
        let place = destination.place();
        let opening = Arc::clone(self.idle().openings.entry(place).or_default());
        let _opening = opening.lock().await;
        if let Some(lane) = self.free_lane(place, address) {
            return Ok(lane);
        }
        let io = destination.open(address, &self.connector).await?;
        let mut trunk = Trunk::begin(io, address, destination.connect_timeout).await?;
        let lane = trunk.lane().ok_or(Denial::UpstreamFailed)?;
        self.idle().trunks.entry(place).or_default().push(trunk);
        Ok(lane)
    }

    fn free_lane(&self, place: PlaceKey, address: SocketAddr) -> Option<Lane> {
        let mut idle = self.idle();
        let trunks = idle.trunks.get_mut(&place)?;
        trunks.retain_mut(Trunk::is_open);
        trunks.iter_mut().filter(|trunk| trunk.address == address).find_map(Trunk::lane)
    }

    /// Keeps a connection whose call has ended in order.
    pub(crate) fn put(&self, destination: &Destination, mut link: Link, now: Instant) {
        let mut idle = self.idle();
        if idle.kept < KEPT_MAX && link.rest() {
            link.used = now;
            idle.kept += 1;
            idle.places.entry(destination.place()).or_default().push(link);
        }
    }

    /// Closes what was not used for long, again and again, and calls `give_back` on this thread.
    pub(crate) async fn sweep(&self, give_back: fn()) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            self.close_unused();
            give_back();
        }
    }

    fn close_unused(&self) {
        let now = Instant::now();
        let mut idle = self.idle();
        idle.places.retain(|_, links| {
            links.retain_mut(|link| now.duration_since(link.used) < IDLE_TIMEOUT && link.is_quiet());
            !links.is_empty()
        });
        idle.trunks.retain(|_, trunks| {
            trunks.retain_mut(|trunk| {
                let is_young = now.duration_since(trunk.used) < IDLE_TIMEOUT;
                trunk.is_open() && (is_young || !trunk.is_idle())
            });
            !trunks.is_empty()
        });
        let open: Vec<PlaceKey> = idle.trunks.keys().copied().collect();
        idle.openings.retain(|place, opening| open.contains(place) || Arc::strong_count(opening) > 1);
        idle.kept = idle.places.values().map(Vec::len).sum();
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
