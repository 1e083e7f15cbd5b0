//! The two HTML and JSON faces over one control plane, and the work that goes on beside them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_admin_api::AdminApiState;
use tollgate_boot::TrustedProxies;
use tollgate_control::mail::{Mailer, Transport};
use tollgate_control::{Control, oidc};
use tollgate_portal::PortalState;
use tollgate_stripe::Stripe;
use tollgate_web::serve::{Limits, serve};

use crate::cli::{MailFlags, PortalFlags};
use crate::payments::PaymentFlags;

/// How long visitors share a page of the portal.
const PUBLIC_PAGES_KEPT: Duration = Duration::from_secs(1);

/// Below the portal: where problem types are explained.
pub fn problems_url(portal_url: &str) -> String {
    format!("{}/problems", portal_url.trim_end_matches('/'))
}

/// How mails leave, by the settings; without any, as files in the data directory.
pub fn mailer(flags: &MailFlags, data_dir: &Path, portal_url: &str) -> anyhow::Result<Arc<Mailer>> {
    let transport = match &flags.mail_url {
        Some(url) => Transport::from_url(url)?,
        None => {
            let directory = std::path::absolute(data_dir.join("mail")).context("the data directory")?;
            Transport::Directory(directory)
        }
    };
    Ok(Arc::new(Mailer::new(transport, &flags.mail_from, portal_url)?))
}

/// Bills are collected by Stripe where it is set up; else they are paid by hand.
pub fn collecting(control: Control, flags: &PaymentFlags) -> anyhow::Result<Control> {
    let Some(settings) = flags.stripe()? else { return Ok(control) };
    let stripe =
        Stripe::new(settings).context("Stripe is not set up (TOLLGATE_STRIPE_KEY_FILE and others)")?;
    Ok(control.collecting_by(Arc::new(stripe)))
}

/// People may sign in through the providers that the file names.
pub fn signing_in(control: Control, flags: &PortalFlags) -> anyhow::Result<Control> {
    let Some(file) = &flags.identity_providers else { return Ok(control) };
    let ready = oidc::read(file).context("providers to sign in through (TOLLGATE_IDENTITY_PROVIDERS)")?;
    Ok(control.signing_in_by(oidc::Providers::new(ready)))
}

/// Works through the queue of jobs beside the faces; several processes share it.
pub fn work(tasks: &TaskTracker, control: Control, mailer: Arc<Mailer>, shutdown: &CancellationToken) {
    tasks.spawn(control.work(mailer, shutdown.clone()));
}

pub fn serve_admin_api(
    tasks: &TaskTracker,
    listener: TcpListener,
    control: Control,
    mailer: Arc<Mailer>,
    portal_url: &str,
    trusted_proxies: &TrustedProxies,
    shutdown: &CancellationToken,
) {
    // Behind a proxy that speaks TLS the portal does too; browsers are told to insist on it for both.
    let https = portal_url.starts_with("https://");
    let state = AdminApiState {
        control: control.clone(),
        problem_base_url: problems_url(portal_url),
        https,
        trusted_proxies: trusted_proxies.clone(),
    };
    let metrics = tollgate_web::metrics(move || {
        let (control, mailer) = (control.clone(), Arc::clone(&mailer));
        async move { control.work_metrics(&mailer).await }
    });
    let router = tollgate_admin_api::router(state).merge(metrics);
    tasks.spawn(serve(listener, router, Limits::default(), shutdown.clone()));
}

/// What the portal shows and calls beside the control plane.
pub struct Surroundings {
    /// The gateway's address for those who call.
    pub public: String,
    /// The gateway's address for the portal, which tries calls out.
    pub internal: String,
    /// Where the publisher's guides and changelog are.
    pub content_dir: Option<std::path::PathBuf>,
}

pub fn serve_portal(
    tasks: &TaskTracker,
    listener: TcpListener,
    control: Control,
    portal_url: &str,
    around: &Surroundings,
    trusted_proxies: &TrustedProxies,
    shutdown: &CancellationToken,
) {
    let settings = tollgate_portal::Settings {
        portal_url: portal_url.trim_end_matches('/').to_owned(),
        gateway_url: around.public.trim_end_matches('/').to_owned(),
        relay_url: around.internal.trim_end_matches('/').to_owned(),
        content_dir: around.content_dir.clone(),
        secure_cookies: portal_url.starts_with("https://"),
        trusted_proxies: trusted_proxies.clone(),
        public_pages_kept: PUBLIC_PAGES_KEPT,
    };
    let state = PortalState::new(control.clone(), settings);
    let store = control.store().clone();
    let ready = tollgate_web::probes(move || {
        let store = store.clone();
        async move { store.ping().await.is_ok() }
    });
    let router = tollgate_portal::router(state).merge(ready);
    tasks.spawn(serve(listener, router, Limits::default(), shutdown.clone()));
}
