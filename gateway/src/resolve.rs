//! Addresses of upstream hosts: looked up beside the calls, kept fresh, the last good ones kept when a look-up fails.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use crate::health::Health;

/// How often names without an address are looked up again.
const RETRY: Duration = Duration::from_secs(5);
/// How long a new configuration waits for its new names; one that does not resolve must not hold up the others.
const SETTLE: Duration = Duration::from_millis(300);
/// How long one look-up may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

/// One host and port, and where it is reached now.
#[derive(Debug)]
pub(crate) struct Addresses {
    /// Its own among all of this process.
    pub(crate) number: u64,
    pub(crate) health: Health,
    host: String,
    port: u16,
    found: ArcSwap<Vec<SocketAddr>>,
    asked: AtomicBool,
    failing: AtomicBool,
    turn: AtomicUsize,
}

impl Addresses {
    /// The next address in turn; none while the name is not resolved.
    pub(crate) fn next(&self) -> Option<SocketAddr> {
        let found = self.found.load();
        let turn = if found.len() > 1 { self.turn.fetch_add(1, Ordering::Relaxed) % found.len() } else { 0 };
        found.get(turn).copied()
    }

    async fn look_up(&self) {
        let looked_up =
            tokio::time::timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((self.host.as_str(), self.port)));
        let mut found: Vec<SocketAddr> = match looked_up.await {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(error)) => return self.failed(&error.to_string()),
            Err(_) => return self.failed("no answer in time"),
        };
        if found.is_empty() {
            return self.failed("it has no address");
        }
        if self.failing.swap(false, Ordering::Relaxed) {
            tracing::info!(host = %self.host, "an upstream's name resolves again");
        }
        found.sort_unstable();
        if **self.found.load() != found {
            self.found.store(Arc::new(found));
        }
    }

    /// Told once, until it works again.
    fn failed(&self, error: &str) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(host = %self.host, error, "cannot resolve an upstream");
        }
    }
}

/// All hosts in use.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    known: Mutex<HashMap<(String, u16), Arc<Addresses>>>,
}

impl Resolver {
    /// The addresses of a host; literals are known at once, names after [`Resolver::settle`] or the next refresh.
    pub(crate) fn addresses(&self, host: &str, port: u16) -> Arc<Addresses> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        // A URL writes IPv6 addresses in brackets.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.entry((host.to_owned(), port)).or_insert_with(|| {
            let literal: Option<IpAddr> = host.parse().ok();
            let found = literal.map(|ip| SocketAddr::new(ip, port)).into_iter().collect::<Vec<_>>();
            Arc::new(Addresses {
                number: NUMBERS.fetch_add(1, Ordering::Relaxed),
                health: Health::default(),
                host: host.to_owned(),
                port,
                asked: AtomicBool::new(!found.is_empty()),
                found: ArcSwap::from_pointee(found),
                failing: AtomicBool::new(false),
                turn: AtomicUsize::new(0),
            })
        });
        Arc::clone(entry)
    }

    /// Looks up the names that are new, so that a new route works from its first call on; waits a moment only.
    pub(crate) async fn settle(self: &Arc<Self>) {
        let resolver = Arc::clone(self);
        let looking = tokio::spawn(async move {
            resolver.look_up_where(|addresses| !addresses.asked.swap(true, Ordering::Relaxed)).await;
        });
        // Left alone after that, it goes on.
        let _ = tokio::time::timeout(SETTLE, looking).await;
    }

    /// Looks all names up `every` so often until `stop`; forgets hosts that no configuration names any more.
    pub(crate) async fn refresh(self: Arc<Self>, every: Duration, stop: CancellationToken) {
        let mut all_at = tokio::time::Instant::now() + every;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RETRY.min(every)) => {}
            }
            let all = all_at <= tokio::time::Instant::now();
            if all {
                all_at = tokio::time::Instant::now() + every;
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.retain(|_, addresses| Arc::strong_count(addresses) > 1);
            }
            self.look_up_where(|addresses| {
                addresses.found.load().is_empty() || (all && addresses.host.parse::<IpAddr>().is_err())
            })
            .await;
        }
    }

    async fn look_up_where(&self, wanted: impl Fn(&Addresses) -> bool) {
        let wanted: Vec<Arc<Addresses>> = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .filter(|addresses| wanted(addresses))
            .cloned()
            .collect();
        let mut lookups = tokio::task::JoinSet::new();
        for addresses in wanted {
            lookups.spawn(async move { addresses.look_up().await });
        }
        lookups.join_all().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn literals_are_known_at_once_and_names_after_a_look_up() {
        let resolver = Arc::new(Resolver::default());
        assert_eq!(resolver.addresses("127.0.0.1", 80).next(), Some(SocketAddr::from(([127, 0, 0, 1], 80))));
        assert!(resolver.addresses("[::1]", 80).next().is_some_and(|address| address.is_ipv6()));
        let local = resolver.addresses("localhost", 81);
        assert_eq!(local.next(), None);
        resolver.settle().await;
        assert!(local.next().is_some_and(|address| address.ip().is_loopback() && address.port() == 81));
        assert!(Arc::ptr_eq(&local, &resolver.addresses("localhost", 81)));
    }
}
