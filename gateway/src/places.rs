//! Who may be connected at once: so many in all, so many from one network; and who has to leave when all places are
//! taken and somebody else comes.
//!
//! A connection that waits for its caller's next head costs a place and does nothing. When no place is free, those
//! that have waited longest are closed; a call that is being served never is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use atomic_waker::AtomicWaker;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tollgate_boot::TrustedProxies;
use tollgate_boot::trusted::network_of;

use crate::metrics::Metrics;
use crate::settings::Settings;

/// While every place serves a call: how often somebody who has finished is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The part of all places that is cleared at once, so that a rush of newcomers is not one search each.
const CLEARED_PART: usize = 128;

/// All places of a gateway.
pub(crate) struct Places {
    free: Arc<Semaphore>,
    at_once: usize,
    /// Connections of one network; 0 is no bound.
    per_network_max: usize,
    trusted: TrustedProxies,
    crowd: Mutex<Crowd>,
    metrics: Arc<Metrics>,
    opened: Instant,
    /// Whether all who are idle have to go.
    closing: AtomicBool,
}

#[derive(Default)]
struct Crowd {
    last: u64,
    seats: HashMap<u64, Arc<Seat>>,
    networks: HashMap<IpAddr, usize>,
}

/// What both the connection and its successors see of it.
#[derive(Default)]
struct Seat {
    /// Milliseconds since `opened`, plus one, at which the connection began to wait for a head; 0 while it serves.
    waits_since: AtomicU64,
    is_to_leave: AtomicBool,
    waker: AtomicWaker,
}

/// One network's share of the places, given back when dropped.
pub(crate) struct Share {
    places: Arc<Places>,
    network: Option<IpAddr>,
}

/// A connection's place, given back when dropped.
pub(crate) struct Place {
    seat: Arc<Seat>,
    number: u64,
    share: Share,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(settings: &Settings, metrics: Arc<Metrics>) -> Arc<Self> {
        let all = settings.connections_max.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(all)),
            at_once: (all / CLEARED_PART).max(1),
            per_network_max: settings.connections_per_address,
            trusted: settings.trusted_proxies.clone(),
            crowd: Mutex::default(),
            metrics,
            opened: Instant::now(),
            closing: AtomicBool::new(false),
        })
    }

    /// A share for one more connection of this peer; none, counted, where its network has all of its own. Trusted
    /// proxies bring everybody's calls and have no bound.
    pub(crate) fn share(self: &Arc<Self>, peer: IpAddr) -> Option<Share> {
        if self.per_network_max == 0 || self.trusted.contains(peer) {
            return Some(Share { places: Arc::clone(self), network: None });
        }
        let network = network_of(peer);
        let mut crowd = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = crowd.networks.entry(network).or_default();
        if *taken >= self.per_network_max {
            self.metrics.connection_refused("per_address");
            return None;
        }
        *taken += 1;
        Some(Share { places: Arc::clone(self), network: Some(network) })
    }

    /// A free place; where there is none, those that have waited longest for a head make room.
    pub(crate) async fn take(self: &Arc<Self>, share: Share) -> std::io::Result<Place> {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
                break permit;
            }
            self.clear();
            let free = Arc::clone(&self.free).acquire_owned();
            if let Ok(permit) = tokio::time::timeout(LOOK_AGAIN, free).await {
                break permit.map_err(std::io::Error::other)?;
            }
        };
        let seat = Arc::new(Seat { waits_since: AtomicU64::new(self.now()), ..Seat::default() });
        let mut crowd = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        crowd.last += 1;
        let number = crowd.last;
        crowd.seats.insert(number, Arc::clone(&seat));
        drop(crowd);
        Ok(Place { seat, number, share, _permit: permit })
    }

    fn clear(&self) {
        let crowd = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting: Vec<(u64, u64, &Arc<Seat>)> = crowd
            .seats
            .iter()
            .map(|(number, seat)| (seat.waits_since.load(Ordering::Acquire), *number, seat))
            .filter(|(since, _, seat)| *since > 0 && !seat.is_to_leave.load(Ordering::Acquire))
            .collect();
        let leaving = self.at_once.min(waiting.len());
        if leaving == 0 {
            return;
        }
        waiting.select_nth_unstable_by_key(leaving - 1, |(since, number, _)| (*since, *number));
        for (_, _, seat) in &waiting[..leaving] {
            seat.is_to_leave.store(true, Ordering::Release);
            seat.waker.wake();
            self.metrics.connections_evicted.inc();
        }
    }

    /// Closes the connections that are idle between two requests, and from now on all that become so.
    pub(crate) fn close_idle(&self) {
        self.closing.store(true, Ordering::Release);
        let crowd = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        crowd.seats.values().for_each(|seat| seat.waker.wake());
    }

    fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    fn at(&self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.opened);
        u64::try_from(since.as_millis()).map_or(u64::MAX, |ms| ms.saturating_add(1))
    }
}

impl Place {
    /// A head is complete: the connection serves a call and may stay.
    pub(crate) fn serves(&self) {
        self.seat.waits_since.store(0, Ordering::Release);
    }

    /// The next head is awaited.
    pub(crate) fn waits(&self) {
        self.waits_since(Instant::now());
    }

    /// As [`Place::waits`], where the present moment is known.
    pub(crate) fn waits_since(&self, now: Instant) {
        self.seat.waits_since.store(self.share.places.at(now), Ordering::Release);
    }

    /// Ready once the place is needed by somebody else, or all who are idle have to go. To be asked only while a head is
    /// awaited; `is_idle` where none of its bytes came and another was answered before.
    pub(crate) fn poll_leave(&self, cx: &mut Context<'_>, is_idle: bool) -> Poll<()> {
        self.seat.waker.register(cx.waker());
        let leaves = self.is_needed() || (is_idle && self.share.places.closing.load(Ordering::Acquire));
        if leaves { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether somebody else needs the place.
    pub(crate) fn is_needed(&self) -> bool {
        self.seat.is_to_leave.load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut crowd = self.share.places.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        crowd.seats.remove(&self.number);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut crowd = self.places.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = crowd.networks.get_mut(&network) {
            *taken -= 1;
            if *taken == 0 {
                crowd.networks.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections_max: usize, per_address: usize) -> Arc<Places> {
        let peppers = tollgate_engine::Peppers::new(vec![(1, *b"a pepper of exactly 32 bytes.!?.")]).unwrap();
        let mut settings = Settings::new("unused".into(), String::new(), peppers);
        settings.connections_max = connections_max;
        settings.connections_per_address = per_address;
        settings.trusted_proxies = "10.0.0.0/8".parse().unwrap();
        Places::new(&settings, Arc::default())
    }

    fn is_to_leave(place: &Place) -> bool {
        place.poll_leave(&mut Context::from_waker(std::task::Waker::noop()), true).is_ready()
    }

    #[test]
    fn a_network_has_its_share_and_gets_it_back() {
        let places = places(100, 2);
        let share = |address: &str| places.share(address.parse().unwrap());
        let first = share("2001:db8:0:1::1");
        let second = share("2001:db8:0:1:ffff::2");
        assert!(first.is_some() && second.is_some());
        assert!(share("2001:db8:0:1::3").is_none(), "one subscriber has the whole /64");
        assert!(share("2001:db8:0:2::1").is_some(), "another network");
        drop(first);
        let third = share("2001:db8:0:1::3");
        assert!(third.is_some());
        let proxies: Vec<_> = (0..3).map(|_| share("10.0.0.1")).collect();
        assert!(proxies.iter().all(Option::is_some), "a trusted proxy brings everybody");
        drop((second, third, proxies));
        assert!(places.crowd.lock().unwrap().networks.is_empty(), "nothing is remembered of who has left");
    }

    #[tokio::test]
    async fn those_who_wait_longest_leave_and_those_who_are_served_stay() {
        let places = places(3, 0);
        let take = async || places.take(places.share([192, 0, 2, 1].into()).unwrap()).await.unwrap();
        let (served, oldest, younger) = (take().await, take().await, take().await);
        served.serves();
        let newcomer = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take(places.share([192, 0, 2, 9].into()).unwrap()).await.unwrap() }
        });
        while !is_to_leave(&oldest) {
            tokio::task::yield_now().await;
        }
        assert!(!is_to_leave(&served) && !is_to_leave(&younger));
        drop(oldest);
        let newcomer = newcomer.await.unwrap();
        assert!(!is_to_leave(&newcomer));
        drop((served, younger, newcomer));
        assert!(places.crowd.lock().unwrap().seats.is_empty());
        assert_eq!(places.free.available_permits(), 3);
    }
}
