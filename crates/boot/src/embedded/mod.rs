//! A private PostgreSQL cluster for installations that bring none: one directory, one unix socket.
//!
//! `postgresql_embedded` runs `initdb` and `pg_ctl`; around it stand what it leaves open: whose account the
//! server runs under, what a crash left behind, and that what was committed is on disk.

mod account;
mod leftover;
mod place;
mod programs;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgresql_embedded::{BOOTSTRAP_SUPERUSER, PostgreSQL, VersionReq};

use place::Place;
use programs::Programs;

/// Names the socket file only: nothing listens on TCP.
const PORT: u16 = 5432;
const DATABASE: &str = "tollgate";
/// `pg_ctl` gives up first, after [`programs::WAIT_SECONDS`], and says why; this is the net below it.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(programs::WAIT_SECONDS + 15);

/// What the embedded server is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the cluster, its password and its socket are kept.
    pub cluster_dir: PathBuf,
    /// The account that runs the server when this process is root, which PostgreSQL refuses to run as;
    /// without one: the owner of an existing cluster, else `postgres`.
    pub run_as: Option<String>,
    /// Connections the server admits.
    pub max_connections: u16,
    /// Whether a commit waits for the disk. Only throw-away clusters of tests say no.
    pub durable: bool,
}

impl Settings {
    /// The settings of a small installation.
    #[must_use]
    pub fn new(cluster_dir: impl Into<PathBuf>) -> Self {
        Self { cluster_dir: cluster_dir.into(), run_as: None, max_connections: 60, durable: true }
    }
}

/// Why the embedded server does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are no server programs, and none could be downloaded.
    #[error(
        "no PostgreSQL server programs were found and downloading them failed ({0}): install them with \
         `apt install postgresql` or `brew install postgresql@17`, or set DATABASE_URL to a server of yours"
    )]
    NoPrograms(String),
    /// The cluster on disk belongs to a major version that is not installed.
    #[error(
        "the cluster in {} was made by PostgreSQL {major}, whose server programs are not installed and could \
         not be downloaded ({reason})", cluster.display()
    )]
    OtherMajor {
        /// Where the cluster is.
        cluster: PathBuf,
        /// The major version that made it.
        major: u32,
        /// Why the download failed.
        reason: String,
    },
    /// Root cannot run a server, and no account was found that could.
    #[error("{0}; name an account in TOLLGATE_POSTGRES_USER, or set DATABASE_URL to a server of yours")]
    NoAccount(String),
    /// The file that lets us into an existing cluster is gone.
    #[error("the password of the cluster is missing: {} was removed", .0.display())]
    PasswordLost(PathBuf),
    /// A file or directory cannot be used.
    #[error("{} cannot be used: {source}", path.display())]
    Unusable {
        /// What could not be used.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A tool of the server failed.
    #[error("the embedded PostgreSQL could not be {doing}: {reason}")]
    Server {
        /// What was tried: `made`, `started`, `stopped`.
        doing: &'static str,
        /// What it said, ending with its log where there is one.
        reason: String,
    },
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Unusable { path: path.to_path_buf(), source }
}

/// A running private server. Dropping it stops the server too, waiting for it; [`EmbeddedPostgres::stop`]
/// does so without blocking a worker thread.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    server: PostgreSQL,
    place: Place,
}

impl EmbeddedPostgres {
    /// Makes the cluster where there is none, clears what a crash left behind, starts the server and makes
    /// the database `tollgate`. The caller keeps other processes out of the directory (see
    /// [`crate::DataDir`]).
    ///
    /// # Errors
    /// [`Error`]; each is one sentence for the person who started us.
    pub async fn start(settings: &Settings) -> Result<Self, Error> {
        let (place, account) = place::settle(&settings.cluster_dir, settings.run_as.as_deref())?;
        let programs = Programs::obtain(&place).await?;
        programs.wrap(&place, &account)?;
        let password = place.password(&account)?;
        let socket_dir = place.socket_dir(&account)?;

        let mut configuration = configuration(settings);
        let describe = |data_dir: PathBuf, configuration| postgresql_embedded::Settings {
            releases_url: String::new(),
            version: VersionReq::STAR,
            installation_dir: place.wrappers(),
            password_file: place.password_file(),
            data_dir,
            host: "localhost".to_owned(),
            port: PORT,
            username: BOOTSTRAP_SUPERUSER.to_owned(),
            password: password.clone(),
            temporary: false,
            timeout: Some(COMMAND_TIMEOUT),
            configuration,
            trust_installation_dir: true,
            socket_dir: Some(socket_dir.clone()),
        };

        if !place.data().exists() {
            let incoming = place.prepare_incoming(&account)?;
            let mut fresh = PostgreSQL::new(describe(incoming.clone(), HashMap::new()));
            fresh.setup().await.map_err(failed("made"))?;
            // A cluster appears under its name whole or not at all, whenever we are killed.
            fs::rename(&incoming, place.data()).map_err(unusable(&incoming))?;
        }

        leftover::clear(&place.data(), &socket_dir, PORT).await?;
        configuration.insert("listen_addresses".into(), String::new());
        let mut server = PostgreSQL::new(describe(place.data(), configuration));
        start_patiently(&mut server).await?;
        if !server.database_exists(DATABASE).await.map_err(failed("started"))? {
            server.create_database(DATABASE).await.map_err(failed("started"))?;
        }
        tracing::debug!(cluster = %place.data().display(), "embedded postgres is up");
        Ok(Self { server, place })
    }

    /// Where to connect, with the password, over the unix socket: `postgres://…@localhost/tollgate?host=…`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.settings().url(DATABASE)
    }

    /// Where the cluster is: the directory asked for, or the one that the server's account can reach.
    #[must_use]
    pub fn cluster_dir(&self) -> &Path {
        self.place.root()
    }

    /// Stops the server: sessions end, what was committed is on disk.
    ///
    /// # Errors
    /// [`Error::Server`] when it does not end in time.
    pub async fn stop(self) -> Result<(), Error> {
        self.server.stop().await.map_err(failed("stopped"))?;
        if let Some(dir) = &self.server.settings().socket_dir {
            // A courtesy to /tmp; whatever else is in there keeps it.
            let _ = fs::remove_dir(dir);
        }
        Ok(())
    }

    /// Lets the server run on after this process; returns the `pg_ctl` that can stop it and its data
    /// directory. For clusters that several test processes share.
    #[must_use]
    pub fn leave_running(self) -> (PathBuf, PathBuf) {
        let ends = (self.server.settings().binary_dir().join("pg_ctl"), self.place.data());
        // Its drop would stop the server.
        std::mem::forget(self.server);
        ends
    }
}

/// The whole configuration is given on the command line: what is in force is what this build says.
fn configuration(settings: &Settings) -> HashMap<String, String> {
    // `postgresql_embedded` starts the server with -F, which gives up durability. These come after it on
    // the command line, and the last one wins.
    let durable = if settings.durable { "on" } else { "off" };
    [
        ("fsync", durable),
        ("synchronous_commit", durable),
        ("full_page_writes", durable),
        ("unix_socket_permissions", "0700"),
        ("shared_buffers", "64MB"),
        ("max_wal_size", "256MB"),
        ("max_connections", &settings.max_connections.to_string()),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("password_encryption", "scram-sha-256"),
        // The log is for trouble: no statements, no values of rows.
        ("log_checkpoints", "off"),
        ("log_error_verbosity", "terse"),
        ("log_min_error_statement", "panic"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// Backends of a killed server hold its shared memory until they notice; where they cannot be seen
/// (outside Linux) only trying again tells.
async fn start_patiently(server: &mut PostgreSQL) -> Result<(), Error> {
    let mut tries_left = 10;
    loop {
        let Err(error) = server.start().await else { return Ok(()) };
        let log = last_lines(&server.settings().data_dir.join("start.log"));
        tries_left -= 1;
        if tries_left == 0 || !log.contains("shared memory block") {
            return Err(Error::Server { doing: "started", reason: format!("{error}; its log ends: {log}") });
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn last_lines(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}

fn failed(doing: &'static str) -> impl Fn(postgresql_embedded::Error) -> Error {
    move |error| Error::Server { doing, reason: error.to_string() }
}
