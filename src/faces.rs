//! The two HTML and JSON faces over one control plane, and the work that goes on beside them.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_admin_api::AdminApiState;
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
    shutdown: &CancellationToken,
) {
    let router = tollgate_admin_api::router(AdminApiState::new(control, problems_url(portal_url)));
    tasks.spawn(serve(listener, router, Limits::default(), shutdown.clone()));
}

pub fn serve_portal(
    tasks: &TaskTracker,
    listener: TcpListener,
    control: Control,
    portal_url: &str,
    gateway_url: &str,
    shutdown: &CancellationToken,
) {
    let state = PortalState::new(control.clone(), portal_url, gateway_url);
    tasks.spawn(serve(listener, tollgate_portal::router(state), Limits::default(), shutdown.clone()));
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
