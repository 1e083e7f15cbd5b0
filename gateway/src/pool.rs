//! Upstream connections at rest, of one worker thread.
//!
//! Each worker keeps its own, so that a connection stays on the thread that polls it and nobody waits for anybody: the
//! lock is there for the type system, and is never contended.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pingora_core::connectors::{ConnectorOptions, TransportConnector};
use tokio::time::Instant;
use tollgate_engine::Denial;

use crate::link::Link;
use crate::upstream::{Destination, PlaceKey};

/// How long an unused connection is kept. Shorter than what common servers keep theirs, so that they rarely close
/// one that is just being used.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often those are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// Connections at rest that one worker keeps.
const KEPT_MAX: usize = 512;

/// Where a worker takes its upstream connections from.
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    connector: TransportConnector,
}

#[derive(Default)]
struct Idle {
    /// The last one used is the first one taken: the others grow old and go.
    places: HashMap<PlaceKey, Vec<Link>>,
    kept: usize,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self { idle: Mutex::default(), connector: TransportConnector::new(Some(ConnectorOptions::new(1))) }
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

    /// A new connection.
    pub(crate) async fn connect(
        &self,
        destination: &Destination,
        address: SocketAddr,
    ) -> Result<Link, Denial> {
        destination.connect(address, &self.connector).await
    }

    /// Keeps a connection whose call has ended in order.
    pub(crate) fn put(&self, destination: &Destination, mut link: Link) {
        let mut idle = self.idle();
        if idle.kept < KEPT_MAX && link.rest() {
            link.used = Instant::now();
            idle.kept += 1;
            idle.places.entry(destination.place()).or_default().push(link);
        }
    }

    /// Closes what was not used for long, again and again.
    pub(crate) async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            let now = Instant::now();
            let mut idle = self.idle();
            idle.places.retain(|_, links| {
                links.retain_mut(|link| now.duration_since(link.used) < IDLE_TIMEOUT && link.is_quiet());
                !links.is_empty()
            });
            idle.kept = idle.places.values().map(Vec::len).sum();
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
