//! The Postgres that tests share: the one they are told of, or a private one that the first test starts.

use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection};
use tokio::sync::OnceCell;
use tollgate_boot::embedded::{EmbeddedPostgres, Settings};

/// Names the server that tests use; its account must be allowed to make databases.
const URL_VARIABLE: &str = "TOLLGATE_TEST_DATABASE_URL";

/// Stops the server once no test process has held the lock on `users` for a while. Under the same lock,
/// so that no test starts in between.
const WATCH: &str = r#"
command -v flock >/dev/null || exit 0
while sleep 20 && [ -e "$3/postmaster.pid" ]; do
    flock --nonblock --exclusive "$1" "$2" stop --pgdata "$3" --mode fast && exit 0
done
"#;

struct Server {
    url: String,
    // Held to the end of the process, which lets it go.
    _users: Option<File>,
}

static SERVER: OnceCell<Server> = OnceCell::const_new();

/// The URL of a database on the server, from which others may be made.
pub async fn url() -> &'static str {
    let server =
        SERVER.get_or_try_init(reach).await.unwrap_or_else(|error| panic!("no test database: {error:#}"));
    &server.url
}

async fn reach() -> Result<Server> {
    if let Ok(url) = std::env::var(URL_VARIABLE) {
        return Ok(Server { url, _users: None });
    }
    let dir = target_dir()?.join("test-postgres");
    fs::create_dir_all(&dir)?;
    let users = open(&dir.join("users"))?;
    users.lock_shared()?;
    // One process starts it, the others wait here.
    let start = open(&dir.join("lock"))?;
    start.lock()?;
    let note = dir.join("url");
    let url = match fs::read_to_string(&note) {
        Ok(url) if answers(&url).await => url,
        _ => {
            let settings =
                Settings { max_connections: 300, durable: false, ..Settings::new(dir.join("postgres")) };
            let server = EmbeddedPostgres::start(&settings).await?;
            let url = server.url();
            let (pg_ctl, data) = server.leave_running();
            watch(&dir.join("users"), &pg_ctl, &data)?;
            // It carries a password; the directory above is open to whoever may read the sources.
            let file = open(&note)?;
            fs::set_permissions(&note, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            file.set_len(0)?;
            fs::write(&note, &url)?;
            url
        }
    };
    drop(start);
    Ok(Server { url, _users: Some(users) })
}

async fn answers(url: &str) -> bool {
    let connecting = tokio::time::timeout(Duration::from_secs(3), PgConnection::connect(url));
    match connecting.await {
        Ok(Ok(connection)) => connection.close().await.is_ok(),
        _ => false,
    }
}

fn watch(users: &Path, pg_ctl: &Path, data: &Path) -> Result<()> {
    Command::new("/bin/sh")
        .args(["-c", WATCH, "sh"])
        .args([users, pg_ctl, data])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Out of the reach of an interrupt meant for the tests.
        .process_group(0)
        .spawn()
        .map(drop)
        .context("the watch over the test server could not be started")
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(|| path.display().to_string())
}

/// Cargo marks its target directory.
fn target_dir() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let marked = program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").is_file());
    Ok(marked.map_or_else(|| std::env::temp_dir().join("tollgate-tests"), Path::to_path_buf))
}
