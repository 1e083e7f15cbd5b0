//! Which PostgreSQL, which secrets, and the control plane over them.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tollgate_boot::secrets::{PEPPER_FILE_VARIABLE, PEPPERS_VARIABLE};
use tollgate_boot::{DataDir, EmbeddedPostgres, Secrets, embedded};
use tollgate_control::Control;
use tollgate_engine::key::Peppers;
use tollgate_store::Store;

use crate::cli::Place;

/// Connections that the faces of one process open at most.
const CONNECTIONS_MAX: u32 = 16;
/// Connections of a gateway, apart from those of the faces: slow pages must not hold up a revocation.
const GATEWAY_CONNECTIONS_MAX: u32 = 5;

/// How often a private server is asked whether it still answers.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// The server of DATABASE_URL, or a private one that stops with this process.
pub struct Database {
    pub url: String,
    private: Option<Private>,
}

struct Private {
    settings: embedded::Settings,
    server: Option<EmbeddedPostgres>,
}

impl Database {
    pub async fn start(place: &Place, data_dir: &DataDir) -> anyhow::Result<Self> {
        if let Some(url) = place.database_url.clone() {
            return Ok(Self { url, private: None });
        }
        let settings = embedded::Settings {
            run_as: place.postgres_user.clone(),
            ..embedded::Settings::new(data_dir.postgres())
        };
        let server =
            EmbeddedPostgres::start(&settings).await.context("the private PostgreSQL did not start")?;
        let url = server.url();
        // For commands that run beside this process, like `tollgate setup-link`.
        write_closed(&url_file(data_dir.path()), &url)?;
        Ok(Self { url, private: Some(Private { settings, server: Some(server) }) })
    }

    /// Starts a private server again when it dies under us; never returns.
    pub async fn keep_running(&mut self) {
        let Some(private) = &mut self.private else { return std::future::pending().await };
        let Ok(store) = Store::open(&self.url, 1) else { return std::future::pending().await };
        let mut silent = false;
        loop {
            tokio::time::sleep(WATCH_EVERY).await;
            let answers = store.ping().await.is_ok();
            // Twice in a row: once may be a busy moment.
            if answers || !silent {
                silent = !answers;
                continue;
            }
            tracing::warn!("the private PostgreSQL does not answer; starting it again");
            if let Some(server) = private.server.take() {
                // It is gone or stuck; starting clears whatever is left of it.
                drop(server.leave_running());
            }
            match EmbeddedPostgres::start(&private.settings).await {
                Ok(server) => private.server = Some(server),
                Err(error) => tracing::error!(%error, "the private PostgreSQL did not start; trying again"),
            }
        }
    }

    pub async fn stop(self) {
        if let Some(server) = self.private.and_then(|private| private.server)
            && let Err(error) = server.stop().await
        {
            tracing::warn!(%error, "the private PostgreSQL did not stop cleanly; the next start recovers it");
        }
    }
}

fn url_file(data_dir: &Path) -> PathBuf {
    data_dir.join("secrets").join("database-url")
}

/// The private server of the process that runs on a data directory.
pub fn url_of_running(data_dir: &Path) -> anyhow::Result<String> {
    let file = url_file(data_dir);
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(text.trim().to_owned()),
        // What the system says of it adds nothing.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("no Tollgate has run on {} and DATABASE_URL is not set", data_dir.display())
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
    }
}

/// Writes one line to a file that only its owner can read.
pub fn write_closed(path: &Path, line: &str) -> anyhow::Result<()> {
    let unwritable = || format!("{} cannot be written", path.display());
    if let Some(dir) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(unwritable)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(unwritable)?;
    writeln!(file, "{line}").with_context(unwritable)
}

/// The server of DATABASE_URL, for roles that share one.
pub fn shared_store(place: &Place) -> anyhow::Result<Store> {
    let Some(url) = &place.database_url else {
        bail!(
            "set DATABASE_URL to the PostgreSQL that the roles share, like postgres://user:password@host/tollgate"
        );
    };
    open_store(url)
}

/// The gateway's own connections to the same server.
pub fn open_gateway_store(url: &str) -> anyhow::Result<Store> {
    Store::open(url, GATEWAY_CONNECTIONS_MAX).context("DATABASE_URL cannot be read")
}

pub fn open_store(url: &str) -> anyhow::Result<Store> {
    Store::open(url, CONNECTIONS_MAX).context("DATABASE_URL cannot be read")
}

/// The peppers of a role: from the environment only, since all roles must have the same.
pub fn shared_peppers() -> anyhow::Result<Arc<Peppers>> {
    match peppers_from_environment()? {
        Some(peppers) => Ok(peppers),
        None => bail!(
            "set {PEPPER_FILE_VARIABLE} to a file with the pepper that all roles share, made with `openssl rand -hex 32`"
        ),
    }
}

/// The peppers of an all-in-one process: from the environment, or made once in the data directory.
pub fn own_peppers(secrets_dir: &Path) -> anyhow::Result<Arc<Peppers>> {
    match peppers_from_environment()? {
        Some(peppers) => Ok(peppers),
        None => peppers(Secrets::load_or_create(secrets_dir)?),
    }
}

fn peppers_from_environment() -> anyhow::Result<Option<Arc<Peppers>>> {
    if let Some(file) = std::env::var_os(PEPPER_FILE_VARIABLE).filter(|value| !value.is_empty()) {
        return peppers(Secrets::from_file(Path::new(&file))?).map(Some);
    }
    match std::env::var(PEPPERS_VARIABLE) {
        Ok(list) if !list.is_empty() => peppers(Secrets::from_list(&list)?).map(Some),
        _ => Ok(None),
    }
}

fn peppers(secrets: Secrets) -> anyhow::Result<Arc<Peppers>> {
    Ok(Arc::new(Peppers::new(secrets.peppers)?))
}

/// The control plane over a store whose keys were hashed with these peppers.
pub async fn control(place: &Place, store: Store, peppers: Arc<Peppers>) -> anyhow::Result<Control> {
    let settings = tollgate_control::Settings {
        acme_roots: place.acme_ca_file.clone(),
        ..tollgate_control::Settings::default()
    };
    let control = Control::new(store, peppers, settings);
    control.check_peppers().await.context("the database does not fit the peppers")?;
    Ok(control)
}
