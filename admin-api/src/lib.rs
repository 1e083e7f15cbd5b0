//! The control plane's JSON face: every resource of the platform under `/v1`, described by its own OpenAPI 3.1.

mod answer;
mod auth;
mod body;
mod openapi;
mod page;
mod path;
mod precondition;
mod problem;
mod put;
mod query;
mod routes;
mod schema;
mod throttle;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Extension;
use axum::{Router, middleware};
use tollgate_boot::TrustedProxies;
use tollgate_control::Control;
use tollgate_web::{Face, JsonHeaders, render_json};

pub use openapi::document;

/// The largest body of an operation without a document.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Longer than a statement may run and a gateway may be waited for.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);

/// What the face needs.
#[derive(Debug, Clone)]
pub struct AdminApiState {
    /// The one brain, and through it the store.
    pub control: Control,
    /// What `type` of a problem begins with: `https://portal.example/problems/`.
    pub problem_base_url: String,
    /// Whether the face is reached by https; browsers are then told to insist on it.
    pub https: bool,
    /// Proxies whose `X-Forwarded-For` says who calls.
    pub trusted_proxies: TrustedProxies,
}

/// What handlers and extractors share.
#[derive(Debug, Clone)]
struct App {
    control: Control,
    throttle: Arc<throttle::Throttle>,
    trusted_proxies: TrustedProxies,
    problem_base: String,
}

/// The whole face, to be served on a listener of its own. Give it the peer's address as
/// `ConnectInfo<SocketAddr>` ([`tollgate_web::serve`] does), so that wrong tokens are slowed down per address.
pub fn router(state: AdminApiState) -> Router {
    let mut problem_base = state.problem_base_url;
    if !problem_base.ends_with('/') {
        problem_base.push('/');
    }
    let app = App {
        control: state.control,
        throttle: Arc::default(),
        trusted_proxies: state.trusted_proxies,
        problem_base: problem_base.clone(),
    };
    let (routes, _) = routes::all().split_for_parts();
    let inner = routes::batch::Inner(routes.clone().with_state(app.clone()));
    let routes = routes
        .layer(middleware::from_fn_with_state(app.clone(), writes::around))
        .layer(Extension(inner))
        .with_state(app);
    let face = Face {
        problem_base,
        body_bytes_max: BODY_BYTES_MAX,
        timeout: HANDLER_TIMEOUT,
        headers: JsonHeaders { https: state.https }.into(),
        render: render_json,
    };
    face.around(routes)
}
