//! Whether a face is alive and ready, for balancers and container engines, and how it is doing, for Prometheus.

use axum::Router;
use axum::routing::get;
use http::StatusCode;

/// `GET /livez`, always 200, and `GET /readyz`, 200 or 503 by what `ready` finds. Merge them beside the
/// routes of a [`crate::Face`], not below it: a probe needs no session, log line or security header.
pub fn probes<F, Fut>(ready: F) -> Router
where
    F: Fn() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = bool> + Send + 'static,
{
    let answer = move || {
        let found = ready();
        async move {
            if found.await {
                (StatusCode::OK, "ready\n")
            } else {
                (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
            }
        }
    };
    Router::new().route("/livez", get(|| async { "ok\n" })).route("/readyz", get(answer))
}

/// `GET /metrics`, what `text` writes in the Prometheus text format. Only for listeners that strangers cannot reach.
pub fn metrics<F, Fut>(text: F) -> Router
where
    F: Fn() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = String> + Send + 'static,
{
    const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
    let answer = move || {
        let written = text();
        async move { ([(http::header::CONTENT_TYPE, FORMAT)], written.await) }
    };
    Router::new().route("/metrics", get(answer))
}
