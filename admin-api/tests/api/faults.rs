//! What cannot be taken is refused, naming its place.

use axum::body::Body;
use serde_json::json;

use crate::stage::{Stage, plan};

#[tokio::test]
async fn a_fault_names_its_field() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let target = json!([{ "url": "http://10.0.0.7:8080" }]);
    let no_such = world.service.replace(char::is_numeric, "0");
    let mut limit = plan(&world.product, "x");
    limit["limits"][0]["amount"] = json!(0);
    let mut nested = plan(&world.product, "x");
    nested["limits"][1]["speed"] = json!(1);
    let mut currency = plan(&world.product, "x");
    currency["price"]["currency"] = json!("euro");
    for (path, body, places) in [
        (
            "/v1/services",
            json!({ "slug": "a", "name": "A", "targets": target, "role": "admin" }),
            vec!["/role"],
        ),
        (
            "/v1/services",
            json!({ "slug": "a", "name": "A", "targets": [{ "url": "ftp://x" }] }),
            vec!["/targets/0/url"],
        ),
        (
            "/v1/services",
            json!({ "slug": "a", "name": "A", "targets": [{ "url": 7 }] }),
            vec!["/targets/0/url"],
        ),
        ("/v1/services", json!({ "slug": "A b", "name": "A", "targets": target }), vec!["/slug"]),
        ("/v1/services", json!({ "slug": "backend", "name": "A", "targets": target }), vec!["/slug"]),
        (
            "/v1/services",
            json!({ "slug": "a", "name": " ", "connect_timeout_ms": 0, "targets": [] }),
            vec!["/name", "/connect_timeout_ms", "/targets"],
        ),
        (
            "/v1/services",
            json!({ "slug": "a", "name": "A", "connect_timeout_ms": 1e300, "targets": target }),
            vec!["/connect_timeout_ms"],
        ),
        ("/v1/services", json!({ "slug": "a", "name": "A" }), vec!["/targets"]),
        ("/v1/services", json!([]), vec![""]),
        ("/v1/apis", json!({ "slug": "a", "name": "A", "service_id": no_such }), vec!["/service_id"]),
        ("/v1/apis", json!({ "slug": "a", "name": "A", "service_id": world.api }), vec!["/service_id"]),
        (
            "/v1/apis",
            json!({ "slug": "a", "name": "A", "service_id": world.service, "hosts": ["ok.example", "no:80"], "base_path": "x" }),
            vec!["/base_path", "/hosts/1"],
        ),
        (
            "/v1/apis",
            json!({ "slug": "a", "name": "A", "service_id": world.service, "match_headers": [
                { "name": "X-Version", "value": "2" }, { "name": "Authorization", "value": "x" }
            ] }),
            vec!["/match_headers/1/name"],
        ),
        (
            "/v1/apis",
            json!({ "slug": "a", "name": "A", "service_id": world.service, "match_headers": [{ "name": "x" }] }),
            vec!["/match_headers/0/value"],
        ),
        (
            "/v1/products",
            json!({ "slug": "p", "name": "P", "apis": [world.api, no_such.replace("svc", "api")] }),
            vec!["/apis/1"],
        ),
        (
            "/v1/products",
            json!({ "slug": "p", "name": "P", "apis": [world.api, world.api] }),
            vec!["/apis/1"],
        ),
        ("/v1/plans", limit, vec!["/limits/0/amount"]),
        ("/v1/plans", nested, vec!["/limits/1/speed"]),
        ("/v1/plans", currency, vec!["/price/currency"]),
        ("/v1/plans", plan(&no_such.replace("svc", "prd"), "x"), vec!["/product_id"]),
        ("/v1/organizations", json!({ "name": "a\nb" }), vec!["/name"]),
        (
            "/v1/applications",
            json!({ "organization_id": no_such.replace("svc", "org"), "name": "A" }),
            vec!["/organization_id"],
        ),
        (
            "/v1/subscriptions",
            json!({ "application_id": world.application, "plan_id": no_such.replace("svc", "pln") }),
            vec!["/plan_id"],
        ),
        (
            "/v1/subscriptions",
            json!({ "application_id": no_such.replace("svc", "app"), "plan_id": world.plan }),
            vec!["/application_id"],
        ),
        (
            "/v1/keys",
            json!({ "application_id": no_such.replace("svc", "app"), "name": "K" }),
            vec!["/application_id"],
        ),
        (
            "/v1/keys",
            json!({ "application_id": world.application, "name": "K", "expires_at": "2001-01-01T00:00:00Z" }),
            vec!["/expires_at"],
        ),
    ] {
        let refused = stage.post(path, body.clone()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.places()),
            (422, places),
            "{path} {body} {}",
            refused.text
        );
    }
}

#[tokio::test]
async fn null_is_not_absent() {
    let stage = Stage::new().await;
    stage.service("backend").await;
    let refused = stage.patch("/v1/services/backend", json!({ "name": null })).await.expect(422);
    assert_eq!(refused.places(), ["/name"]);
    let same = stage.patch("/v1/services/backend", json!({})).await.expect(200);
    assert_eq!(same.header("etag"), "\"v1\"");
}

#[tokio::test]
async fn only_json_is_json() {
    let stage = Stage::new().await;
    for (media_type, body, status) in [
        (Some("application/x-www-form-urlencoded"), "name=a", 415),
        (Some("text/plain"), r#"{"name":"a"}"#, 415),
        (None, r#"{"name":"a"}"#, 415),
        (Some("application/json; charset=utf-16"), r#"{"name":"a"}"#, 415),
        (Some("application/json"), r#"{"name":"#, 400),
        (Some("application/json"), "", 400),
        (Some("application/json"), "\u{feff}{\"name\":\"a\"}", 400),
        (Some("application/json"), r#"{"name":NaN}"#, 400),
        (Some("application/json"), r#"{"name":"a","name":"b"}"#, 422),
        (Some("application/json;charset=UTF-8"), r#"{"name":"a"}"#, 201),
    ] {
        let mut request = stage.request("POST", "/v1/organizations");
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let reply = stage.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(reply.status.as_u16(), status, "{media_type:?} {body} {}", reply.text);
    }
    let request = stage.request("POST", "/v1/organizations").header("content-type", "application/json");
    let broken = stage.send(request.body(Body::from("{\n  \"name\": oops\n}")).unwrap()).await.expect(400);
    assert!(broken.body["detail"].as_str().unwrap().contains("line 2, column 11"), "{}", broken.text);
}

#[tokio::test]
async fn a_body_has_a_size() {
    let stage = Stage::new().await;
    let name = "x".repeat(1 << 20);
    let refused = stage.post("/v1/organizations", json!({ "name": name })).await.expect(413);
    assert_eq!(refused.body["code"], "body_too_large");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let stage = Stage::new().await;
    stage.get("/v1/nothing").await.expect(404);
    stage.get("/").await.expect(404);
    let refused = stage.call_as(&stage.admin, "PUT", "/v1/services", Some(json!({}))).await.expect(405);
    let mut allowed: Vec<&str> = refused.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    stage.call_as(&stage.admin, "TRACE", "/v1/services", None).await.expect(405);
    stage.call_as(&stage.admin, "HEAD", "/v1/services", None).await.expect(200);
}

#[tokio::test]
async fn a_method_override_is_ignored() {
    let stage = Stage::new().await;
    stage.service("backend").await;
    let request = stage.request("GET", "/v1/services/backend?_method=DELETE");
    let request = request.header("x-http-method-override", "DELETE").header("x-method-override", "DELETE");
    stage.send(request.body(Body::empty()).unwrap()).await;
    stage.get("/v1/services/backend").await.expect(200);
}

#[tokio::test]
async fn the_malformed_the_unknown_and_the_foreign_look_alike() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let mut bodies = Vec::new();
    for name in [
        "nonsense_id",
        "svc_",
        "%00",
        "..%2f..%2fetc",
        "%ff%fe",
        "no-such-slug",
        // Somebody else's kind of thing.
        &world.plan,
        &world.service.replace(char::is_numeric, "0"),
    ] {
        for collection in [
            "services",
            "apis",
            "products",
            "plans",
            "organizations",
            "applications",
            "subscriptions",
            "keys",
        ] {
            if collection == "plans" && name == world.plan {
                continue;
            }
            let mut reply = stage.get(&format!("/v1/{collection}/{name}")).await.expect(404);
            for own in ["instance", "request_id"] {
                reply.body.as_object_mut().unwrap().remove(own);
            }
            bodies.push(reply.body);
        }
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}
