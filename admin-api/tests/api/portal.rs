//! The developer portal's look and pages, by scripts.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn the_look_is_put_whole_and_read_back() {
    let stage = Stage::new().await;
    let first = stage.get("/v1/portal").await.expect(200);
    assert_eq!((&first.body["name"], first.header("etag")), (&json!("Tollgate"), "\"v0\""));
    let body = json!({
        "name": "Atlas", "accent": "#0F766E", "theme": "dark",
        "navigation": [{ "text": "Support", "href": "https://support.example.com" }],
    });
    let put = stage.call_as(&stage.admin, "PUT", "/v1/portal", Some(body.clone())).await.expect(200);
    assert_eq!((&put.body["accent"], put.header("etag")), (&json!("#0f766e"), "\"v1\""));
    let same = stage.call_as(&stage.admin, "PUT", "/v1/portal", Some(body)).await.expect(200);
    assert_eq!(same.body, put.body, "nothing changed");
    assert_eq!(stage.get("/v1/portal").await.expect(200).body, put.body);
    let bad = json!({
        "name": "", "accent": "#facc15", "logo": "data:image/svg+xml;base64,PHN2Zy8+",
        "footer": [{ "text": "x", "href": "javascript:alert(1)" }],
    });
    let refused = stage.call_as(&stage.admin, "PUT", "/v1/portal", Some(bad)).await.expect(422);
    assert_eq!(refused.places(), ["/name", "/accent", "/footer/0/href", "/logo"]);
}

#[tokio::test]
async fn pages_are_made_replaced_listed_and_deleted_by_slug() {
    let stage = Stage::new().await;
    let body = json!({ "slug": "imprint", "title": "Imprint", "text": "Who we are." });
    let put = |body: serde_json::Value| stage.call_as(&stage.admin, "PUT", "/v1/pages/imprint", Some(body));
    let made = put(body.clone()).await.expect(201);
    assert!(made.header("location").ends_with(made.id()));
    assert_eq!(put(body).await.expect(200).body, made.body, "nothing changed");
    let moved = json!({ "slug": "about", "title": "About", "text": "Who we are.", "position": 2 });
    let moved = put(moved).await.expect(200);
    assert_eq!((moved.id(), moved.header("etag")), (made.id(), "\"v2\""));
    stage.get("/v1/pages/imprint").await.expect(404);
    assert_eq!(stage.get("/v1/pages/about").await.expect(200).body, moved.body);
    let list = stage.get("/v1/pages").await.expect(200);
    assert_eq!(list.body, json!({ "data": [moved.body], "next_cursor": null }));
    let bad = json!({ "slug": "imprint", "title": "", "position": 1001 });
    assert_eq!(put(bad).await.expect(422).places(), ["/title", "/position"]);
    stage.call_as(&stage.admin, "DELETE", "/v1/pages/about", None).await.expect(204);
    stage.get("/v1/pages/about").await.expect(404);
}
