//! An upstream fails in every way there is: its own calls say so, the others do not notice.

use std::time::Duration;

use axum::Router;
use axum::routing::any;
use tollgate_testkit::{Fault, Upstream, World, month_quota};

use crate::load::{Caller, Load, get};
use crate::rig::{Process, Rig, until};

/// A second API with an upstream that is well, and callers of it.
async fn beside(rig: &Rig, gateway: &Process) -> (Upstream, World) {
    let upstream = Upstream::serving(Router::new().route("/items", any(|| async { "well" }))).await;
    let world = World::publish(&rig.store, "other", "/v2", &upstream.url(), &[month_quota(1_000_000)]).await;
    until("the other API", async || {
        get(gateway.gateway, "/v2/items", Some(&world.key)).await.is_some_and(|answer| answer.status == 200)
    })
    .await;
    (upstream, world)
}

#[tokio::test]
async fn only_its_own_calls_fail_each_with_its_reason_and_all_is_well_afterwards() {
    let rig = Rig::new().await;
    let gateway = rig.gateway().await;
    let (_other, world) = beside(&rig, &gateway).await;
    let load = Load::start_on(gateway.gateway, "/v2/items", &world.key, 2, 50);
    for (fault, expected) in [
        (Fault::Refuse, &[(502, "upstream_unreachable"), (502, "upstream_failed")][..]),
        (Fault::Freeze, &[(504, "upstream_timeout")]),
        (Fault::Garbage, &[(502, "upstream_failed")]),
        (Fault::ResetAfter(10), &[(502, "upstream_failed")]),
        (Fault::HalfCloseAfter(10), &[(502, "upstream_failed")]),
    ] {
        rig.way.set(fault);
        let answer = get(gateway.gateway, "/v1/items", Some(&rig.world.key)).await.expect("an answer");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).expect("a problem");
        let said = (answer.status, problem["code"].as_str().unwrap());
        assert!(expected.contains(&said), "{fault:?}: {answer:?}");
        rig.way.set(Fault::None);
        // What is left over of the fault is a connection that ended; nothing is learned from it but that.
        until("well again", async || {
            get(gateway.gateway, "/v1/items", Some(&rig.world.key)).await.is_some_and(|it| it.status == 200)
        })
        .await;
    }
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]), "callers of the other API");
    assert!(tally.finished() > 0);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_never_looks_whole_and_is_counted_once() {
    let rig = Rig::new().await;
    let gateway = rig.gateway().await;
    let mut cut = 0;
    // Behind the head, within the body.
    for bytes in [150, 160, 170, 180] {
        rig.way.set(Fault::ResetAfter(bytes));
        let mut caller = Caller::connect(gateway.gateway).await.unwrap();
        match caller.call("/v1/items", Some(&rig.world.key)).await {
            None => cut += 1,
            Some(answer) => assert_eq!(answer.status, 502, "{answer:?}"),
        }
    }
    assert!(cut > 0, "none was cut off in its body");
    rig.way.set(Fault::None);
    let sum = "select coalesce(sum(calls), 0)::bigint from usage_counters where $1 = ''";
    until("each is counted", async || rig.database.count(sum, "").await == 4).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(rig.database.count(sum, "").await, 4);
}
