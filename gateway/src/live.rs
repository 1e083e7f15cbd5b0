//! What a gateway runs right now: one compiled runtime, swapped as a whole, and the consumers, replaced one by one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tollgate_domain::{ApiId, ApplicationId, Blueprint, CalendarMonth, ConsumerApplication, SubscriptionId};
use tollgate_engine::{CompileError, Consumers, Matched, Month, Snapshot, Tolerated, compile_what_can_be};

use crate::disk::Saved;
use crate::fingerprint::Fingerprint;
use crate::metrics::{Metrics, RouteMetrics};
use crate::notice::Notice;
use crate::resolve::Resolver;
use crate::settings::Settings;
use crate::status::Status;
use crate::time;
use crate::tls::{Certificates, Challenges, TlsMetrics};
use crate::upstream::Destination;
use crate::vary;

/// One compiled revision with everything a call needs beside the decision. A call holds one to its end.
pub(crate) struct Runtime {
    pub(crate) snapshot: Arc<Snapshot>,
    /// What it was compiled from: rows at fault as they were before.
    blueprint: Arc<Blueprint>,
    /// What of its revision is not in force.
    faults: Vec<CompileError>,
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
    /// What callers are told of an API that will go; mostly nothing.
    pub(crate) notice: Option<Arc<Notice>>,
    /// Fields by which another API's operation could have been meant (RFC 9110 §12.5.5); mostly none.
    pub(crate) vary: Option<Arc<[u8]>>,
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
    /// What certificate authorities are to be answered.
    pub(crate) challenges: Arc<Challenges>,
    pub(crate) tls_metrics: Arc<TlsMetrics>,
    /// What problem codes are appended to.
    type_base: String,
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
            challenges: Arc::default(),
            tls_metrics: Arc::default(),
            type_base: settings.type_base(),
        }
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.runtime.load().is_some()
    }

    /// The runtime for one call; none before the first was loaded.
    pub(crate) fn runtime(&self) -> Option<Arc<Runtime>> {
        self.runtime.load_full()
    }

    /// Whether an API is served at this instant, in nanoseconds since the Unix epoch.
    pub(crate) fn serves(&self, api: ApiId, now_ns: u64) -> bool {
        self.runtime.load().as_ref().is_some_and(|runtime| runtime.snapshot.serves(api, now_ns))
    }

    /// The blueprint that runs.
    pub(crate) fn blueprint(&self) -> Option<Arc<Blueprint>> {
        self.runtime.load().as_ref().map(|runtime| Arc::clone(&runtime.blueprint))
    }

    /// The blueprint that runs, where all of it is as its revision has it: what changed since may be put on it.
    pub(crate) fn sound_blueprint(&self) -> Option<Arc<Blueprint>> {
        let runtime = self.runtime.load();
        runtime
            .as_ref()
            .filter(|runtime| runtime.faults.is_empty())
            .map(|runtime| Arc::clone(&runtime.blueprint))
    }

    /// Puts a blueprint in force, but for rows at fault, which stay as they were and are put on record. One that cannot be
    /// compiled at all changes nothing; says which of the two it was.
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
            live.consumers.replace_all(applications.by_ref());
            applications
        });
        replaced.await.inspect_err(|error| tracing::error!(%error, "replacing the consumers failed")).ok()
    }

    /// Compiles beside the calls.
    async fn compile(&self, blueprint: Blueprint) -> Option<Runtime> {
        let revision = blueprint.revision;
        let (certificates, challenges) = (Arc::clone(&self.certificates), Arc::clone(&self.challenges));
        let before = self.blueprint();
        let compiled = tokio::task::spawn_blocking(move || {
            // They hold for connections, not for routes: a revision that is refused does not keep an old one alive.
            certificates.apply(&blueprint.certificates);
            challenges.apply(&blueprint.challenges);
            compile_what_can_be(blueprint, before.as_deref())
        });
        match compiled.await {
            Ok(tolerated) => {
                let runtime = self.runtime_of(tolerated);
                self.resolver.settle().await;
                Some(runtime)
            }
            Err(error) => {
                tracing::error!(revision, %error, "a revision cannot be compiled; the one before stays in force");
                self.status.refused(format!("revision {revision}: {error}"));
                None
            }
        }
    }

    fn put_in_force(&self, runtime: Runtime) {
        let revision = runtime.snapshot.revision;
        self.status.in_force(revision, &runtime.faults);
        for fault in &runtime.faults {
            tracing::error!(
                revision,
                %fault,
                "a row does not compile; what it breaks is served as it was before, or refused as config_invalid"
            );
        }
        self.runtime.store(Some(Arc::new(runtime)));
        tracing::info!(revision, "a new configuration is in force");
    }

    /// Replaces the applications `ids` by what is `present` of them; the others may no longer call.
    pub(crate) fn apply_consumers(&self, ids: &[ApplicationId], present: Vec<ConsumerApplication>) {
        let listed: HashSet<ApplicationId> = present.iter().map(|application| application.id).collect();
        let gone: Vec<ApplicationId> = ids.iter().filter(|id| !listed.contains(id)).copied().collect();
        self.consumers.apply(present, &gone);
    }

    /// What all other processes charged in a month, by subscription; or what changed of it since.
    pub(crate) fn set_used_elsewhere<'u>(
        &self,
        month: CalendarMonth,
        used: impl IntoIterator<Item = (&'u SubscriptionId, &'u u64)>,
    ) {
        for (subscription, count) in used {
            self.consumers.set_quota_others(*subscription, Month::from(month), *count);
        }
    }

    /// Calls that rates of policies admitted without counting them.
    pub(crate) fn uncounted(&self) -> u64 {
        self.runtime.load().as_ref().map_or(0, |runtime| runtime.snapshot.uncounted())
    }

    /// Forgets what is only of the past.
    pub(crate) fn tidy(&self) {
        self.consumers.purge(time::unix_ns());
    }

    fn runtime_of(&self, Tolerated { mut snapshot, blueprint, faults }: Tolerated) -> Runtime {
        snapshot.carry_on(self.runtime.load().as_ref().map(|runtime| &*runtime.snapshot));
        let metrics = self.metrics.routes_of(snapshot.routes());
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
        let notices: HashMap<_, _> = blueprint
            .apis
            .iter()
            .filter_map(|api| Some((api.id, Arc::new(Notice::of(api, &self.type_base)?))))
            .collect();
        let vary = vary::of(&blueprint.apis);
        let ways = snapshot
            .routes()
            .iter()
            .zip(metrics)
            .map(|(route, metrics)| {
                let api = snapshot.api_of(route);
                let way = Way {
                    metrics,
                    base_path: (*base_paths.get(&api.id)?).into(),
                    destinations: Arc::clone(destinations.get(&snapshot.service_of(api).id)?),
                    notice: notices.get(&api.id).cloned(),
                    vary: vary.get(&api.id).cloned(),
                };
                Some(way)
            })
            .collect();
        Runtime { snapshot: Arc::new(snapshot), blueprint: Arc::new(blueprint), faults, ways }
    }
}
