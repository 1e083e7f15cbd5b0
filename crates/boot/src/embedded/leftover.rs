//! What a crash left of the server: a lock file without a process, a server without an owner, or backends
//! without a server. None of them may block the next start.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Error, unusable};

const FAST_STOP: Duration = Duration::from_secs(60);
const IMMEDIATE_STOP: Duration = Duration::from_secs(15);
const BACKENDS_LEAVE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(25);

/// Ends every process that still serves this data directory, then removes lock files that name no living
/// server. PostgreSQL itself would take any process of the same user under a reused pid for the old server.
pub(super) async fn clear(data: &Path, socket_dir: &Path, port: u16) -> Result<(), Error> {
    let data = fs::canonicalize(data).map_err(unusable(data))?;
    let lock_file = data.join("postmaster.pid");
    if let Some(pid) = server_of(&lock_file, &data) {
        tracing::info!(pid = pid.as_raw(), "stopping the database server that an earlier run left behind");
        // Fast: sessions end, and the disk is left tidy. Immediate, if it hangs: recovery tidies up later.
        for (signal, allowed) in [
            (Signal::SIGINT, FAST_STOP),
            (Signal::SIGQUIT, IMMEDIATE_STOP),
            (Signal::SIGKILL, BACKENDS_LEAVE),
        ] {
            let _ = kill(pid, signal);
            if within(allowed, || !serves(pid, &data)).await {
                break;
            }
        }
    }
    // Backends notice the death of their server by themselves; one that does not is beyond asking.
    if !within(BACKENDS_LEAVE, || processes_in(&data).is_empty()).await {
        for pid in processes_in(&data) {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
    if !within(BACKENDS_LEAVE, || processes_in(&data).is_empty()).await {
        let reason = format!("processes of an earlier run still work in {}", data.display());
        return Err(Error::Server { doing: "started", reason });
    }
    for stale in [
        lock_file,
        socket_dir.join(format!(".s.PGSQL.{port}.lock")),
        socket_dir.join(format!(".s.PGSQL.{port}")),
    ] {
        match fs::remove_file(&stale) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unusable(&stale)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// The process that the lock file names, if it really is a server of this directory.
fn server_of(lock_file: &Path, data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(lock_file).ok()?;
    let pid = text.lines().next()?.trim().parse::<i32>().ok()?;
    (pid > 1 && serves(Pid::from_raw(pid), data)).then_some(Pid::from_raw(pid))
}

/// A server works in its data directory, which tells it from whatever got its pid later.
#[cfg(target_os = "linux")]
fn serves(pid: Pid, data: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let named = fs::read_to_string(process.join("comm"));
    named.is_ok_and(|name| matches!(name.trim(), "postgres" | "postmaster"))
        && fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == data)
}

#[cfg(not(target_os = "linux"))]
fn serves(pid: Pid, data: &Path) -> bool {
    let listed = std::process::Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    listed.is_ok_and(|listed| {
        let command = String::from_utf8_lossy(&listed.stdout).into_owned();
        command.contains("postgres") && command.contains(&*data.to_string_lossy())
    })
}

/// Every process of a server of this directory; empty where the system does not let us see.
fn processes_in(data: &Path) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .map(Pid::from_raw)
        .filter(|pid| serves(*pid, data))
        .collect()
}

async fn within(allowed: Duration, holds: impl Fn() -> bool) -> bool {
    let until = Instant::now() + allowed;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
}
