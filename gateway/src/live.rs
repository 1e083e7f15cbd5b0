//! What a gateway runs right now: one compiled runtime, swapped as a whole, and the consumers, replaced one by one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use tollgate_domain::{ApplicationId, Blueprint, CalendarMonth, ConsumerApplication, SubscriptionId};
use tollgate_engine::{Consumers, Matched, Month, Snapshot, compile};

use crate::disk::Saved;
use crate::exchange::unix_ns;
use crate::fingerprint::Fingerprint;
use crate::metrics::{Metrics, RouteMetrics};
use crate::resolve::Resolver;
use crate::settings::Settings;
use crate::status::Status;
use crate::tls::{Certificates, TlsMetrics};
use crate::upstream::Destination;

/// One compiled revision with everything a call needs beside the decision. A call holds one to its end.
pub(crate) struct Runtime {
    pub(crate) snapshot: Arc<Snapshot>,
    blueprint: Arc<Blueprint>,
    /// In the order of the snapshot's routes.
    ways: Vec<Option<Way>>,
}

/// What the proxy knows of a route.
pub(crate) struct Way {
    pub(crate) metrics: Arc<RouteMetrics>,
    /// What the gateway has in front of the upstream's own path.
    pub(crate) base_path: Box<str>,
    /// In the order of the service's targets.
    pub(crate) destinations: Arc<[Destination]>,
}

impl Runtime {
    /// What belongs to a route that was matched in this runtime's snapshot.
    pub(crate) fn way(&self, matched: &Matched) -> Option<&Way> {
        self.ways.get(matched.index())?.as_ref()
    }
}

pub(crate) struct Live {
    pub(crate) status: Status,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) consumers: Consumers,
    runtime: ArcSwapOption<Runtime>,
    resolver: Arc<Resolver>,
    /// What is presented to callers who speak TLS.
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) tls_metrics: Arc<TlsMetrics>,
    quotas: Mutex<Quotas>,
}

/// Used quota by subscription, and whose subscription each is: the database sums by subscription only.
#[derive(Default)]
struct Quotas {
    owners: HashMap<SubscriptionId, ApplicationId>,
    elsewhere: Option<(Month, HashMap<SubscriptionId, u64>)>,
}

impl Quotas {
    /// Hands the used quota to the meter of one subscription.
    fn tell(&self, consumers: &Consumers, subscription: SubscriptionId) {
        if let Some((month, used)) = &self.elsewhere
            && let Some(count) = used.get(&subscription)
            && let Some(owner) = self.owners.get(&subscription)
        {
            consumers.set_quota_others(*owner, subscription, *month, *count);
        }
    }

    /// Hands the used quota to all meters.
    fn tell_all(&self, consumers: &Consumers) {
        for subscription in self.elsewhere.iter().flat_map(|(_, used)| used.keys()) {
            self.tell(consumers, *subscription);
        }
    }
}

impl Live {
    pub(crate) fn new(settings: &Settings, resolver: Arc<Resolver>) -> Self {
        Self {
            status: Status::default(),
            metrics: Arc::default(),
            consumers: Consumers::new(settings.peppers.clone()),
            runtime: ArcSwapOption::empty(),
            resolver,
            certificates: Arc::new(Certificates::new(settings.peppers.clone())),
            tls_metrics: Arc::default(),
            quotas: Mutex::default(),
        }
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.runtime.load().is_some()
    }

    /// The runtime for one call; none before the first was loaded.
    pub(crate) fn runtime(&self) -> Option<Arc<Runtime>> {
        self.runtime.load_full()
    }

    /// The blueprint that runs.
    pub(crate) fn blueprint(&self) -> Option<Arc<Blueprint>> {
        self.runtime.load().as_ref().map(|runtime| Arc::clone(&runtime.blueprint))
    }

    /// Puts a blueprint in force. One that does not compile is put on record and changes nothing; says which of the
    /// two it was.
    pub(crate) async fn apply_blueprint(&self, blueprint: Blueprint) -> bool {
        let compiled = self.compile(blueprint).await;
        compiled.map(|runtime| self.put_in_force(runtime)).is_some()
    }

    /// Replaces everything. Consumers are replaced even where the blueprint is refused: a revoked key must go.
    pub(crate) async fn replace(
        self: &Arc<Self>,
        blueprint: Blueprint,
        applications: Vec<ConsumerApplication>,
    ) -> bool {
        let compiled = self.compile(blueprint).await;
        self.replace_consumers(applications.into_iter()).await;
        // Last, and on a first start with it the readiness: nobody's key is unknown to a gateway that serves.
        compiled.map(|runtime| self.put_in_force(runtime)).is_some()
    }

    /// Takes over what was saved on disk; says what it was, or nothing where it could not be taken wholly.
    pub(crate) async fn restore(self: &Arc<Self>, saved: Saved) -> Option<Fingerprint> {
        let compiled = self.compile(saved.blueprint).await?;
        let applications = self.replace_consumers(saved.applications).await?;
        applications.is_complete().then(|| self.put_in_force(compiled))?;
        Some(applications.fingerprint())
    }

    /// Gives back what it read from.
    async fn replace_consumers<I>(self: &Arc<Self>, mut applications: I) -> Option<I>
    where
        I: Iterator<Item = ConsumerApplication> + Send + 'static,
    {
        let live = Arc::clone(self);
        // A million of them take a moment.
        let replaced = tokio::task::spawn_blocking(move || {
            let mut owners = HashMap::new();
            live.consumers.replace_all(
                applications.by_ref().inspect(|application| owners.extend(owners_of([application]))),
            );
            let mut quotas = live.quotas();
            quotas.owners = owners;
            quotas.tell_all(&live.consumers);
            drop(quotas);
            applications
        });
        replaced.await.inspect_err(|error| tracing::error!(%error, "replacing the consumers failed")).ok()
    }

    /// Compiles beside the calls.
    async fn compile(&self, blueprint: Blueprint) -> Option<Runtime> {
        let revision = blueprint.revision;
        let certificates = Arc::clone(&self.certificates);
        let compiled = tokio::task::spawn_blocking(move || {
            // They hold for connections, not for routes: a revision that is refused does not keep an old one alive.
            certificates.apply(&blueprint.certificates);
            let snapshot = compile(&blueprint).map_err(|error| error.to_string())?;
            Ok::<_, String>((Arc::new(snapshot), Arc::new(blueprint)))
        });
        match compiled.await.unwrap_or_else(|panic| Err(panic.to_string())) {
            Ok((snapshot, blueprint)) => {
                let runtime = self.runtime_of(snapshot, blueprint);
                self.resolver.settle().await;
                Some(runtime)
            }
            Err(error) => {
                tracing::error!(revision, %error, "a revision does not compile; the one before stays in force");
                self.status.refused(Some(format!("revision {revision}: {error}")));
                None
            }
        }
    }

    fn put_in_force(&self, runtime: Runtime) {
        let revision = runtime.snapshot.revision;
        self.runtime.store(Some(Arc::new(runtime)));
        self.status.refused(None);
        tracing::info!(revision, "a new configuration is in force");
    }

    /// Replaces the applications `ids` by what is `present` of them; the others may no longer call.
    pub(crate) fn apply_consumers(&self, ids: &[ApplicationId], present: Vec<ConsumerApplication>) {
        let listed: Vec<ApplicationId> = present.iter().map(|application| application.id).collect();
        let arrived: Vec<_> = owners_of(&present).collect();
        for application in present {
            self.consumers.replace(application);
        }
        for id in ids.iter().filter(|id| !listed.contains(id)) {
            self.consumers.remove(*id);
        }
        let mut quotas = self.quotas();
        quotas.owners.extend(arrived.iter().copied());
        for (subscription, _) in arrived {
            quotas.tell(&self.consumers, subscription);
        }
    }

    /// What all other processes charged in a month.
    pub(crate) fn set_used_elsewhere(&self, month: CalendarMonth, used: HashMap<SubscriptionId, u64>) {
        let mut quotas = self.quotas();
        quotas.elsewhere = Some((Month::from(month), used));
        quotas.tell_all(&self.consumers);
    }

    /// What changed of it since, in the same month.
    pub(crate) fn change_used_elsewhere(&self, month: CalendarMonth, changed: &[(SubscriptionId, u64)]) {
        let mut quotas = self.quotas();
        let Some((known, used)) = &mut quotas.elsewhere else { return };
        if *known == Month::from(month) {
            used.extend(changed.iter().copied());
            for (subscription, _) in changed {
                quotas.tell(&self.consumers, *subscription);
            }
        }
    }

    /// Forgets what is only of the past: meters of removed subscriptions, and whose subscriptions they were.
    pub(crate) fn tidy(&self) {
        self.consumers.purge(unix_ns());
        let mut owners = HashMap::new();
        self.consumers.for_each(|application| {
            owners.extend(
                application.subscriptions.iter().map(|subscription| (subscription.id, application.id)),
            );
        });
        self.quotas().owners = owners;
    }

    fn quotas(&self) -> MutexGuard<'_, Quotas> {
        self.quotas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runtime_of(&self, snapshot: Arc<Snapshot>, blueprint: Arc<Blueprint>) -> Runtime {
        let mut metrics = self.metrics.routes_of(&blueprint);
        let destinations: HashMap<_, Arc<[Destination]>> = snapshot
            .services()
            .iter()
            .map(|service| {
                let all =
                    service.targets.iter().map(|target| Destination::new(service, target, &self.resolver));
                (service.id, all.collect())
            })
            .collect();
        let base_paths: HashMap<_, _> =
            blueprint.apis.iter().map(|api| (api.id, api.base_path.as_str())).collect();
        let ways = snapshot
            .routes()
            .iter()
            .map(|route| {
                let api = snapshot.api_of(route);
                let way = Way {
                    metrics: metrics.remove(&route.id)?,
                    base_path: (*base_paths.get(&api.id)?).into(),
                    destinations: Arc::clone(destinations.get(&snapshot.service_of(api).id)?),
                };
                Some(way)
            })
            .collect();
        Runtime { snapshot, blueprint, ways }
    }
}

fn owners_of<'a>(
    applications: impl IntoIterator<Item = &'a ConsumerApplication>,
) -> impl Iterator<Item = (SubscriptionId, ApplicationId)> {
    applications.into_iter().flat_map(|application| {
        application.subscriptions.iter().map(|subscription| (subscription.id, application.id))
    })
}
