//! Who runs the platform: nobody hands out more than they have, and somebody always can.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_narrowed_token_hands_out_no_more_than_it_has() {
    let stage = Stage::new().await;
    let narrowed = json!({ "name": "people", "role": "admin", "scopes": ["people", "read"] });
    let narrowed = stage.post("/v1/tokens", narrowed).await.expect(201);
    let narrowed = narrowed.body["secret"].as_str().unwrap();
    for (body, expected) in [
        (json!({ "name": "x", "role": "admin" }), 403),
        (json!({ "name": "x", "role": "admin", "scopes": ["tenants"] }), 403),
        (json!({ "name": "x", "role": "admin", "scopes": ["read"] }), 201),
    ] {
        stage.call_as(narrowed, "POST", "/v1/tokens", Some(body)).await.expect(expected);
    }
    let user = stage.user("ada@example.com").await;
    let role = Some(json!({ "role": "admin" }));
    stage.call_as(narrowed, "PUT", &format!("/v1/users/{user}/role"), role).await.expect(403);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let stage = Stage::new().await;
    let (ada, bob) = (stage.user("ada@example.com").await, stage.user("bob@example.com").await);
    let role = |user: &str| format!("/v1/users/{user}/role");
    let put = |user: &str, word: &str| {
        let (path, body) = (role(user), json!({ "role": word }));
        let stage = &stage;
        async move { stage.call_as(&stage.admin, "PUT", &path, Some(body)).await }
    };
    assert_eq!(put(&ada, "admin").await.expect(200).body["role"], "admin");
    stage.delete(&role(&ada)).await.expect(409);
    put(&ada, "auditor").await.expect(409);
    stage.patch(&format!("/v1/users/{ada}"), json!({ "disabled": true })).await.expect(409);
    put(&bob, "admin").await.expect(200);
    let disabled = stage.patch(&format!("/v1/users/{bob}"), json!({ "disabled": true })).await.expect(200);
    assert_eq!(disabled.body["disabled"], true);
    // An admin who cannot sign in is none.
    stage.delete(&role(&ada)).await.expect(409);
    stage.patch(&format!("/v1/users/{bob}"), json!({ "disabled": false })).await.expect(200);
    stage.delete(&role(&ada)).await.expect(204);
    stage.delete(&role(&ada)).await.expect(404);
    let people = stage.get("/v1/users?operators=true").await.expect(200);
    assert_eq!(people.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(stage.get("/v1/users?email=ADA").await.expect(200).body["data"][0]["id"], json!(ada));
}
