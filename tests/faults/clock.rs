//! Clocks that are wrong or are set while calls are taken: limits hold, quotas are not freed, and every call is counted
//! in the minute that the database would have put it in.
//!
//! The machine's own clock is of no concern to anybody else, so `libfaketime` lies to the gateway alone.

use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use tollgate_testkit::{Fault, month_quota};

use crate::load::{Load, get};
use crate::rig::{Process, Rig, until};

const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];
const CALLERS: usize = 2;
/// Counts that lie further from the database's clock than two minutes.
const MISDATED: &str = "select count(*) from usage_counters
    where (minute > now() + interval '2 minutes' or minute < now() - interval '10 minutes') and $1 = ''";

/// A clock that can be set, for one process. The one that only ever goes on is left alone, as a machine leaves it.
struct Clock {
    library: &'static str,
    file: PathBuf,
}

impl Clock {
    fn new(dir: &Path) -> Option<Self> {
        let library = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
        if library.is_none() {
            println!("not run: libfaketime is not installed");
        }
        let clock = Self { library: library?, file: dir.join("clock") };
        clock.set("+0");
        Some(clock)
    }

    /// Against the true time, like `-1h`.
    fn set(&self, offset: &str) {
        std::fs::write(&self.file, offset).unwrap();
    }

    fn give(&self, command: &mut tokio::process::Command) {
        self.give_all(command);
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }

    /// And the one that only ever goes on: for the process, time itself passes.
    fn give_all(&self, command: &mut tokio::process::Command) {
        command
            .env("LD_PRELOAD", self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_RESET", "1");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_while_calls_are_taken_moves_no_call_and_frees_no_quota() {
    let rig = Rig::new().await;
    let dir = tempfile::tempdir().unwrap();
    let Some(clock) = Clock::new(dir.path()) else { return };
    let mut command = rig.command();
    clock.give(&mut command);
    let mut gateway = Process::start(command).await.expect("the gateway serves");
    let load = Load::start(gateway.gateway, &rig.world.key, CALLERS, 50);
    // Two of them are steps as a time server makes them; 33 days lead into another month, and back.
    for offset in ["+1h", "-1h", "+1d", "+33d", "-33d", "+3s", "+0"] {
        clock.set(offset);
        let seen = load.tally.finished();
        until("calls go on", async || load.tally.finished() > seen + 100).await;
    }
    clock.set("+1h");
    until("it is told", async || {
        let ahead = gateway.metric("tollgate_clock_ahead_seconds").await;
        ahead.is_some_and(|ahead| (3_590.0..3_610.0).contains(&ahead))
    })
    .await;
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]));
    until("all is counted", async || rig.counted().await == tally.finished()).await;
    assert_eq!(rig.database.count(MISDATED, "").await, 0, "every call is in its minute");
    assert_eq!(rig.world.used(&rig.store).await, tally.finished(), "and in its month");
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await.success());
}

#[tokio::test]
async fn a_gateway_that_starts_with_a_wrong_clock_counts_by_that_of_the_database() {
    let rig = Rig::new().await;
    let dir = tempfile::tempdir().unwrap();
    let Some(clock) = Clock::new(dir.path()) else { return };
    let mut finished = 0;
    for offset in ["+1h", "-1h", "+1d", "-400d"] {
        clock.set(offset);
        let mut command = rig.command();
        clock.give(&mut command);
        let mut gateway = Process::start(command).await.expect("the gateway serves");
        let load = Load::start(gateway.gateway, &rig.world.key, CALLERS, 50);
        until("calls finish", async || load.tally.finished() > 100).await;
        let tally = load.stop().await;
        assert_eq!((tally.broken(), tally.other()), (0, vec![]), "{offset}");
        finished += tally.finished();
        gateway.signal(Signal::SIGTERM);
        assert!(gateway.ended().await.success());
        assert_eq!(rig.counted().await, finished, "{offset}");
        assert_eq!(rig.database.count(MISDATED, "").await, 0, "{offset}");
    }
}

#[tokio::test]
async fn a_used_up_quota_stays_used_up_whatever_the_clock_says() {
    let rig = Rig::new().await;
    let dir = tempfile::tempdir().unwrap();
    let Some(clock) = Clock::new(dir.path()) else { return };
    let slug = "items".parse().unwrap();
    let mut tx = rig.store.begin().await.unwrap();
    tx.update_plan(&rig.plan_with(&slug, &[month_quota(3)])).await.unwrap();
    tx.commit().await.unwrap();
    let mut command = rig.command();
    clock.give(&mut command);
    let mut gateway = Process::start(command).await.expect("the gateway serves");
    let status = async |gateway: &Process| {
        get(gateway.gateway, "/v1/items", Some(&rig.world.key)).await.expect("an answer").status
    };
    for _ in 0..3 {
        assert_eq!(status(&gateway).await, 200);
    }
    for offset in ["+0", "+33d", "-33d", "+1h"] {
        clock.set(offset);
        assert_eq!(status(&gateway).await, 429, "{offset}");
    }
    until("it is counted", async || rig.counted().await == 3).await;

    // Started anew without the database, a month behind: what is on disk is of this month by the database's clock.
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await.success());
    rig.postgres.set(Fault::Refuse);
    clock.set("+0");
    let mut command = rig.command();
    clock.give(&mut command);
    let gateway = Process::start(command).await.expect("the gateway serves from disk");
    assert_eq!(status(&gateway).await, 429);
}

#[tokio::test]
async fn a_day_without_the_control_plane_costs_no_call_and_no_count() {
    let rig = Rig::new().await;
    let dir = tempfile::tempdir().unwrap();
    let Some(clock) = Clock::new(dir.path()) else { return };
    let mut command = rig.command();
    clock.give_all(&mut command);
    let mut gateway = Process::start(command).await.expect("the gateway serves");
    let saved = || rig.data_dir().join("gateway").join("runtime.0000000001.snapshot").exists();
    until("saved", async || saved()).await;
    rig.postgres.set(Fault::Refuse);
    let mut finished = 0;
    let mut calls = async |gateway: &Process, when: &str| {
        let load = Load::start(gateway.gateway, &rig.world.key, CALLERS, 50);
        until("calls finish", async || load.tally.finished() > 40).await;
        let tally = load.stop().await;
        assert_eq!((tally.broken(), tally.other()), (0, vec![]), "{when}");
        finished += tally.finished();
    };
    // An hour passes at once, so nobody may be in the middle of a call then.
    for hour in 1..=24 {
        clock.set(&format!("+{hour}h"));
        calls(&gateway, &format!("in hour {hour}")).await;
        if hour == 12 {
            // Half the day is served by one that never saw the control plane.
            gateway.signal(Signal::SIGKILL);
            gateway.ended().await;
            let mut command = rig.command();
            clock.give_all(&mut command);
            gateway = Process::start(command).await.expect("the gateway serves from disk");
        }
    }
    let age = gateway.metric("tollgate_config_age_seconds").await.expect("the age is told");
    // Of the twelve hours that this process knows of.
    assert!(age > 11.0 * 3_600.0, "{age} s: an alarm can be set on it");
    assert_eq!(gateway.metric("tollgate_usage_dropped_calls_total").await, Some(0.0));

    rig.postgres.set(Fault::None);
    until("all is counted, once", async || rig.counted().await == finished).await;
    assert_eq!(rig.arrived.load(std::sync::atomic::Ordering::SeqCst), finished);
    rig.database.run("update credentials set revoked_at = now()").await;
    until("what was revoked meanwhile is refused", async || {
        get(gateway.gateway, "/v1/items", Some(&rig.world.key))
            .await
            .is_some_and(|answer| answer.status == 401)
    })
    .await;
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await.success());
    println!("24 hours without the control plane: {finished} calls, 0 failed, 0 lost, 0 double");
}
