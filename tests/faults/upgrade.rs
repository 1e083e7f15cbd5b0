//! A new build takes over from the old one under load: no call is refused, none is cut, and each is counted once.

use nix::sys::signal::Signal;

use crate::load::{Load, get};
use crate::rig::{Process, Rig, until};

/// Old and new side by side, three times over.
#[tokio::test]
async fn three_upgrades_under_load_fail_no_call() {
    let rig = Rig::new().await;
    let mut running = rig.gateway().await;
    let address = running.gateway;
    // On kept connections, and on one for each call.
    let kept = Load::start(address, &rig.world.key, 4, 10_000);
    let fresh = Load::start(address, &rig.world.key, 4, 1);
    for _ in 0..3 {
        let seen = (kept.tally.finished(), fresh.tally.finished());
        until("calls finish", async || {
            kept.tally.finished() > seen.0 + 50 && fresh.tally.finished() > seen.1 + 50
        })
        .await;
        let mut command = rig.command();
        command.arg("--upgrade");
        let next = Process::start(command).await.expect("the new process serves");
        assert_eq!((next.gateway, next.operator), (address, running.operator), "the same sockets");
        assert!(running.ended().await.success(), "the old process ends well");
        running = next;
        let ready = get(running.operator, "/readyz", None).await.expect("the operator's listener answers");
        assert_eq!(ready.status, 200);
    }
    let (kept, fresh) = (kept.stop().await, fresh.stop().await);
    assert_eq!((kept.broken(), kept.other(), fresh.broken(), fresh.other()), (0, vec![], 0, vec![]));
    let finished = kept.finished() + fresh.finished();
    until("all is counted", async || rig.counted().await == finished).await;
    println!("3 upgrades, {finished} calls, 0 failed, slowest {:?}", kept.slowest().max(fresh.slowest()));
    running.signal(Signal::SIGTERM);
    assert!(running.ended().await.success());
    assert_eq!(rig.counted().await, finished);
}

#[tokio::test]
async fn a_new_process_that_dies_before_it_is_ready_changes_nothing() {
    let rig = Rig::new().await;
    let mut running = rig.gateway().await;
    let load = Load::start(running.gateway, &rig.world.key, 2, 50);
    let mut command = rig.command();
    // It has the sockets by then, and finds no room for its access log.
    command.arg("--upgrade").env("TOLLGATE_ACCESS_LOG", "/nowhere/access.log");
    assert!(Process::start(command).await.is_none());
    let seen = load.tally.finished();
    until("calls go on", async || load.tally.finished() > seen + 100).await;
    assert!(!running.has_ended());
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]));
    // And the next one may.
    let mut command = rig.command();
    command.arg("--upgrade");
    let next = Process::start(command).await.expect("the new process serves");
    assert!(running.ended().await.success());
    drop(next);
}

#[tokio::test]
async fn what_the_old_process_leaves_when_it_is_killed_while_it_drains_is_handed_in_by_the_new_one() {
    let rig = Rig::new().await;
    let mut old = rig.gateway().await;
    let load = Load::start(old.gateway, &rig.world.key, 2, 10_000);
    until("calls finish", async || load.tally.finished() > 50).await;
    // An idle connection keeps the old process for a while.
    let _idle = tokio::net::TcpStream::connect(old.gateway).await.unwrap();
    let mut command = rig.command();
    command.arg("--upgrade");
    let new = Process::start(command).await.expect("the new process serves");
    old.signal(Signal::SIGKILL);
    old.ended().await;
    let tally = load.stop().await;
    until("all is counted", async || rig.counted().await >= tally.finished()).await;
    assert!(rig.counted().await <= rig.arrived.load(std::sync::atomic::Ordering::SeqCst));
    drop(new);
}
