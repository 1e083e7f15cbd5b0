//! `?dry_run=true` does everything but lasts.

use serde_json::json;

use crate::stage::{Stage, document, plan};

async fn rows(stage: &Stage) -> i64 {
    let sql =
        "select (select count(*) from services) + (select count(*) from apis) + (select count(*) from plans)
        + (select count(*) from credentials) + (select count(*) from audit_entries)
        + (select revision from config_head) + (select sum(version)::bigint from plans)";
    sqlx::query_scalar(sql).fetch_one(stage.pool()).await.unwrap()
}

#[tokio::test]
async fn every_kind_of_write_can_be_tried_and_leaves_nothing() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let before = rows(&stage).await;
    let target = json!([{ "url": "http://10.0.0.8:8080" }]);
    for (method, path, body, status, action) in [
        (
            "POST",
            "/v1/services".to_owned(),
            Some(json!({ "slug": "n", "name": "N", "targets": target })),
            201,
            "service.create",
        ),
        (
            "PUT",
            "/v1/services/n".to_owned(),
            Some(json!({ "slug": "n", "name": "N", "targets": target })),
            201,
            "service.create",
        ),
        ("PUT", "/v1/apis/countries/document".to_owned(), Some(document()), 200, "api.publish"),
        ("PATCH", format!("/v1/plans/{}", world.plan), Some(json!({ "name": "N" })), 200, "plan.update"),
        (
            "POST",
            "/v1/keys".to_owned(),
            Some(json!({ "application_id": world.application, "name": "N" })),
            201,
            "key.create",
        ),
        ("DELETE", format!("/v1/keys/{}", world.key), None, 204, "key.revoke"),
        ("DELETE", format!("/v1/organizations/{}", world.organization), None, 204, "organization.delete"),
    ] {
        let tried =
            stage.call_as(&stage.admin, method, &format!("{path}?dry_run=true"), body).await.expect(200);
        assert_eq!((&tried.body["dry_run"], &tried.body["status"]), (&json!(true), &json!(status)), "{path}");
        assert_eq!(tried.body["changes"][0]["action"], action, "{}", tried.text);
        assert!(tried.body["result"]["secret"].is_null(), "a key that never worked is not shown");
        assert_eq!(rows(&stage).await, before, "{method} {path}");
    }
}

#[tokio::test]
async fn a_tried_change_shows_before_and_after_and_one_that_changes_nothing_shows_nothing() {
    let stage = Stage::new().await;
    stage.service("backend").await;
    let path = "/v1/services/backend?dry_run=true";
    let tried = stage.patch(path, json!({ "read_timeout_ms": 5 })).await.expect(200);
    let details = &tried.body["changes"][0]["details"];
    assert_eq!(
        (&details["before"]["read_timeout_ms"], &details["after"]["read_timeout_ms"]),
        (&json!(30_000), &json!(5))
    );
    assert_eq!(tried.body["result"]["read_timeout_ms"], 5);
    let same = stage.patch(path, json!({ "read_timeout_ms": 30_000 })).await.expect(200);
    assert_eq!(same.body["changes"], json!([]));
}

#[tokio::test]
async fn what_would_be_refused_is_refused() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let twin = json!({
        "slug": "twin", "name": "T", "service_id": world.service, "base_path": "/countries", "state": "published",
        "document": document(),
    });
    stage.post("/v1/apis?dry_run=true", twin).await.expect(409);
    stage.delete("/v1/products/atlas?dry_run=true").await.expect(409);
    stage.call_as(&stage.auditor, "POST", "/v1/services?dry_run=true", Some(json!({}))).await.expect(403);
    for unclear in ["dry_run=maybe", "dry_run=", "dry_run"] {
        let refused = stage.post(&format!("/v1/services?{unclear}"), json!({})).await.expect(422);
        assert_eq!(refused.places(), ["dry_run"], "{unclear}");
    }
}

#[tokio::test]
async fn who_is_over_a_lowered_quota_is_told() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let sql = "insert into quota_usage (subscription_id, month, boot_id, charged)
        select id, date_trunc('month', now() at time zone 'utc')::date, gen_random_uuid(), 800 from subscriptions";
    sqlx::query(sql).execute(stage.pool()).await.unwrap();
    let mut lowered = plan(&world.product, "free")["limits"].clone();
    lowered[1]["amount"] = json!(500);
    let path = format!("/v1/plans/{}?dry_run=true", world.plan);
    let tried = stage.patch(&path, json!({ "limits": lowered })).await.expect(200);
    let affected = &tried.body["affected"];
    assert_eq!(affected.as_array().unwrap().len(), 1, "{}", tried.text);
    assert_eq!(affected[0]["kind"], "over_quota");
    assert_eq!(affected[0]["application_id"], json!(world.application));
    assert_eq!(affected[0]["subscription_id"], json!(world.subscription));
    assert!(affected[0]["message"].as_str().unwrap().contains("800"), "{}", tried.text);
    lowered[1]["amount"] = json!(900);
    let tried = stage.patch(&path, json!({ "limits": lowered })).await.expect(200);
    assert_eq!(tried.body["affected"], json!([]));
    let path = format!("/v1/applications/{}?dry_run=true", world.application);
    let tried = stage.patch(&path, json!({ "state": "suspended" })).await.expect(200);
    assert_eq!(tried.body["affected"][0]["kind"], "keys_stop");
}
