//! `ETag` and `If-Match` keep two writers from undoing each other.

use axum::body::Body;
use serde_json::json;

use crate::stage::{Reply, Stage};

async fn send_if_match(stage: &Stage, method: &str, path: &str, tag: &str) -> Reply {
    let body = if path.ends_with("/document") { crate::stage::document() } else { json!({ "name": tag }) };
    let request =
        stage.request(method, path).header("content-type", "application/json").header("if-match", tag);
    let body = if method == "DELETE" { Body::empty() } else { Body::from(body.to_string()) };
    stage.send(request.body(body).unwrap()).await
}

#[tokio::test]
async fn a_change_without_a_tag_is_told_to_bring_one() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    for (method, path) in [
        ("PATCH", "/v1/services/backend".to_owned()),
        ("PATCH", "/v1/apis/countries".to_owned()),
        ("PATCH", "/v1/products/atlas".to_owned()),
        ("PATCH", format!("/v1/plans/{}", world.plan)),
        ("PATCH", format!("/v1/organizations/{}", world.organization)),
        ("PATCH", format!("/v1/applications/{}", world.application)),
        ("PATCH", format!("/v1/subscriptions/{}", world.subscription)),
        ("PATCH", format!("/v1/keys/{}", world.key)),
        ("DELETE", "/v1/services/backend".to_owned()),
        ("DELETE", format!("/v1/plans/{}", world.plan)),
        ("DELETE", format!("/v1/organizations/{}", world.organization)),
    ] {
        let request = stage.request(method, &path).header("content-type", "application/json");
        let refused = stage.send(request.body(Body::from("{}")).unwrap()).await.expect(428);
        assert_eq!(refused.body["code"], "precondition_required", "{path}");
        assert!(refused.body["hint"].as_str().unwrap().contains("If-Match: *"));
    }
    // Stopping a key is never held up.
    let request = stage.request("DELETE", &format!("/v1/keys/{}", world.key));
    stage.send(request.body(Body::empty()).unwrap()).await.expect(204);
}

#[tokio::test]
async fn a_stale_tag_changes_nothing() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    for path in [
        "/v1/services/backend".to_owned(),
        "/v1/apis/countries".to_owned(),
        "/v1/products/atlas".to_owned(),
        format!("/v1/plans/{}", world.plan),
        format!("/v1/applications/{}", world.application),
    ] {
        let before = stage.get(&path).await.expect(200);
        let tag = before.header("etag").to_owned();
        for stale in ["\"v0\"", "W/\"v1\"", "\"x\"", "\"v99999999999999999999\"", "\"\""] {
            let refused = send_if_match(&stage, "PATCH", &path, stale).await.expect(412);
            assert!(refused.body["detail"].as_str().unwrap().contains(&tag), "{}", refused.text);
            assert_eq!((&refused.body["current"], refused.header("etag")), (&before.body, tag.as_str()));
            send_if_match(&stage, "DELETE", &path, stale).await.expect(412);
        }
        assert_eq!(stage.get(&path).await.body, before.body);
        for malformed in ["v1", "\"v1", "", "\"v1\", \"v2\""] {
            send_if_match(&stage, "PATCH", &path, malformed).await.expect(400);
        }
        let changed = send_if_match(&stage, "PATCH", &path, &tag).await.expect(200);
        assert_ne!(changed.header("etag"), tag);
        send_if_match(&stage, "PATCH", &path, &tag).await.expect(412);
        send_if_match(&stage, "PATCH", &path, "*").await.expect(200);
    }
    send_if_match(&stage, "PUT", "/v1/apis/countries/document", "\"v0\"").await.expect(412);
    let path = format!("/v1/subscriptions/{}", world.subscription);
    send_if_match(&stage, "DELETE", &path, "\"v9\"").await.expect(412);
    assert_eq!(stage.get(&path).await.body["state"], "active");
    send_if_match(&stage, "DELETE", &path, "\"v1\"").await.expect(204);
}

#[tokio::test]
async fn whoever_may_not_read_a_thing_is_not_shown_it_beside_a_refusal() {
    let stage = Stage::new().await;
    stage.world().await;
    let body = json!({ "name": "Deployments", "role": "publisher", "scopes": ["publish"] });
    let token = stage.post("/v1/tokens", body).await.expect(201);
    let secret = token.body["secret"].as_str().unwrap();
    let request = stage
        .request("PATCH", "/v1/services/backend")
        .header("content-type", "application/json")
        .header("if-match", "\"v0\"");
    let mut request = request.body(Body::from("{\"name\": \"x\"}")).unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {secret}").parse().unwrap());
    let refused = stage.send(request).await.expect(412);
    assert!(refused.body.get("current").is_none(), "{}", refused.text);
}
