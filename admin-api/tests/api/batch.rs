//! Several writes in one request, each with its result.

use serde_json::{Value, json};

use crate::stage::Stage;

fn service(slug: &str) -> Value {
    let body = json!({ "slug": slug, "name": slug, "targets": [{ "url": "http://10.0.0.7:8080" }] });
    json!({ "method": "POST", "path": "/v1/services", "body": body })
}

fn statuses(body: &Value) -> Vec<u64> {
    body["results"].as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn each_write_stands_for_itself_unless_they_are_atomic() {
    let stage = Stage::new().await;
    let requests = json!([service("one"), service("one"), service("two")]);
    let done = stage.post("/v1/batch", json!({ "requests": requests })).await.expect(200);
    assert_eq!(statuses(&done.body), [201, 422, 201]);
    assert_eq!(done.body["results"][1]["body"]["errors"][0]["pointer"], "/slug");
    assert_eq!(done.body["results"][1]["body"]["type"], "https://portal.example/problems/invalid");
    assert!(done.body["results"][0]["location"].as_str().unwrap().starts_with("/v1/services/svc_"));

    let requests = json!([service("three"), service("two"), service("four")]);
    let undone = stage.post("/v1/batch", json!({ "atomic": true, "requests": requests })).await.expect(200);
    assert_eq!((statuses(&undone.body), &undone.body["committed"]), (vec![424, 422, 424], &json!(false)));
    stage.get("/v1/services/three").await.expect(404);

    let requests = json!([
        service("three"),
        { "method": "PATCH", "path": "/v1/services/three", "if_match": "\"v1\"", "body": { "name": "Third" } },
        { "method": "PATCH", "path": "/v1/services/one", "if_match": "*", "body": { "name": "First" } },
        { "method": "DELETE", "path": "/v1/services/two", "if_match": "*" },
    ]);
    let all = stage.post("/v1/batch", json!({ "atomic": true, "requests": requests })).await.expect(200);
    assert_eq!((statuses(&all.body), &all.body["committed"]), (vec![201, 200, 200, 204], &json!(true)));
    assert_eq!(all.body["results"][1]["etag"], "\"v2\"");
    assert_eq!(stage.get("/v1/services/three").await.expect(200).body["name"], "Third");
    let audit = stage.get("/v1/audit?limit=4").await.expect(200);
    let request_id = json!(all.header("x-request-id"));
    assert!(audit.body["data"].as_array().unwrap().iter().all(|entry| entry["request_id"] == request_id));
}

#[tokio::test]
async fn a_batch_can_be_tried_and_repeated_as_a_whole() {
    let stage = Stage::new().await;
    let body = json!({ "requests": [service("one"), service("one"), service("two")] });
    let tried = stage.post("/v1/batch?dry_run=true", body.clone()).await.expect(200);
    assert_eq!(tried.body["changes"].as_array().unwrap().len(), 2, "{}", tried.text);
    assert_eq!(statuses(&tried.body["result"]), [201, 422, 201]);
    stage.get("/v1/services/one").await.expect(404);
    let keyed = |body: &Value| {
        let request = stage.request("POST", "/v1/batch").header("content-type", "application/json");
        request.header("idempotency-key", "b").body(axum::body::Body::from(body.to_string())).unwrap()
    };
    let first = stage.send(keyed(&body)).await.expect(200);
    let again = stage.send(keyed(&body)).await.expect(200);
    assert_eq!(first.body, again.body);
    stage.get("/v1/services/one").await.expect(200);
}

#[tokio::test]
async fn what_no_batch_can_hold_is_refused_by_place() {
    let stage = Stage::new().await;
    for (item, place) in [
        (json!({ "method": "GET", "path": "/v1/services" }), "/requests/0/method"),
        (json!({ "method": "POST", "path": "/v1/batch" }), "/requests/0/path"),
        (json!({ "method": "POST", "path": "/v1/services?dry_run=true" }), "/requests/0/path"),
        (json!({ "method": "POST", "path": "http://10.0.0.1/v1/services" }), "/requests/0/path"),
        (json!({ "method": "POST", "path": "/v1/../livez" }), "/requests/0/path"),
        (json!({ "method": "DELETE", "path": "/v1/keys/x", "if_match": "a\r\nb" }), "/requests/0/if_match"),
        (json!({ "method": "POST", "path": "/v1/services", "body": [null] }), "/requests/0/body"),
    ] {
        let refused = stage.post("/v1/batch", json!({ "requests": [item] })).await.expect(422);
        assert_eq!(refused.places(), [place], "{}", refused.text);
    }
    assert_eq!(stage.post("/v1/batch", json!({ "requests": [] })).await.expect(422).places(), ["/requests"]);
    let many: Vec<Value> = (0..101).map(|at| service(&format!("s{at}"))).collect();
    stage.post("/v1/batch", json!({ "requests": many })).await.expect(422);
    let unknown = json!({ "requests": [{ "method": "POST", "path": "/v1/nothing", "body": {} }] });
    assert_eq!(statuses(&stage.post("/v1/batch", unknown).await.expect(200).body), [404]);
    let bare = json!({ "requests": [{ "method": "DELETE", "path": "/v1/services/x" }] });
    assert_eq!(statuses(&stage.post("/v1/batch", bare).await.expect(200).body), [428]);
}
