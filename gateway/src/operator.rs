//! Health, readiness and metrics, on a listener of their own that callers cannot reach.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use crate::disk::SnapshotCounts;
use crate::live::Live;
use crate::metrics::{counter, gauge};
use crate::request_log::RequestLog;
use crate::usage::ledger::Ledger;
use crate::usage::status::FlushStatus;

#[derive(Clone)]
struct Operator {
    live: Arc<Live>,
    registry: Arc<Registry>,
}

/// Serves `/livez`, `/readyz` and `/metrics` until it is aborted: to the last, somebody may ask how the stop goes.
pub(crate) async fn serve(
    listener: TcpListener,
    live: Arc<Live>,
    ledger: Arc<Ledger>,
    flush: Arc<FlushStatus>,
    log: Arc<RequestLog>,
    snapshots: Arc<SnapshotCounts>,
) {
    let mut registry = Registry::default();
    live.metrics.register(&mut registry);
    live.tls_metrics.register(&live.certificates, &mut registry);
    registry.register_collector(Box::new(Standing {
        live: Arc::clone(&live),
        ledger,
        flush,
        log,
        snapshots,
        born: Instant::now(),
    }));
    let app = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Operator { live, registry: Arc::new(registry) });
    if let Err(error) = axum::serve(listener, app).await {
        tracing::error!(%error, "the operator's listener ended");
    }
}

async fn ready(State(operator): State<Operator>) -> (StatusCode, &'static str) {
    match (operator.live.is_loaded(), operator.live.status.is_draining()) {
        (_, true) => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "no configuration is loaded yet\n"),
        (true, false) => (StatusCode::OK, "ready\n"),
    }
}

async fn metrics(State(operator): State<Operator>) -> Response {
    let mut body = String::new();
    match text::encode(&mut body, &operator.registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What is not counted by call but read when somebody asks.
struct Standing {
    live: Arc<Live>,
    ledger: Arc<Ledger>,
    flush: Arc<FlushStatus>,
    log: Arc<RequestLog>,
    snapshots: Arc<SnapshotCounts>,
    born: Instant,
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing").finish_non_exhaustive()
    }
}

impl Collector for Standing {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let e = &mut encoder;
        let status = &self.live.status;
        gauge(e, "tollgate_config_revision", "Revision that this gateway runs", status.revision() as f64)?;
        gauge(
            e,
            "tollgate_config_revision_seen",
            "Newest revision announced",
            status.revision_seen() as f64,
        )?;
        gauge(
            e,
            "tollgate_config_last_apply_success",
            "1 while all of the newest configuration runs, 0 while it or some of its rows are refused",
            f64::from(u8::from(status.last_error().is_none())),
        )?;
        gauge(
            e,
            "tollgate_config_faults",
            "Rows of the newest configuration that do not compile: what they break runs as before, or is refused",
            status.faults() as f64,
        )?;
        counter(
            e,
            "tollgate_config_full_loads",
            "How often everything was loaded, keys included, and not only what changed",
            u64::try_from(status.full_loads()).unwrap_or(0),
        )?;
        gauge(
            e,
            "tollgate_config_age_seconds",
            "Seconds since the control plane last told the newest revision, or since the start",
            status.unconfirmed_for().unwrap_or_else(|| self.born.elapsed()).as_secs_f64(),
        )?;
        gauge(
            e,
            "tollgate_clock_ahead_seconds",
            "Seconds that this machine's clock is ahead of the time that calls are dated by, which is the database's",
            crate::time::machine_is_ahead_by(),
        )?;
        counter(
            e,
            "tollgate_config_snapshots_damaged",
            "Configurations saved on disk that were passed over at the start because they were damaged",
            self.snapshots.damaged(),
        )?;
        counter(
            e,
            "tollgate_config_snapshots_unwritten",
            "Configurations that could not be saved to disk; the one before stays there",
            self.snapshots.unwritten(),
        )?;
        counter(
            e,
            "tollgate_policy_uncounted_calls",
            "Calls that a policy's rate admitted without counting them, because its table was full at their place",
            self.live.uncounted(),
        )?;
        gauge(
            e,
            "tollgate_usage_journal_lag_seconds",
            "Seconds since all counted usage was last stored; 0 while it is",
            self.flush.lag_seconds(),
        )?;
        gauge(
            e,
            "tollgate_usage_journal_bytes",
            "Disk that the usage journal takes",
            self.ledger.bytes() as f64,
        )?;
        gauge(
            e,
            "tollgate_usage_journals_in_memory",
            "Usage journals that the disk had no room for: their counts go to Postgres as others do, but do not outlive the process",
            self.ledger.files_in_memory() as f64,
        )?;
        counter(
            e,
            "tollgate_usage_dropped_calls",
            "Calls served but not counted because the usage journal was full",
            self.ledger.dropped(),
        )?;
        counter(
            e,
            "tollgate_usage_damaged_journals",
            "Usage journals that were set aside as *.damaged, because they could not be read or stored",
            self.flush.journals_set_aside(),
        )?;
        counter(
            e,
            "tollgate_usage_refused_counts",
            "Counts that the database refused for good; they stand in the journals that were set aside",
            self.flush.counts_refused(),
        )?;
        counter(
            e,
            "tollgate_usage_journal_waits",
            "Calls that made a usage journal file themselves because none was ready",
            self.ledger.files_made_in_calls(),
        )?;
        counter(
            e,
            "tollgate_request_log_dropped",
            "Calls that are not in the request log: beyond the rate of their kind, or pushed out while Postgres was away",
            self.log.dropped(),
        )?;
        counter(
            e,
            "tollgate_access_log_dropped",
            "Lines of the access log that were lost because it could not be written fast enough",
            self.log.access_dropped(),
        )?;
        gauge(
            e,
            "tollgate_quota_answer_age_seconds",
            "Seconds since it was last known what other gateways used of quotas, or since the start",
            self.flush.quota_age_seconds(),
        )
    }
}
