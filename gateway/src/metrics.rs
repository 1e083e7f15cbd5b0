//! Numbers for the operator, cheap to keep: a call adds to plain counters of its route, labels are written only
//! when somebody scrapes. No label names a key, an application or a user.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};
use tollgate_domain::RouteId;
use tollgate_engine::snapshot::Route;

/// Upper bounds in seconds that OpenTelemetry's HTTP conventions advise.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const MICROS: f64 = 1e6;

type NoExemplar = Option<&'static Exemplar<[(&'static str, &'static str); 0], u64>>;

/// All that the data plane counts.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    routes: Mutex<HashMap<RouteId, Arc<RouteMetrics>>>,
    /// Calls that no route matched.
    pub(crate) unrouted: Arc<RouteMetrics>,
    refusals: Family<[(&'static str, &'static str); 1], Counter>,
    policy_refusals: Family<[(&'static str, &'static str); 2], Counter>,
    connections_refused: Family<[(&'static str, &'static str); 1], Counter>,
    connections_cut: Family<[(&'static str, &'static str); 1], Counter>,
    readings_missing: Counter,
    /// Connections closed to make room.
    pub(crate) connections_evicted: Counter,
}

/// What is counted for one route.
#[derive(Debug, Default)]
pub(crate) struct RouteMetrics {
    method: &'static str,
    template: Arc<str>,
    /// Most routes answer in one class or two, and most of ten thousand are never called.
    by_class: [OnceLock<Box<Histogram>>; CLASSES.len()],
    upstream: OnceLock<Box<Histogram>>,
}

#[derive(Debug, Default)]
struct Histogram {
    /// One for each bound and one beyond.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_us: AtomicU64,
}

impl Metrics {
    /// The counters of every route, in their order; those known before go on counting.
    pub(crate) fn routes_of(&self, routes: &[Route]) -> Vec<Arc<RouteMetrics>> {
        let mut known = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let counters = |route: &Route| {
            let kept = known
                .get(&route.id)
                .filter(|it| it.template == route.template && it.method == route.method.as_str());
            let new = || {
                let (method, template) = (route.method.as_str(), Arc::clone(&route.template));
                Arc::new(RouteMetrics { method, template, ..RouteMetrics::default() })
            };
            kept.cloned().unwrap_or_else(new)
        };
        let present: Vec<_> = routes.iter().map(counters).collect();
        *known = routes.iter().map(|route| route.id).zip(present.iter().cloned()).collect();
        present
    }

    /// Counts a refusal by its code.
    pub(crate) fn refused(&self, code: &'static str) {
        self.refusals.get_or_create(&[("code", code)]).inc();
    }

    /// Counts a refusal by a policy, by its code and where the policy was written.
    pub(crate) fn refused_by_policy(&self, code: &'static str, scope: &'static str) {
        self.policy_refusals.get_or_create(&[("code", code), ("scope", scope)]).inc();
    }

    /// Counts numbers that the answers of charged calls should have carried, and did not.
    pub(crate) fn readings_missing(&self, numbers: u64) {
        self.readings_missing.inc_by(numbers);
    }

    /// Counts a connection that was closed as soon as it came.
    pub(crate) fn connection_refused(&self, reason: &'static str) {
        self.connections_refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts an HTTP/2 connection that was ended for what its caller did.
    pub(crate) fn connection_cut(&self, reason: &'static str) {
        self.connections_cut.get_or_create(&[("reason", reason)]).inc();
    }

    /// Hangs everything into the operator's registry.
    pub(crate) fn register(self: &Arc<Self>, registry: &mut Registry) {
        registry.register(
            "tollgate_refusals",
            "Calls that the gateway refused, by problem code",
            self.refusals.clone(),
        );
        registry.register(
            "tollgate_policy_refusals",
            "Calls that a policy of the platform, an API or an operation refused, by problem code and scope",
            self.policy_refusals.clone(),
        );
        registry.register(
            "tollgate_connections_refused",
            "Connections closed as soon as they came, by reason",
            self.connections_refused.clone(),
        );
        registry.register(
            "tollgate_http2_connections_cut",
            "HTTP/2 connections ended for what their caller did, by reason",
            self.connections_cut.clone(),
        );
        registry.register(
            "tollgate_readings_missing",
            "Numbers that answers of charged calls should have carried and did not; they count as 0",
            self.readings_missing.clone(),
        );
        registry.register(
            "tollgate_connections_evicted",
            "Connections closed while they awaited a request, because every place was taken and another came",
            self.connections_evicted.clone(),
        );
        registry.register_collector(Box::new(Arc::clone(self)));
    }
}

impl RouteMetrics {
    /// Counts one finished call.
    pub(crate) fn finished(&self, status: u16, whole: Duration, upstream: Option<Duration>) {
        let class = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        self.by_class[class].get_or_init(Box::default).observe(whole);
        if let Some(upstream) = upstream {
            self.upstream.get_or_init(Box::default).observe(upstream);
        }
    }
}

impl Histogram {
    fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn encode(
        &self,
        encoder: &mut prometheus_client::encoding::MetricEncoder<'_>,
        labels: &[(&str, &str)],
    ) -> fmt::Result {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let total = counts.iter().sum();
        if total == 0 {
            return Ok(());
        }
        let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let sum = self.sum_us.load(Ordering::Relaxed) as f64 / MICROS;
        encoder.encode_family(&labels)?.encode_histogram::<[(&str, &str); 0]>(sum, total, &buckets, None)
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let routes: Vec<Arc<RouteMetrics>> =
            self.routes.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let mut whole = encoder.encode_descriptor(
            "http_server_request_duration",
            "Time from a request's head to the end of its response",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for route in routes.iter().chain([&self.unrouted]) {
            for (class, times) in CLASSES.iter().zip(&route.by_class) {
                let Some(times) = times.get() else { continue };
                times.encode(
                    &mut whole,
                    &[
                        ("http_request_method", route.method),
                        ("http_route", &route.template),
                        ("http_response_status_class", class),
                    ],
                )?;
            }
        }
        let mut upstream = encoder.encode_descriptor(
            "tollgate_upstream_duration",
            "Time from handing a request to the upstream to the head of its answer",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for route in &routes {
            let Some(times) = route.upstream.get() else { continue };
            times.encode(
                &mut upstream,
                &[("http_request_method", route.method), ("http_route", &route.template)],
            )?;
        }
        Ok(())
    }
}

/// Writes one number that is read at scrape time.
pub(crate) fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}

/// Writes one counter that is read at scrape time; `_total` is added to its name.
pub(crate) fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> fmt::Result {
    let none: NoExemplar = None;
    encoder.encode_descriptor(name, help, None, MetricType::Counter)?.encode_counter(&value, none)
}

#[cfg(test)]
mod tests;
