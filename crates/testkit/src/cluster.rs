//! A PostgreSQL server of a test's own, which may be killed, frozen, restarted, and followed by a standby.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::Behind;

/// Names the socket file only: nothing listens on TCP.
const PORT: u16 = 5432;
const READY: Duration = Duration::from_secs(60);

/// A running server with a directory of its own. It ends with the value.
#[derive(Debug)]
pub struct Cluster {
    dir: TempDir,
    programs: PathBuf,
    /// What makes a command run under the server's account.
    account: Vec<String>,
}

impl Cluster {
    /// Makes one, empty.
    ///
    /// # Panics
    /// When PostgreSQL's programs are not there, or fail.
    pub async fn start() -> Self {
        let made = tokio::task::spawn_blocking(|| {
            let cluster = Self::place()?;
            let data = cluster.data();
            let words = ["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-sync"];
            cluster.run("initdb", &[&["--pgdata", &data][..], &words].concat())?;
            cluster.launch()?;
            Ok(cluster)
        });
        settled(made.await)
    }

    /// A standby that follows this server; from now on commits are acknowledged only when it has them.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn standby(&self) -> Self {
        let source = self.dir.path().display().to_string();
        let made = tokio::task::spawn_blocking(move || {
            let standby = Self::place()?;
            let data = standby.data();
            let words =
                ["--username", "postgres", "--write-recovery-conf", "--checkpoint", "fast", "--no-sync"];
            standby.run("pg_basebackup", &[&["--host", &source, "--pgdata", &data][..], &words].concat())?;
            standby.launch()?;
            Ok(standby)
        });
        let standby = settled(made.await);
        self.tell("alter system set synchronous_standby_names = '*'").await;
        self.tell("select pg_reload_conf()").await;
        standby
    }

    /// Kills every process of it, as a machine does that loses power: nobody is told, nothing is tidied up.
    pub async fn kill(&self) {
        self.signal("KILL");
        // A server that starts on a directory in which others still work refuses to.
        while !self.processes().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // They name a process that is gone, but whom nobody may have buried yet.
        let socket_lock = format!(".s.PGSQL.{PORT}.lock");
        for lock in ["data/postmaster.pid", &socket_lock] {
            let _ = std::fs::remove_file(self.dir.path().join(lock));
        }
    }

    /// Stops every process of it where it is: connections stay open, and nothing answers.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Starts it again on what it has.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&self) {
        self.launch().unwrap_or_else(|error| panic!("the server does not start again: {error:#}"));
    }

    /// Stops it as an operator does, sessions and all, and starts it again.
    ///
    /// # Panics
    /// When it does not.
    pub fn restart(&self) {
        let data = self.data();
        self.run("pg_ctl", &["stop", "--pgdata", &data, "--mode", "fast", "--wait"])
            .unwrap_or_else(|error| panic!("the server does not stop: {error:#}"));
        self.start_again();
    }

    /// Makes a standby a server that takes writes.
    ///
    /// # Panics
    /// When it refuses.
    pub async fn promote(&self) {
        let data = self.data();
        self.run("pg_ctl", &["promote", "--pgdata", &data, "--wait"])
            .unwrap_or_else(|error| panic!("the standby is not promoted: {error:#}"));
        // What it was told about standbys came with the copy.
        self.tell("alter system reset synchronous_standby_names").await;
        self.tell("select pg_reload_conf()").await;
    }

    /// Where to connect to its first database.
    #[must_use]
    pub fn url(&self) -> String {
        let dir = self.dir.path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@localhost:{PORT}/postgres?host={dir}")
    }

    /// Where a [`crate::FaultProxy`] finds it.
    #[must_use]
    pub fn socket(&self) -> Behind {
        Behind::Unix(self.dir.path().join(format!(".s.PGSQL.{PORT}")))
    }

    async fn tell(&self, sql: &'static str) {
        let told = async {
            let mut connection = PgConnection::connect(&self.url()).await?;
            sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await
        };
        told.await.unwrap_or_else(|error: sqlx::Error| panic!("{sql}: {error}"));
    }

    /// An empty directory that belongs to the server's account.
    fn place() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("tollgate-cluster.").tempdir()?;
        let mut account = Vec::new();
        let id = |option: &str| -> Result<String> {
            let out = Command::new("id").args([option, "postgres"]).output()?;
            Ok(String::from_utf8(out.stdout)?.trim().to_owned())
        };
        let me = Command::new("id").arg("-u").output()?;
        if me.stdout == b"0\n" {
            // PostgreSQL refuses to run as root.
            let (user, group) = (id("-u")?, id("-g")?);
            let owner = (user.parse().context("the account postgres")?, group.parse()?);
            std::os::unix::fs::chown(dir.path(), Some(owner.0), Some(owner.1))?;
            account =
                ["setpriv", "--reuid", &user, "--regid", &group, "--init-groups"].map(str::to_owned).into();
        }
        Ok(Self { dir, programs: programs()?, account })
    }

    fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    fn launch(&self) -> Result<()> {
        let dir = self.dir.path().display();
        // The processes of a test may die, the machine does not: nothing is waited for on disk.
        let options = format!("-F -k {dir} -p {PORT} -c listen_addresses= -c full_page_writes=off");
        let (data, log) = (self.data(), format!("{dir}/log"));
        let wait = READY.as_secs().to_string();
        let words =
            ["start", "--pgdata", &data, "--log", &log, "--wait", "--timeout", &wait, "--options", &options];
        self.run("pg_ctl", &words)
    }

    fn run(&self, program: &str, words: &[&str]) -> Result<()> {
        let program = self.programs.join(program);
        let mut command = match self.account.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&program);
                command
            }
            None => Command::new(&program),
        };
        // Not through pipes: the server would keep them open.
        let said = tempfile::tempfile()?;
        let status = command
            .args(words)
            .current_dir("/")
            .env_remove("PGHOST")
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said.try_clone()?)
            .status()
            .with_context(|| program.display().to_string())?;
        if status.success() {
            return Ok(());
        }
        let mut text = String::new();
        let mut said = said;
        std::io::Seek::rewind(&mut said)?;
        std::io::Read::read_to_string(&mut said, &mut text)?;
        bail!("{} {words:?}: {text}", program.display())
    }

    /// Every process that works in the data directory.
    fn processes(&self) -> Vec<String> {
        let data = self.dir.path().join("data");
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        let all = entries.flatten().filter(|entry| {
            std::fs::read_link(entry.path().join("cwd")).is_ok_and(|directory| directory == data)
        });
        all.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    fn signal(&self, name: &str) {
        let processes = self.processes();
        if !processes.is_empty() {
            // One may have ended by itself meanwhile.
            let _ =
                Command::new("kill").arg(format!("-{name}")).args(processes).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.signal("KILL");
    }
}

fn settled(made: std::result::Result<Result<Cluster>, tokio::task::JoinError>) -> Cluster {
    let made = made.unwrap_or_else(|error| panic!("{error}"));
    made.unwrap_or_else(|error| panic!("no server of the test's own: {error:#}"))
}

/// Debian keeps them out of `PATH`; the newest first.
fn programs() -> Result<PathBuf> {
    let versions = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, path)| path.join("pg_basebackup").exists())
        .collect();
    found.sort();
    let in_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|dir| dir.join("pg_basebackup").exists())
    };
    found.pop().map(|(_, path)| path).or_else(in_path).context("PostgreSQL's programs are not installed")
}
