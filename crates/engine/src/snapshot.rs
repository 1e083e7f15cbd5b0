//! The compiled form of one revision: immutable, read without a lock, swapped as a whole.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use tollgate_domain::{
    ApiId, Funds, LimitPer, Period, PlanId, ProductId, RouteId, ServiceId, ServiceProtocol, Statuses,
};
use uuid::Uuid;

use crate::admission::Method;
use crate::denial::Denial;
use crate::gcra::Rate;
use crate::policies::{Guard, PolicyCounts};
use crate::reading::Place;
use crate::retired::Retired;
pub use crate::router::RouteMatch;
use crate::router::Router;
use crate::rules::{Names, Whence};

/// Everything but the consumers, ready to be asked.
#[derive(Debug)]
pub struct Snapshot {
    /// Changes when a database is restored from a backup.
    pub epoch: Uuid,
    /// The revision it was compiled from.
    pub revision: i64,
    pub(crate) router: Router,
    /// What was published once; looked at where nothing else is found.
    pub(crate) retired: Retired,
    pub(crate) routes: Vec<Route>,
    /// In the order of the routes; apart from them, because few calls ask.
    pub(crate) names: Vec<Names>,
    pub(crate) apis: Vec<Api>,
    pub(crate) api_indices: IdMap<ApiId, u32>,
    pub(crate) services: Vec<Service>,
    pub(crate) plans: Vec<Plan>,
    pub(crate) plan_indices: IdMap<PlanId, u32>,
    /// Plans that are known and cannot be used.
    pub(crate) broken_plans: Vec<PlanId>,
    pub(crate) policy_counts: PolicyCounts,
    /// No other snapshot of this process has it.
    pub(crate) serial: u64,
}

/// One operation.
#[derive(Debug)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// Its method.
    pub method: Method,
    /// Base path and path template as published: `http.route` of metrics.
    pub template: Arc<str>,
    /// What a charged call costs: so much of a quota.
    pub units: u32,
    /// Bytes of a request's body, and of each message of gRPC; none where the gateway says it.
    pub body_bytes_max: Option<u64>,
    /// What its calls are held to besides their plans; mostly nothing.
    pub(crate) guard: Option<Arc<Guard>>,
    pub(crate) api: u32,
}

/// One published API.
#[derive(Debug)]
pub struct Api {
    /// Its id.
    pub id: ApiId,
    /// Its name.
    pub slug: Box<str>,
    /// Products that it is part of.
    pub product_ids: Box<[ProductId]>,
    /// Whether something about it does not compile: its calls are refused, and never meet another API's route.
    pub is_broken: bool,
    /// Where the numbers stand that are read from its answers; mostly nowhere.
    pub readings: Box<[Place]>,
    /// Nanoseconds since the Unix epoch from which on it is not served; `u64::MAX` for one that stays.
    pub(crate) sunset_ns: u64,
    /// The slug of the API that takes its place.
    pub(crate) successor: Option<Arc<str>>,
    /// Statuses of which it charges the calls; none for all that can be charged.
    pub(crate) charged: Option<Box<[Statuses]>>,
    pub(crate) service: u32,
}

impl Api {
    /// Whether it is no longer served at this instant, in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn is_over(&self, now_ns: u64) -> bool {
        self.sunset_ns <= now_ns
    }

    /// Whether an upstream's answer with this status is charged.
    #[must_use]
    pub fn charges(&self, status: u16) -> bool {
        self.charged.as_ref().is_none_or(|some| some.iter().any(|statuses| statuses.contain(status)))
    }

    /// Whether a number is read from the bodies of its answers: they must not come compressed.
    #[must_use]
    pub fn reads_bodies(&self) -> bool {
        self.readings.iter().any(|place| matches!(place, Place::Json(_)))
    }
}

/// A system we forward to.
#[derive(Debug)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Its name.
    pub slug: Box<str>,
    /// Milliseconds to open a connection.
    pub connect_timeout_ms: u32,
    /// Milliseconds to wait for bytes of an answer.
    pub read_timeout_ms: u32,
    /// How it is spoken to.
    pub protocol: ServiceProtocol,
    /// Its addresses, those that take no calls included.
    pub targets: Box<[Target]>,
    /// Indices of targets, spread by weight.
    pub(crate) schedule: Box<[u16]>,
    pub(crate) turn: AtomicUsize,
}

impl Service {
    /// In the place of one that cannot be used: it has no target, and no call comes so far.
    pub(crate) fn stub(id: ServiceId, slug: &str) -> Self {
        Self {
            id,
            slug: slug.into(),
            connect_timeout_ms: 0,
            read_timeout_ms: 0,
            protocol: ServiceProtocol::H1,
            targets: Box::default(),
            schedule: Box::default(),
            turn: AtomicUsize::new(0),
        }
    }

    /// The index of the target whose turn it is, by smooth weighted round robin.
    ///
    /// # Panics
    /// Where none takes calls; the APIs of such a service are broken, and no call of theirs comes so far.
    #[must_use]
    pub fn pick(&self) -> usize {
        let turn = match self.schedule.len() {
            // One target: no counter that all threads would write to.
            1 => 0,
            len => self.turn.fetch_add(1, Ordering::Relaxed) % len,
        };
        usize::from(self.schedule[turn])
    }
}

/// One address of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whether it is spoken to over TLS.
    pub tls: bool,
    /// Host name or address; IPv6 without brackets. Also the name that TLS verifies.
    pub host: Box<str>,
    /// Port.
    pub port: u16,
    /// `host:port` to connect to; IPv6 in brackets.
    pub address: Box<str>,
    /// The value of `Host`: like `address`, without the scheme's own port.
    pub authority: Box<str>,
    /// What stands before every forwarded path: empty or `/segment…` without a final slash.
    pub path_prefix: Box<str>,
    /// Its share of the calls; 0 takes none.
    pub weight: u16,
}

/// The terms of a product.
#[derive(Debug)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// The product it is for.
    pub product_id: ProductId,
    /// Its name.
    pub slug: Box<str>,
    /// Its limits in the order they are shown.
    pub limits: Box<[PlanLimit]>,
    /// The value of `RateLimit-Policy`; none where no limit is visible.
    pub policy_header: Option<Bytes>,
    /// The plan whose limits hold instead once a spend cap is reached.
    pub(crate) fallback: Option<PlanId>,
    /// Whether its calls are never charged.
    pub(crate) uncharged: bool,
    /// Whether a limit is each key's own.
    pub(crate) limits_keys: bool,
}

/// One limit of a plan.
#[derive(Debug)]
pub struct PlanLimit {
    /// Its name.
    pub name: Arc<str>,
    /// Calls per period.
    pub amount: u64,
    /// The period that `amount` is for.
    pub period: Period,
    /// Whether consumers are told of it.
    pub visible: bool,
    /// How it is checked.
    pub check: LimitCheck,
    /// `"name";r=`
    pub(crate) header_start: Box<str>,
}

/// How a limit is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitCheck {
    /// Speed, on one of the meter's cells.
    Rate {
        /// The rate.
        rate: Rate,
        /// Which cell of the meter.
        cell: usize,
        /// Whose meter.
        per: LimitPer,
    },
    /// Budget of `amount` per calendar month, shared with other processes by what they tell each other.
    Quota,
    /// Budget that the database lends in parts.
    Lease {
        /// Which lease of the account.
        cell: usize,
        /// Which budget, see [`crate::lease::key_of`].
        key: u64,
        /// What it is a budget of.
        funds: Funds,
    },
}

impl Snapshot {
    /// Finds a route: first among the APIs of exactly this host, then among those of any host; among each first where
    /// most of the call's fields are asked for.
    #[must_use]
    pub fn find_route(&self, host: &str, method: Method, path: &str, whence: &dyn Whence) -> RouteMatch {
        self.router.find(host, method, path, whence)
    }

    /// What callers are told of a path where nothing is published any more; none where nothing ever was.
    #[must_use]
    pub fn find_retired(&self, host: &str, path: &str) -> Option<Denial> {
        self.retired.find(host, path).map(|successor| Denial::ApiRetired { successor })
    }

    /// A route by its index in this snapshot.
    #[must_use]
    pub fn route(&self, index: u32) -> &Route {
        &self.routes[index as usize]
    }

    /// The API that a route belongs to.
    #[must_use]
    pub fn api_of(&self, route: &Route) -> &Api {
        &self.apis[route.api as usize]
    }

    /// Where calls of an API go.
    #[must_use]
    pub fn service_of(&self, api: &Api) -> &Service {
        &self.services[api.service as usize]
    }

    /// A plan by its index in this snapshot.
    #[must_use]
    pub fn plan(&self, index: u32) -> &Plan {
        &self.plans[index as usize]
    }

    /// The plan whose limits hold instead of another's once a spend cap is reached.
    pub(crate) fn fallback_of(&self, plan: u32) -> Option<u32> {
        self.plan_index(self.plan(plan).fallback?)
    }

    /// Whether a limit may be each key's own, of a plan or of what it falls back to.
    pub(crate) fn limits_keys(&self, plan: u32) -> bool {
        let fallback = self.fallback_of(plan);
        self.plan(plan).limits_keys || fallback.is_some_and(|fallback| self.plan(fallback).limits_keys)
    }

    /// Goes on with what was counted for the policies of the snapshot before it, if any, and takes the memory for it; so
    /// that a change of the configuration opens no limit.
    pub fn carry_on(&mut self, before: Option<&Self>) {
        if let Some(before) = before {
            self.policy_counts.carry_on(&before.policy_counts);
        }
        if self.policy_counts.needs_each {
            self.policy_counts.each.prepare();
        }
    }

    /// Calls that were admitted without being counted by rates of policies, because the table was full at their place.
    #[must_use]
    pub fn uncounted(&self) -> u64 {
        self.policy_counts.each.uncounted()
    }

    /// Numbers the snapshots of this process.
    pub(crate) fn next_serial() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn plan_index(&self, id: PlanId) -> Option<u32> {
        self.plan_indices.get(&id).copied()
    }

    /// Whether a plan is known, but something about it does not compile.
    #[must_use]
    pub fn is_broken(&self, plan: PlanId) -> bool {
        self.broken_plans.contains(&plan)
    }

    /// Every route.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Every API.
    #[must_use]
    pub fn apis(&self) -> &[Api] {
        &self.apis
    }

    /// Whether calls of an API are served at this instant, in nanoseconds since the Unix epoch.
    #[must_use]
    pub fn serves(&self, api: ApiId, now_ns: u64) -> bool {
        self.api_indices.get(&api).is_some_and(|at| !self.apis[*at as usize].is_over(now_ns))
    }

    /// Every service.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }
}

pub(crate) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;
pub(crate) type IdSet<K> = HashSet<K, BuildHasherDefault<IdHasher>>;

/// Hashes ids that this platform minted: their last eight bytes are random already, and no caller chooses them.
#[derive(Debug, Default, Clone, Copy)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    // The length that slices write before themselves tells ids of one size nothing.
    fn write_usize(&mut self, _: usize) {}
}
