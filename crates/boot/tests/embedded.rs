//! The embedded server on real server programs: durable, tidy after crashes, and at home in odd places.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection, PgConnection};
use tollgate_boot::embedded::{EmbeddedPostgres, Settings};
use tollgate_boot::{DataDir, embedded};

struct Home {
    _dir: tempfile::TempDir,
    data: DataDir,
}

fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path().join("tollgate")).unwrap();
    // The server's account must get that far.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    Home { _dir: dir, data }
}

async fn start(data: &DataDir) -> EmbeddedPostgres {
    EmbeddedPostgres::start(&Settings::new(data.postgres())).await.unwrap()
}

async fn ask(server: &EmbeddedPostgres, query: &'static str) -> String {
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
}

async fn run(server: &EmbeddedPostgres, statement: &'static str) {
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
}

fn server_pid(cluster_dir: &Path) -> Pid {
    let lock_file = fs::read_to_string(cluster_dir.join("data/postmaster.pid")).unwrap();
    Pid::from_raw(lock_file.lines().next().unwrap().parse().unwrap())
}

fn alive(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < until, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn commits_reach_the_disk_and_data_outlives_a_restart() {
    let home = home();
    let server = start(&home.data).await;
    for setting in ["SHOW fsync", "SHOW synchronous_commit", "SHOW full_page_writes"] {
        assert_eq!(ask(&server, setting).await, "on", "{setting}");
    }
    assert_eq!(ask(&server, "SHOW listen_addresses").await, "");
    assert_eq!(ask(&server, "SHOW server_encoding").await, "UTF8");
    assert_eq!(ask(&server, "SELECT current_database()::text").await, "tollgate");
    run(&server, "CREATE TABLE kept AS SELECT 'still here' AS word").await;
    let pid = server_pid(server.cluster_dir());
    server.stop().await.unwrap();
    assert!(!alive(pid));

    let server = start(&home.data).await;
    assert_eq!(ask(&server, "SELECT word FROM kept").await, "still here");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let home = home();
    let server = start(&home.data).await;
    let password = fs::read_to_string(home.data.postgres().join("password")).unwrap();
    let url = server.url().replace(&password, "guess");
    assert!(PgConnection::connect(&url).await.is_err());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_blocks_nothing() {
    let home = home();
    let server = start(&home.data).await;
    run(&server, "CREATE TABLE kept AS SELECT 'still here' AS word").await;
    kill(server_pid(server.cluster_dir()), Signal::SIGKILL).unwrap();
    let _ = server.leave_running();

    let server = start(&home.data).await;
    assert_eq!(ask(&server, "SELECT word FROM kept").await, "still here");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_reused_pid_is_not_taken_for_the_server() {
    let home = home();
    let server = start(&home.data).await;
    let lock_file = home.data.postgres().join("data/postmaster.pid");
    let text = fs::read_to_string(&lock_file).unwrap();
    server.stop().await.unwrap();

    // The pid now belongs to a bystander, who must live on.
    let mut bystander = Command::new("sleep").arg("60").spawn().unwrap();
    let rest = text.split_once('\n').unwrap().1;
    fs::write(&lock_file, format!("{}\n{rest}", bystander.id())).unwrap();
    let server = start(&home.data).await;
    assert!(bystander.try_wait().unwrap().is_none());
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    server.stop().await.unwrap();
}

/// Runs [`holds_a_server_until_killed`] in a process of its own.
fn spawn_holder(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holds_a_server_until_killed", "--ignored", "--nocapture"])
        .env("TOLLGATE_TEST_HOLDER_DIR", dir)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
#[ignore = "the other half of an_orphaned_server_is_taken_over, which starts it"]
async fn holds_a_server_until_killed() {
    let dir = PathBuf::from(std::env::var_os("TOLLGATE_TEST_HOLDER_DIR").unwrap());
    let data = DataDir::open(&dir).unwrap();
    let server = start(&data).await;
    run(&server, "CREATE TABLE kept AS SELECT 'still here' AS word").await;
    fs::write(dir.join("ready"), "").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn an_orphaned_server_is_taken_over() {
    let Home { _dir, data } = home();
    let path = data.path().to_path_buf();
    drop(data);
    let mut holder = spawn_holder(&path);
    wait_until("the first server", || path.join("ready").exists());
    let second = DataDir::open(&path).unwrap_err().to_string();
    assert!(second.contains(&holder.id().to_string()), "{second}");

    let orphan = server_pid(&path.join("postgres"));
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(alive(orphan), "the server outlives the killed process that started it");

    let data = DataDir::open(&path).unwrap();
    let server = start(&data).await;
    assert!(!alive(orphan));
    assert_eq!(ask(&server, "SELECT word FROM kept").await, "still here");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_first_start_is_begun_again() {
    let home = home();
    let incoming = home.data.postgres().join("data.new");
    fs::create_dir_all(&incoming).unwrap();
    fs::write(incoming.join("postgresql.conf"), "half a cluster").unwrap();
    let server = start(&home.data).await;
    assert_eq!(ask(&server, "SELECT 'up'").await, "up");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_path_with_spaces_and_quotes_works() {
    let home = home();
    let deep = home._dir.path().join("a directory that's long ".repeat(6)).join("tollgate");
    let data = DataDir::open(&deep).unwrap();
    let server = start(&data).await;
    assert_eq!(ask(&server, "SELECT 'up'").await, "up");
    assert!(server.url().contains("host=%2Ftmp%2Ftollgate-"), "the socket is kept where its path is short");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn root_without_a_way_in_keeps_the_cluster_elsewhere() {
    if !nix::unistd::Uid::effective().is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let data = DataDir::open(dir.path().join("closed")).unwrap();
    let server = start(&data).await;
    let elsewhere = server.cluster_dir().to_path_buf();
    assert!(elsewhere.starts_with("/var/lib/tollgate"), "{}", elsewhere.display());
    run(&server, "CREATE TABLE kept AS SELECT 'still here' AS word").await;
    server.stop().await.unwrap();

    // It is found again, even once the way in is open.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let server = start(&data).await;
    assert_eq!(ask(&server, "SELECT word FROM kept").await, "still here");
    server.stop().await.unwrap();
    fs::remove_dir_all(elsewhere).unwrap();
}

#[tokio::test]
async fn an_account_that_is_not_there_is_named() {
    let home = home();
    let settings =
        Settings { run_as: Some("nobody-of-that-name".to_owned()), ..Settings::new(home.data.postgres()) };
    let refusal = EmbeddedPostgres::start(&settings).await.unwrap_err();
    assert!(matches!(refusal, embedded::Error::NoAccount(_)));
    assert!(refusal.to_string().contains("TOLLGATE_POSTGRES_USER"), "{refusal}");
}
