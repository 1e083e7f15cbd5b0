//! `?wait=applied` answers when the gateways run the change.

use std::time::Duration;

use serde_json::json;
use tollgate_store::NodeReport;
use uuid::Uuid;

use crate::stage::{Reply, Stage};

const PATH: &str = "/v1/services/backend?wait=applied";

async fn change(stage: &Stage, query: &str, read_timeout_ms: u32) -> Reply {
    stage.patch(&format!("{PATH}{query}"), json!({ "read_timeout_ms": read_timeout_ms })).await
}

fn report(boot_id: Uuid, revision: i64, state: &str) -> NodeReport<'_> {
    NodeReport {
        boot_id,
        name: "a",
        version: "1",
        revision,
        state,
        last_error: None,
        hash: None,
        counted_at: None,
    }
}

#[tokio::test]
async fn a_write_waits_for_every_serving_gateway() {
    let stage = Stage::new().await;
    stage.service("backend").await;
    let store = stage.control.store().clone();
    let alone = change(&stage, "", 1_000).await.expect(200);
    assert_eq!(alone.header("tollgate-applied"), "false", "no gateway serves");

    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let head = store.feed_head().await.unwrap().revision;
    store.gateway_heartbeat(&report(first, head + 1, "serving")).await.unwrap();
    store.gateway_heartbeat(&report(second, head, "serving")).await.unwrap();
    store.gateway_heartbeat(&report(Uuid::now_v7(), 0, "draining")).await.unwrap();
    let late = change(&stage, "&timeout=100ms", 2_000).await.expect(200);
    assert_eq!(late.header("tollgate-applied"), "false");
    assert_eq!(late.header("tollgate-revision"), (head + 1).to_string());
    assert_eq!(late.body["read_timeout_ms"], 2_000);

    let follow = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        for boot_id in [first, second] {
            store.gateway_heartbeat(&report(boot_id, head + 2, "serving")).await.unwrap();
        }
    };
    let (applied, ()) = tokio::join!(change(&stage, "", 3_000), follow);
    assert_eq!(applied.expect(200).header("tollgate-applied"), "true");
}

#[tokio::test]
async fn what_cannot_be_waited_for_is_refused_before_anything_happens() {
    let stage = Stage::new().await;
    stage.service("backend").await;
    for (query, place) in [("&timeout=1h", "timeout"), ("&timeout=21s", "timeout"), ("&wiat=x", "wiat")] {
        assert_eq!(change(&stage, query, 1_000).await.expect(422).places(), [place]);
    }
    let missing = stage.patch("/v1/services/none?wait=applied", json!({})).await.expect(404);
    assert_eq!(missing.header("tollgate-applied"), "");
    assert_eq!(stage.get("/v1/services/backend").await.header("etag"), "\"v1\"");
}
