//! Whether a face is alive and ready, for balancers and container engines.

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
