//! The two HTML and JSON faces over one control plane, and the work that goes on beside them.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_admin_api::AdminApiState;
use tollgate_boot::TrustedProxies;
use tollgate_control::Control;
use tollgate_portal::PortalState;
use tollgate_web::serve::{Limits, serve};

/// How often what is over is forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// Below the portal: where problem types are explained.
pub fn problems_url(portal_url: &str) -> String {
    format!("{}/problems", portal_url.trim_end_matches('/'))
}

pub fn serve_admin_api(
    tasks: &TaskTracker,
    listener: TcpListener,
    control: Control,
    portal_url: &str,
    trusted_proxies: &TrustedProxies,
    shutdown: &CancellationToken,
) {
    // Behind a proxy that speaks TLS the portal does too; browsers are told to insist on it for both.
    let https = portal_url.starts_with("https://");
    let state = AdminApiState {
        control,
        problem_base_url: problems_url(portal_url),
        https,
        trusted_proxies: trusted_proxies.clone(),
    };
    let router = tollgate_admin_api::router(state);
    tasks.spawn(serve(listener, router, Limits::default(), shutdown.clone()));
}

pub fn serve_portal(
    tasks: &TaskTracker,
    listener: TcpListener,
    control: Control,
    portal_url: &str,
    gateway_url: &str,
    trusted_proxies: &TrustedProxies,
    shutdown: &CancellationToken,
) {
    let settings = tollgate_portal::Settings {
        portal_url: portal_url.trim_end_matches('/').to_owned(),
        gateway_url: gateway_url.trim_end_matches('/').to_owned(),
        secure_cookies: portal_url.starts_with("https://"),
        trusted_proxies: trusted_proxies.clone(),
    };
    let state = PortalState::new(control.clone(), settings);
    let store = control.store().clone();
    let ready = tollgate_web::probes(move || {
        let store = store.clone();
        async move { store.ping().await.is_ok() }
    });
    let router = tollgate_portal::router(state).merge(ready);
    tasks.spawn(serve(listener, router, Limits::default(), shutdown.clone()));
    tasks.spawn(sweep(control, shutdown.clone()));
}

async fn sweep(control: Control, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = control.sweep().await {
            tracing::warn!(%error, "expired rows were not removed; trying again later");
        }
    }
}
