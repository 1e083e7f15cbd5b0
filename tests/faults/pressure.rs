//! Floods, slow callers, a full disk, plans that change under load: whoever behaves does not notice.

use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Instant;

use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate_testkit::{mint, month_quota};

use crate::load::{Load, get};
use crate::rig::{Process, Rig, at_length, until};

#[tokio::test]
async fn a_flood_of_wrong_keys_costs_those_with_right_ones_no_call() {
    let rig = Rig::new().await;
    let gateway = rig.gateway().await;
    let began = Instant::now();
    let flood = Load::start(gateway.gateway, &mint(), 8, 1_000);
    let load = Load::start(gateway.gateway, &rig.world.key, 2, 50);
    // At length: 5,000 a second for ten seconds, on a build and a machine that can.
    let tries = if at_length() { 50_000 } else { 500 };
    until("both", async || load.tally.finished() > 100 && flood.tally.other().len() > tries).await;
    let rate = flood.tally.other().len() as f64 / began.elapsed().as_secs_f64();
    let (tally, flood) = (load.stop().await, flood.stop().await);
    assert_eq!((tally.broken(), tally.other()), (0, vec![]));
    assert!(flood.other().iter().all(|status| *status == 401));
    println!(
        "{} wrong keys, {rate:.0} a second, beside {} calls, slowest {:?}",
        flood.other().len(),
        tally.finished(),
        tally.slowest()
    );
    until("refusals beyond the rate are dropped from the log", async || {
        gateway.metric("tollgate_request_log_dropped_total").await.is_some_and(|dropped| dropped > 0.0)
    })
    .await;
}

#[tokio::test]
async fn a_key_that_was_tried_in_vain_a_thousand_times_works_as_soon_as_it_is_one() {
    let rig = Rig::new().await;
    rig.database.run("update credentials set revoked_at = now()").await;
    let gateway = rig.gateway().await;
    let load = Load::start(gateway.gateway, &rig.world.key, 4, 1_000);
    until("refused", async || load.tally.other().len() > 1_000).await;
    assert_eq!(load.tally.finished(), 0);
    rig.database.run("update credentials set revoked_at = null").await;
    until("it works", async || load.tally.finished() > 100).await;
    let tally = load.stop().await;
    assert_eq!(tally.broken(), 0);
    assert!(tally.other().iter().all(|status| *status == 401));
}

#[tokio::test]
async fn callers_that_say_nothing_or_too_much_cost_others_no_call() {
    let rig = Rig::new().await;
    let gateway = rig.gateway().await;
    let mut silent = Vec::new();
    for n in 0..500 {
        let mut stream = TcpStream::connect(gateway.gateway).await.unwrap();
        match n % 3 {
            0 => {}
            1 => stream.write_all(b"GET /v1/items HTTP/1.1\r\nHost: a").await.unwrap(),
            _ => stream
                .write_all(b"POST /v1/items HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx")
                .await
                .unwrap(),
        }
        silent.push(stream);
    }
    let load = Load::start(gateway.gateway, &rig.world.key, 2, 50);
    for _ in 0..20 {
        let mut stream = TcpStream::connect(gateway.gateway).await.unwrap();
        let huge = format!("GET /v1/items HTTP/1.1\r\nHost: a\r\nX-Huge: {}\r\n\r\n", "x".repeat(100_000));
        // It may be refused before all of it is sent.
        let _ = stream.write_all(huge.as_bytes()).await;
        let mut answer = vec![0; 64];
        if stream.read(&mut answer).await.is_ok_and(|bytes| bytes > 12) {
            assert_eq!(&answer[..12], b"HTTP/1.1 431");
        }
    }
    until("calls finish", async || load.tally.finished() > 300).await;
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]));
    drop(silent);
}

#[tokio::test]
async fn a_plan_that_changes_in_a_burst_judges_each_call_by_one_of_its_versions() {
    let rig = Rig::new().await;
    let gateway = rig.gateway().await;
    let load = Load::start(gateway.gateway, &rig.world.key, 4, 50);
    let slug = "items".parse().unwrap();
    for amount in [1, 1_000_000, 2, 1_000_000] {
        let seen = load.tally.other().len() as u64 + load.tally.finished();
        let mut tx = rig.store.begin().await.unwrap();
        tx.update_plan(&rig.plan_with(&slug, &[month_quota(amount)])).await.unwrap();
        tx.commit().await.unwrap();
        until("calls are judged", async || {
            load.tally.other().len() as u64 + load.tally.finished() > seen + 200
        })
        .await;
    }
    let tally = load.stop().await;
    assert_eq!(tally.broken(), 0);
    assert!(tally.other().iter().all(|status| *status == 429) && !tally.other().is_empty());
    until("what was served is counted, once", async || rig.counted().await == tally.finished()).await;
}

/// A file system of a size, gone when dropped; none where this account may not mount.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(kib: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(dir.path())
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, for a process may be about to end that has it open.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_costs_no_call_and_no_count() {
    let Some(disk) = SmallDisk::mount(1_024) else {
        println!("not run: this account may not mount a small file system");
        return;
    };
    let rig = Rig::new().await;
    let mut command = rig.command();
    command
        .env("TOLLGATE_DATA_DIR", disk.0.path())
        .env("TOLLGATE_ACCESS_LOG", disk.0.path().join("access.log"));
    let mut gateway = Process::start(command).await.unwrap();
    let load = Load::start(gateway.gateway, &rig.world.key, 4, 50);
    let snapshots = || {
        let names = std::fs::read_dir(disk.0.path().join("gateway")).unwrap();
        names
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|it| it == "snapshot"))
            .count()
    };
    until("saved", async || snapshots() > 0 && load.tally.finished() > 20).await;
    let saved = snapshots();
    // Full to the last byte, and the access log has taken part in it.
    let mut filler = std::fs::File::create(disk.0.path().join("filler")).unwrap();
    while std::io::Write::write(&mut filler, &[0; 512]).is_ok() {}
    let full_since = load.tally.finished();
    let mut tx = rig.store.begin().await.unwrap();
    let route = |method: &str, path: &str| (path.trim_start_matches('/').into(), method.into(), path.into());
    tx.replace_routes(rig.world.api, &[route("GET", "/items"), route("GET", "/news")]).await.unwrap();
    tx.commit().await.unwrap();
    until("the change is in force though it cannot be saved", async || {
        get(gateway.gateway, "/v1/news", None).await.is_some_and(|answer| answer.status == 401)
    })
    .await;
    until("it is told that it could not be saved", async || {
        gateway.metric("tollgate_config_snapshots_unwritten_total").await.is_some_and(|count| count > 0.0)
    })
    .await;
    until("calls go on", async || load.tally.finished() > full_since + 500).await;
    assert_eq!(snapshots(), saved, "what was saved stays");
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]));
    until("all is counted", async || rig.counted().await >= tally.finished()).await;
    assert!(rig.counted().await <= rig.arrived.load(Ordering::SeqCst));
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await.success());
}

#[tokio::test]
async fn a_stop_under_load_breaks_no_call_that_was_accepted() {
    let rig = Rig::new().await;
    let mut command = rig.command();
    command.env("TOLLGATE_DRAIN_SECONDS", "1");
    let mut gateway = Process::start(command).await.unwrap();
    let load = Load::start(gateway.gateway, &rig.world.key, 4, 50);
    until("calls finish", async || load.tally.finished() > 50).await;
    gateway.signal(Signal::SIGTERM);
    until("it says so", async || {
        get(gateway.operator, "/readyz", None).await.is_none_or(|answer| answer.status == 503)
    })
    .await;
    // As a balancer does.
    let tally = load.stop().await;
    assert!(gateway.ended().await.success());
    assert_eq!((tally.broken(), tally.other()), (0, vec![]));
    assert_eq!(rig.counted().await, tally.finished());
}
