//! Whatever is sent, the fault is never ours.

use axum::body::Body;
use serde_json::{Value, json};

use crate::stage::{Stage, plan};

fn nasty_texts() -> Vec<String> {
    vec![
        String::new(),
        "\0".to_owned(),
        "a\0b".to_owned(),
        "line\r\nbreak: x".to_owned(),
        "\u{202e}evil\u{2066}".to_owned(),
        "'\";-- drop table apis".to_owned(),
        "${7*7}{{7*7}}<script>".to_owned(),
        "=cmd|' /C calc'!A0".to_owned(),
        "\u{10ffff}\u{fdd0}".to_owned(),
        "x".repeat(100_000),
        "../../../etc/passwd".to_owned(),
    ]
}

fn nasty_values() -> Vec<Value> {
    let mut values: Vec<Value> = nasty_texts().into_iter().map(Value::from).collect();
    values.extend([
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(0.5),
        json!([]),
        json!({}),
        json!([[[[]]]]),
        json!(vec![0; 5_000]),
        json!("9999-12-31T23:59:60Z"),
        json!("-0001-01-01T00:00:00Z"),
        json!("+262142-12-31T23:59:59Z"),
    ]);
    values
}

#[tokio::test]
async fn no_value_in_any_field_is_a_fault_of_ours() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let bodies = [
        (
            "/v1/services",
            json!({
                "slug": "s", "name": "S", "connect_timeout_ms": 1, "read_timeout_ms": 1, "targets": [{ "url": "http://10.0.0.1", "weight": 1 }]
            }),
        ),
        (
            "/v1/apis",
            json!({
                "slug": "a", "name": "A", "summary": "", "service_id": world.service, "hosts": ["a.example"], "base_path": "/a",
                "state": "draft", "document": null
            }),
        ),
        (
            "/v1/products",
            json!({
                "slug": "p", "name": "P", "summary": "", "description": "", "state": "draft", "visibility": "public", "apis": [world.api]
            }),
        ),
        ("/v1/plans", plan(&world.product, "p")),
        ("/v1/organizations", json!({ "name": "O", "slug": "o" })),
        ("/v1/applications", json!({ "organization_id": world.organization, "name": "A" })),
        ("/v1/subscriptions", json!({ "application_id": world.application, "plan_id": world.plan })),
        (
            "/v1/keys",
            json!({ "application_id": world.application, "name": "K", "environment": "live", "expires_at": null }),
        ),
    ];
    for (path, body) in bodies {
        for pointer in places(&body) {
            for value in nasty_values() {
                let mut sent = body.clone();
                *sent.pointer_mut(&pointer).unwrap() = value.clone();
                let reply = stage.post(path, sent).await;
                let short: String = value.to_string().chars().take(60).collect();
                assert!(reply.status.as_u16() < 500, "{path} {pointer} {short}: {}", reply.text);
                let changed = match path {
                    "/v1/services" => "/v1/services/backend",
                    "/v1/apis" => "/v1/apis/countries",
                    "/v1/products" => "/v1/products/atlas",
                    _ => continue,
                };
                let top = pointer.split('/').nth(1).unwrap();
                let reply = stage.patch(changed, json!({ top: value })).await;
                assert!(reply.status.as_u16() < 500, "{changed} {pointer} {short}: {}", reply.text);
                // Whatever was taken must not break the names that the next round uses.
                if reply.status.is_success() && top == "slug" {
                    panic!("{short} was taken as a slug");
                }
            }
        }
    }
}

/// Pointers to every member and item of a body.
fn places(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut stack = vec![(String::new(), body)];
    while let Some((pointer, value)) = stack.pop() {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
            }
            _ => Vec::new(),
        };
        for (name, child) in children {
            let place = format!("{pointer}/{name}");
            found.push(place.clone());
            stack.push((place, child));
        }
    }
    found
}

#[tokio::test]
async fn no_bytes_for_a_body_are_a_fault_of_ours() {
    let stage = Stage::new().await;
    stage.world().await;
    let deep = |open: &str, close: &str, depth: usize| {
        format!("{}{}", open.repeat(depth), close.repeat(depth)).into_bytes()
    };
    let bodies: Vec<Vec<u8>> = vec![
        vec![],
        vec![0],
        vec![0xff, 0xfe, b'{', 0, b'}', 0],
        b"{\"name\":\"\xc3\x28\"}".to_vec(),
        br#"{"name":"\ud800"}"#.to_vec(),
        br#"{"name":1e400}"#.to_vec(),
        br#"{"name":-0}"#.to_vec(),
        br#"{"name":123456789012345678901234567890}"#.to_vec(),
        deep("[", "]", 200),
        deep("[", "]", 100_000),
        deep("{\"a\":", "}", 100_000),
        deep("{\"document\":[", "]}", 10_000),
        b"{\"document\": \"\\u0000\"}".to_vec(),
        b"null".to_vec(),
        b"\"\"".to_vec(),
        b"{\"__proto__\":{},\"constructor\":{}}".to_vec(),
        b"openapi: &a [*a, *a]".to_vec(),
        b"openapi: 3.1.0\ninfo: {title: \"a\\0b\", version: '1'}\npaths: {\"/a\\0b\": {get: {operationId: \"x\\0\"}}}".to_vec(),
    ];
    for (method, path) in [
        ("POST", "/v1/services"),
        ("POST", "/v1/apis"),
        ("PATCH", "/v1/apis/countries"),
        ("PUT", "/v1/apis/countries/document"),
        ("POST", "/v1/plans"),
        ("POST", "/v1/keys"),
    ] {
        for body in &bodies {
            for media_type in ["application/json", "application/yaml"] {
                let request = stage.request(method, path).header("content-type", media_type);
                let reply = stage.send(request.body(Body::from(body.clone())).unwrap()).await;
                let status = reply.status.as_u16();
                let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
                assert!((400..500).contains(&status), "{method} {path} {start}: {status} {}", reply.text);
            }
        }
    }
}

#[tokio::test]
async fn a_document_with_nul_in_a_name_is_refused_or_stored_whole() {
    let stage = Stage::new().await;
    stage.world().await;
    for (operation, path, text) in [("x\0", "/a", "t"), ("x", "/a\0b", "t"), ("x", "/a", "t\0")] {
        let document = json!({
            "openapi": "3.1.0", "info": { "title": text, "version": "1" },
            "paths": { path: { "get": { "operationId": operation, "responses": { "200": { "description": text } } } } },
        });
        let request =
            stage.request("PUT", "/v1/apis/countries/document").header("content-type", "application/json");
        let reply = stage.send(request.body(Body::from(document.to_string())).unwrap()).await;
        assert!(reply.status.as_u16() < 500, "{operation:?} {path:?} {text:?}: {}", reply.text);
        stage.get("/v1/apis/countries/document").await.expect(200);
    }
}

#[tokio::test]
async fn texts_that_are_taken_come_back_as_they_were() {
    let stage = Stage::new().await;
    for text in nasty_texts() {
        let reply = stage.post("/v1/organizations", json!({ "name": text })).await;
        match reply.status.as_u16() {
            201 => assert_eq!(reply.body["name"], json!(text)),
            status => assert_eq!((status, reply.places()), (422, vec!["/name"]), "{}", reply.text),
        }
    }
}

#[tokio::test]
async fn no_address_is_a_fault_of_ours() {
    let stage = Stage::new().await;
    for path in [
        "/v1/services/%00",
        "/v1/services/%F0%28%8C%28",
        "/v1/services//",
        "/v1//services",
        "/v1/apis/%2e%2e/document",
        "/v1/plans/pln_%00",
        "/v1/keys?application_id=%00",
        "/v1/usage?since=%00",
        "/v1/usage?since=9999-99-99",
        "/v1/usage?since=0000-01-01T00:00:00Z",
        "/v1/usage?since=-262143-01-01T00:00:00Z",
        "/v1/audit?limit=%F0%28",
        "/v1/services?limit=1&limit=1",
        "/v1/services?=&&==",
        "/v1/services?%00=%00",
    ] {
        let reply = stage.get(path).await;
        assert!(reply.status.as_u16() < 500, "{path}: {}", reply.text);
    }
    let long = format!("/v1/services/{}", "a".repeat(20_000));
    stage.get(&long).await.expect(404);
}
