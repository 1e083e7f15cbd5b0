//! Incidents by scripts: written, changed, ended, deleted; what gateways noticed stays theirs.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn an_incident_is_written_changed_listed_and_deleted() {
    let stage = Stage::new().await;
    let body = json!({ "title": "Slow answers", "trouble": "degraded", "began_at": "2026-11-01T09:30:00Z" });
    let made = stage.call_as(&stage.admin, "POST", "/v1/incidents", Some(body)).await.expect(201);
    assert_eq!((&made.body["noticed"], &made.body["ended_at"]), (&json!(false), &json!(null)));
    let path = format!("/v1/incidents/{}", made.id());
    let change = |body: serde_json::Value| stage.call_as(&stage.admin, "PATCH", &path, Some(body));
    let ended = change(json!({ "ended_at": "2026-11-01T10:00:00Z", "trouble": "down" })).await.expect(200);
    assert_eq!((ended.header("etag"), &ended.body["trouble"]), ("\"v2\"", &json!("down")));
    assert_eq!(change(json!({ "trouble": "down" })).await.expect(200).body, ended.body, "nothing changed");
    let again = change(json!({ "ended_at": null })).await.expect(200);
    assert_eq!(again.body["ended_at"], json!(null));
    let list = stage.get("/v1/incidents").await.expect(200);
    assert_eq!(list.body, json!({ "data": [again.body], "next_cursor": null }));
    stage.call_as(&stage.admin, "DELETE", &path, None).await.expect(204);
    stage.get(&path).await.expect(404);
}

#[tokio::test]
async fn what_is_wrong_with_an_incident_is_named() {
    let stage = Stage::new().await;
    let bad = json!({
        "title": "", "trouble": "down", "began_at": "2999-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z",
        "api_id": "api_01ks2v8d3tf5cs9y0v3jq1q7zb",
    });
    let refused = stage.call_as(&stage.admin, "POST", "/v1/incidents", Some(bad)).await.expect(422);
    assert_eq!(refused.places(), ["/title", "/began_at", "/ended_at", "/api_id"]);
}
