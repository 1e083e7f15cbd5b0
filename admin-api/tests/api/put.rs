//! `PUT` by slug makes or replaces, and conditions say which of the two is meant.

use axum::body::Body;
use serde_json::{Value, json};

use crate::stage::{Reply, Stage};

async fn put(stage: &Stage, path: &str, body: Value) -> Reply {
    stage.call_as(&stage.admin, "PUT", path, Some(body)).await
}

async fn put_if(stage: &Stage, path: &str, condition: (&str, &str), body: &Value) -> Reply {
    let request = stage.request("PUT", path).header("content-type", "application/json");
    stage.send(request.header(condition.0, condition.1).body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn everything_with_a_slug_is_made_and_then_replaced() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let target = json!([{ "url": "http://10.0.0.8:8080" }]);
    let terms = json!({ "name": "N", "price": { "minor": 0, "currency": "EUR", "per": "month" } });
    for (path, body) in [
        ("/v1/services/new", json!({ "slug": "new", "name": "N", "targets": target })),
        (
            "/v1/apis/new",
            json!({ "slug": "new", "name": "N", "service_id": world.service, "base_path": "/new" }),
        ),
        ("/v1/products/new", json!({ "slug": "new", "name": "N", "apis": [world.api] })),
        ("/v1/products/atlas/plans/new", terms),
        ("/v1/organizations/new", json!({ "slug": "new", "name": "N" })),
    ] {
        let made = put(&stage, path, body.clone()).await.expect(201);
        assert!(made.header("location").ends_with(made.id()), "{path}");
        let same = put(&stage, path, body.clone()).await.expect(200);
        assert_eq!((&same.body, same.header("etag")), (&made.body, "\"v1\""), "{path}: nothing changed");
        let mut other = body.clone();
        other["name"] = json!("M");
        let changed = put(&stage, path, other.clone()).await.expect(200);
        assert_eq!((changed.id(), &changed.body["name"]), (made.id(), &json!("M")), "{path}");
        put_if(&stage, path, ("if-match", "\"v1\""), &body).await.expect(412);
        put_if(&stage, path, ("if-none-match", "*"), &body).await.expect(412);
        put_if(&stage, path, ("if-match", "\"v2\""), &body).await.expect(200);
        let absent = path.replace("new", "absent");
        let mut body = body.clone();
        if body["slug"].is_string() {
            assert_eq!(put(&stage, &absent, body.clone()).await.expect(422).places(), ["/slug"], "{path}");
            body["slug"] = json!("absent");
        }
        put_if(&stage, &absent, ("if-match", "*"), &body).await.expect(412);
        put_if(&stage, &absent, ("if-none-match", "\"v1\""), &body).await.expect(400);
        put_if(&stage, &absent, ("if-none-match", "*"), &body).await.expect(201);
    }
}

#[tokio::test]
async fn ten_at_once_make_one_thing() {
    let stage = Stage::new().await;
    let body = json!({ "slug": "one", "name": "One", "targets": [{ "url": "http://10.0.0.8:8080" }] });
    let sent = (0..8).map(|_| put(&stage, "/v1/services/one", body.clone()));
    let answers = futures_util::future::join_all(sent).await;
    let made = answers.iter().filter(|answer| answer.status.as_u16() == 201).count();
    assert_eq!(made, 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status.is_success()));
}

#[tokio::test]
async fn a_put_can_rename_and_replaces_what_is_absent_by_its_default() {
    let stage = Stage::new().await;
    let target = json!([{ "url": "http://10.0.0.8:8080" }]);
    let full = json!({ "slug": "a", "name": "A", "read_timeout_ms": 7, "targets": target });
    let made = put(&stage, "/v1/services/a", full).await.expect(201);
    let short = json!({ "slug": "b", "name": "A", "targets": target });
    let renamed = put(&stage, "/v1/services/a", short).await.expect(200);
    assert_eq!(
        (renamed.id(), &renamed.body["slug"], &renamed.body["read_timeout_ms"]),
        (made.id(), &json!("b"), &json!(30_000))
    );
    stage.get("/v1/services/a").await.expect(404);
    let by_id = format!("/v1/services/{}", made.id());
    put(&stage, &by_id, json!({ "slug": "c", "name": "A", "targets": target })).await.expect(200);
    put(
        &stage,
        "/v1/services/svc_01ks2v8d3tf5cs9y0v3jq1q7zb",
        json!({ "slug": "c", "name": "A", "targets": target }),
    )
    .await
    .expect(404);
}
