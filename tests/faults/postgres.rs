//! The database goes away in every way there is; calls do not notice, and what they used arrives afterwards.

use std::time::Duration;

use nix::sys::signal::Signal;
use tollgate_testkit::Fault;

use crate::load::{Load, get};
use crate::rig::{Process, Rig, at_length, seconds, until};

const CALLERS: usize = 4;
/// Each on a connection for so many calls.
const CALLS: usize = 50;

/// Takes calls while `fault` holds for `time`, then until all are in the ledger. No call may fail.
async fn survive(fault: Fault, time: Duration) {
    let rig = Rig::new().await;
    let gateway = rig.gateway().await;
    let load = Load::start(gateway.gateway, &rig.world.key, CALLERS, CALLS);
    until("calls finish", async || load.tally.finished() > 20).await;
    rig.postgres.set(fault);
    tokio::time::sleep(time).await;
    let during = load.tally.finished();
    rig.postgres.set(Fault::None);
    until("calls go on", async || load.tally.finished() > during).await;
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]), "{fault:?}");
    until("all is counted", async || rig.counted().await == tally.finished()).await;
    println!("{fault:?}: {} calls, 0 failed, slowest {:?}", tally.finished(), tally.slowest());
}

#[tokio::test]
async fn while_it_is_down_no_call_fails_and_no_count_is_lost() {
    survive(Fault::Refuse, seconds(3, 30)).await;
}

#[tokio::test]
async fn while_it_is_frozen_no_call_fails_and_no_count_is_lost() {
    // Longer than a question may take.
    survive(Fault::Freeze, seconds(7, 60)).await;
}

#[tokio::test]
async fn while_it_is_slow_no_call_fails_and_no_count_is_lost() {
    survive(Fault::Latency(Duration::from_millis(500)), seconds(3, 30)).await;
    if at_length() {
        // So slow that no answer comes in time.
        survive(Fault::Latency(Duration::from_secs(5)), Duration::from_secs(30)).await;
    }
}

#[tokio::test]
async fn while_it_talks_nonsense_no_call_fails_and_no_count_is_lost() {
    survive(Fault::Garbage, Duration::from_secs(3)).await;
}

#[tokio::test]
async fn a_gateway_that_is_killed_while_it_is_away_starts_again_from_its_disk() {
    let rig = Rig::new().await;
    let mut first = rig.gateway().await;
    let load = Load::start(first.gateway, &rig.world.key, CALLERS, CALLS);
    // Saved a second after it was loaded, while calls are taken.
    let saved = || rig.data_dir().join("gateway").join("runtime.0000000001.snapshot").exists();
    until("saved", async || saved() && load.tally.finished() > 20).await;
    rig.postgres.set(Fault::Refuse);
    first.signal(Signal::SIGKILL);
    first.ended().await;
    let before = load.stop().await.finished();

    let second = rig.gateway().await;
    let load = Load::start(second.gateway, &rig.world.key, CALLERS, CALLS);
    until("calls finish", async || load.tally.finished() > 20).await;
    let age = async |process: &Process| process.metric("tollgate_config_age_seconds").await.unwrap();
    let old = age(&second).await;
    until("its age is told", async || age(&second).await > old).await;
    rig.postgres.set(Fault::None);
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]));
    // Calls that were under way when the first was killed may be counted or not.
    let all = before + tally.finished();
    until("all is counted", async || rig.counted().await >= all).await;
    assert!(rig.counted().await <= rig.arrived.load(std::sync::atomic::Ordering::SeqCst));
}

#[tokio::test]
async fn when_every_connection_is_cut_changes_still_come_through() {
    let rig = Rig::new().await;
    let gateway = rig.gateway().await;
    for round in 0..3 {
        let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid() and $1 = ''";
        rig.database.count(cut, "").await;
        let path = format!("/news{round}");
        let mut tx = loop {
            // The pool of this test has lost its connections, too.
            if let Ok(tx) = rig.store.begin().await {
                break tx;
            }
        };
        let route =
            |method: &str, path: &str| (path.trim_start_matches('/').into(), method.into(), path.into());
        tx.replace_routes(rig.world.api, &[route("GET", "/items"), route("GET", &path)]).await.unwrap();
        tx.commit().await.unwrap();
        let path = format!("/v1{path}");
        until("the change", async || {
            get(gateway.gateway, &path, None).await.is_some_and(|answer| answer.status == 401)
        })
        .await;
    }
}
