//! The database server itself is killed, frozen, restarted and followed by its standby, for the proxy in between can only
//! pretend: calls do not notice, what they used is counted once, and changes come through afterwards.

use std::time::Duration;

use nix::sys::signal::Signal;
use tollgate_testkit::{Cluster, Fault, TestDatabase};

use crate::load::{Load, get};
use crate::rig::{Rig, seconds, until};

/// Publishes a route through `database`, and waits until it is served.
async fn change_comes_through(rig: &Rig, database: &TestDatabase, gateway: std::net::SocketAddr, path: &str) {
    let store = database.store();
    let route = |path: &str| (path.trim_start_matches('/').into(), "GET".into(), path.into());
    // Connections that the fault has cut are found out one by one.
    until("the change is written", async || {
        let Ok(mut tx) = store.begin().await else { return false };
        let replaced = tx.replace_routes(rig.world.api, &[route("/items"), route(path)]).await;
        replaced.is_ok() && tx.commit().await.is_ok()
    })
    .await;
    let path = format!("/v1{path}");
    until("the change is in force", async || {
        get(gateway, &path, None).await.is_some_and(|answer| answer.status == 401)
    })
    .await;
}

/// Takes calls through a fault of a server, `break_it` to `mend_it`; none may fail, and each is counted once.
async fn survive(
    what: &str,
    time: Duration,
    break_it: impl AsyncFn(&Cluster),
    mend_it: impl AsyncFn(&Cluster),
) {
    let cluster = Cluster::start().await;
    let rig = Rig::on(TestDatabase::on_cluster(&cluster).await).await;
    let mut gateway = rig.gateway().await;
    let load = Load::start(gateway.gateway, &rig.world.key, 4, 50);
    until("calls finish", async || load.tally.finished() > 50).await;
    break_it(&cluster).await;
    tokio::time::sleep(time).await;
    let during = load.tally.finished();
    mend_it(&cluster).await;
    until("calls go on", async || load.tally.finished() > during).await;
    change_comes_through(&rig, &rig.database, gateway.gateway, "/afterwards").await;
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]), "{what}");
    until("all is counted", async || rig.counted().await == tally.finished()).await;
    println!("{what}: {} calls, 0 failed, slowest {:?}", tally.finished(), tally.slowest());
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await.success());
    assert_eq!(rig.counted().await, tally.finished());
}

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back_costs_no_call_and_no_count() {
    survive("server killed", seconds(3, 30), async |it| it.kill().await, async |it| it.start_again()).await;
}

#[tokio::test]
async fn a_server_that_freezes_costs_no_call_and_no_count() {
    survive("server frozen", seconds(7, 60), async |it| it.freeze(), async |it| it.thaw()).await;
}

#[tokio::test]
async fn a_server_that_is_restarted_costs_no_call_and_no_count() {
    survive("server restarted", Duration::ZERO, async |it| it.restart(), async |_| {}).await;
}

#[tokio::test]
async fn a_standby_takes_over_with_everything_that_was_acknowledged() {
    let cluster = Cluster::start().await;
    let standby = cluster.standby().await;
    let rig = Rig::on(TestDatabase::on_cluster(&cluster).await).await;
    let gateway = rig.gateway().await;
    let load = Load::start(gateway.gateway, &rig.world.key, 4, 50);
    change_comes_through(&rig, &rig.database, gateway.gateway, "/acknowledged").await;
    until("calls finish", async || load.tally.finished() > 50).await;

    cluster.kill().await;
    // First it only reads: what is asked is answered, what is written is refused.
    rig.postgres.lead_to(standby.socket());
    let seen = load.tally.finished();
    tokio::time::sleep(seconds(3, 10)).await;
    until("calls go on beside a server that takes no writes", async || load.tally.finished() > seen + 50)
        .await;
    standby.promote().await;

    let database = rig.database.on_successor(&standby);
    assert!(get(gateway.gateway, "/v1/acknowledged", None).await.is_some_and(|answer| answer.status == 401));
    change_comes_through(&rig, &database, gateway.gateway, "/afterwards").await;
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]));
    let sum = "select coalesce(sum(calls), 0)::bigint from usage_counters where status = 200 and $1 = ''";
    until("all is counted, once", async || database.count(sum, "").await == tally.finished() as i64).await;
    println!("failover: {} calls, 0 failed, slowest {:?}", tally.finished(), tally.slowest());
    rig.postgres.set(Fault::Refuse);
}
