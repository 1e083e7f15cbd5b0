//! Everything in one process: what a newcomer runs first.

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_boot::{DataDir, shutdown};
use tollgate_control::{Actor, Control};
use tollgate_demo::Seeded;
use tollgate_domain::OperatorRole;

use crate::cli::{Place, Up};
use crate::database::{self, Database};
use crate::welcome::Welcome;
use crate::{faces, listen, roles};

/// The token that a start makes for scripts beside it; the next start replaces it.
const START_TOKEN: &str = "tollgate up";

pub async fn run(place: Place, up: Up) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    let data_dir = DataDir::open(&place.data_dir)?;
    let mut database = Database::start(&place, &data_dir).await?;
    let url = database.url.clone();
    // Whatever goes wrong from here on, the private database must stop with us.
    let outcome = tokio::select! {
        outcome = serve(&place, &data_dir, &url, up, shutdown) => outcome,
        () = database.keep_running() => Ok(()),
    };
    database.stop().await;
    outcome
}

async fn serve(
    place: &Place,
    data_dir: &DataDir,
    url: &str,
    up: Up,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let store = database::open_store(url)?;
    tollgate_store::migrate(&store).await.context("the schema could not be brought up to date")?;
    let peppers = database::own_peppers(&data_dir.secrets())?;
    let control =
        database::control(place, store, peppers.clone()).await?.reaching(up.mail.webhook_networks.clone());
    let control = faces::collecting(control, &up.payments)?;
    let control = faces::signing_in(control, &up.portal)?;

    let (portal_listener, portal_address) = listen::bind(up.portal.portal_listen, "portal-listen").await?;
    let (admin_listener, admin_address) = listen::bind(up.admin.admin_listen, "admin-listen").await?;
    let portal_url = up.gateway.portal_url.clone().unwrap_or_else(|| listen::url(portal_address));

    let tasks = TaskTracker::new();
    // What stops last: the demo upstream outlives the gateway's drain.
    let behind = CancellationToken::new();
    let seeded = match up.no_demo {
        true => None,
        false => Some(publish_demo(&control, data_dir, &up, &tasks, &behind).await?),
    };
    let gateway_store = database::open_gateway_store(url)?;
    let trusted = &place.trusted_proxies;
    let halt = shutdown.clone();
    let gateway = roles::start_gateway(
        &up.gateway,
        &portal_url,
        trusted,
        (data_dir, false),
        gateway_store,
        peppers,
        halt,
    )
    .await?;
    let gateway_url = up.portal.gateway_url.clone().unwrap_or_else(|| listen::url(gateway.gateway_addr));
    let mailer = faces::mailer(&up.mail, data_dir.path(), &portal_url)?;
    faces::work(&tasks, control.clone(), mailer.clone(), &shutdown);
    let internal = up.portal.relay_url.clone().unwrap_or_else(|| listen::url(gateway.gateway_addr));
    faces::serve_admin_api(&tasks, admin_listener, control.clone(), mailer, &portal_url, trusted, &shutdown);
    faces::serve_portal(
        &tasks,
        portal_listener,
        control.clone(),
        &portal_url,
        &faces::Surroundings {
            public: gateway_url.clone(),
            internal,
            content_dir: up.portal.content_dir.clone(),
        },
        trusted,
        &shutdown,
    );

    let setup_url = match control.store().any_operator().await? {
        true => None,
        false => {
            let token = control.create_setup_token(&Actor::system()).await?;
            Some(format!("{portal_url}/setup/{}", token.reveal()))
        }
    };
    let token = control.create_token(&Actor::system(), START_TOKEN, OperatorRole::Admin, None, true).await?;
    let welcome = Welcome {
        gateway_url,
        admin_url: listen::url(admin_address),
        portal_url,
        operator_url: listen::url(gateway.operator_addr),
        admin_token: token.reveal().to_owned(),
        demo_key: seeded.as_ref().map(|seeded| seeded.key.clone()),
        demo_path: seeded.map(|seeded| seeded.demo_path),
        setup_url,
    };
    welcome.print(up.json)?;

    gateway.stopped().await;
    behind.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(())
}

async fn publish_demo(
    control: &Control,
    data_dir: &DataDir,
    up: &Up,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> anyhow::Result<Seeded> {
    let (listener, address) = listen::bind(up.demo_listen, "demo-listen").await?;
    tasks.spawn(tollgate_demo::serve(listener, shutdown.clone()));
    // The demo's test key opens only the demo, so it may be kept to print the same curl line at every start.
    let file = data_dir.secrets().join("demo-key");
    let kept = std::fs::read_to_string(&file).ok();
    let seeded = tollgate_demo::seed(control, &listen::url(address), kept.as_deref().map(str::trim))
        .await
        .context("the demo could not be published; start with --no-demo to go without")?;
    if kept.as_deref().map(str::trim) != Some(seeded.key.as_str()) {
        database::write_closed(&file, &seeded.key)?;
    }
    Ok(seeded)
}
