//! One role of Tollgate as a process of its own, over a shared DATABASE_URL.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_boot::{DataDir, DataDirError, TrustedProxies, descriptors, notify, shutdown};
use tollgate_engine::key::Peppers;
use tollgate_gateway::tls::TlsSettings;
use tollgate_gateway::{Gateway, RunningGateway, Settings};
use tollgate_store::Store;

use crate::cli::{AdminApiRole, GatewayFlags, GatewayRole, Place, PortalRole};
use crate::{database, faces, listen, memory, upgrade};

/// By then a gateway has loaded what it serves.
const START_LASTS: Duration = Duration::from_secs(15);

pub async fn gateway(place: Place, role: GatewayRole) -> anyhow::Result<()> {
    let store = database::shared_store(&place)?;
    let peppers = database::shared_peppers()?;
    let (data_dir, take_over) = match DataDir::open(&place.data_dir) {
        Err(DataDirError::InUse { .. }) if role.upgrade => (DataDir::of_predecessor(&place.data_dir)?, true),
        opened => (opened?, false),
    };
    let shutdown = shutdown::on_signal()?;
    let portal_url = role.gateway.portal_url.clone().unwrap_or_else(|| "http://127.0.0.1:3000".to_owned());
    let trusted = &place.trusted_proxies;
    let gateway =
        start_gateway(&role.gateway, &portal_url, trusted, (&data_dir, take_over), store, peppers, shutdown)
            .await?;
    tracing::info!(gateway = %gateway.gateway_addr, operator = %gateway.operator_addr, "gateway serving");
    notify::ready();
    let _successor = upgrade::on_signal()?;
    tokio::spawn(async {
        sleep(START_LASTS).await;
        if let Err(error) = memory::give_back_program() {
            tracing::debug!(%error, "what only the start needed stays in memory");
        }
    });
    gateway.stopped().await;
    Ok(())
}

/// Starts the data plane with the settings that the command line gave.
pub async fn start_gateway(
    flags: &GatewayFlags,
    portal_url: &str,
    trusted_proxies: &TrustedProxies,
    (data_dir, take_over): (&DataDir, bool),
    store: Store,
    peppers: Arc<Peppers>,
    shutdown: CancellationToken,
) -> anyhow::Result<RunningGateway> {
    let mut settings = Settings::new(data_dir.gateway(), faces::problems_url(portal_url), (*peppers).clone());
    if let Some(name) = flags.gateway_name.clone().or_else(host_name) {
        settings.name = name;
    }
    settings.take_over = take_over;
    if let Some(lock) = data_dir.lock()? {
        settings.hand_on.push(("data-directory".to_owned(), Arc::new(lock.into())));
    }
    settings.trusted_proxies = trusted_proxies.clone();
    let wanted = usize::try_from(flags.connections_max).unwrap_or(usize::MAX);
    settings.connections_max = wanted;
    settings.look_up_every = Duration::from_secs(flags.upstream_look_up_seconds.max(1));
    settings.connections_per_address = usize::try_from(flags.connections_per_address).unwrap_or(usize::MAX);
    flags.pace.apply(&mut settings);
    match descriptors::raise() {
        // A little less is no news; a fraction is.
        Ok(limit) if settings.fit_into(limit) && settings.connections_max < wanted / 2 => tracing::warn!(
            limit,
            connections_max = settings.connections_max,
            wanted,
            "the limit of open files allows fewer connections than were asked for; raise it (ulimit -n, LimitNOFILE=)"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files is unknown"),
    }
    settings.request_log = flags.request_log;
    settings.request_log_per_second = flags.request_log_per_second;
    settings.request_log_addresses = flags.request_log_addresses;
    settings.access_log.clone_from(&flags.access_log);
    settings.listen = flags.gateway_listen;
    settings.tls = flags.gateway_tls_listen.map(|listen| TlsSettings {
        listen,
        certificates: flags.tls_cert_dir.clone(),
        client_certificates: flags.tls_client_certificates,
        client_authorities: flags.tls_client_ca.clone(),
        client_revocations: flags.tls_client_crl.clone(),
    });
    settings.upstream_roots.clone_from(&flags.upstream_ca_file);
    settings.origins = flags.browser_origins.clone();
    settings.h2c = flags.gateway_h2c;
    settings.give_back = memory::give_back;
    settings.operator_listen = flags.operator_listen;
    settings.drain_delay = Duration::from_secs(flags.drain_seconds);
    if let Some(threads) = flags.gateway_threads {
        settings.threads = threads.max(1);
    }
    Gateway::start(settings, Arc::new(store), shutdown).await.context(
        "the gateway did not start (addresses: --gateway-listen, --gateway-tls-listen, --operator-listen or \
         TOLLGATE_GATEWAY_LISTEN, TOLLGATE_GATEWAY_TLS_LISTEN, TOLLGATE_OPERATOR_LISTEN)",
    )
}

fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"));
    name.ok().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

pub async fn admin_api(place: Place, role: Box<AdminApiRole>) -> anyhow::Result<()> {
    let control = database::control(&place, database::shared_store(&place)?, database::shared_peppers()?)
        .await?
        .reaching(role.mail.webhook_networks.clone());
    let control = faces::collecting(control, &role.payments)?;
    let shutdown = shutdown::on_signal()?;
    let (listener, address) = listen::bind(role.admin.admin_listen, "admin-listen").await?;
    let tasks = TaskTracker::new();
    let trusted = &place.trusted_proxies;
    let mailer = faces::mailer(&role.mail, &place.data_dir, &role.portal_url)?;
    faces::work(&tasks, control.clone(), Arc::clone(&mailer), &shutdown);
    faces::serve_admin_api(&tasks, listener, control, mailer, &role.portal_url, trusted, &shutdown);
    tracing::info!(%address, "admin API serving");
    tasks.close();
    tasks.wait().await;
    Ok(())
}

pub async fn portal(place: Place, role: Box<PortalRole>) -> anyhow::Result<()> {
    let control = database::control(&place, database::shared_store(&place)?, database::shared_peppers()?)
        .await?
        .reaching(role.mail.webhook_networks.clone());
    let control = faces::collecting(control, &role.payments)?;
    let control = faces::signing_in(control, &role.portal)?;
    let shutdown = shutdown::on_signal()?;
    let (listener, address) = listen::bind(role.portal.portal_listen, "portal-listen").await?;
    let gateway_url = role.portal.gateway_url.clone().unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let tasks = TaskTracker::new();
    let trusted = &place.trusted_proxies;
    let mailer = faces::mailer(&role.mail, &place.data_dir, &role.portal_url)?;
    faces::work(&tasks, control.clone(), mailer, &shutdown);
    let internal = role.portal.relay_url.clone().unwrap_or_else(|| gateway_url.clone());
    let around =
        faces::Surroundings { public: gateway_url, internal, content_dir: role.portal.content_dir.clone() };
    faces::serve_portal(&tasks, listener, control, &role.portal_url, &around, trusted, &shutdown);
    tracing::info!(%address, "portal serving");
    tasks.close();
    tasks.wait().await;
    Ok(())
}
