//! Every resource is made, read, changed and removed.

use serde_json::{Value, json};

use crate::stage::{Stage, document, plan};

#[tokio::test]
async fn a_service_lives_its_life() {
    let stage = Stage::new().await;
    let body = json!({
        "slug": "backend", "name": "Backend", "connect_timeout_ms": 500,
        "targets": [{ "url": "http://10.0.0.7:8080" }, { "url": "https://b.example.com/base", "weight": 0 }],
    });
    let made = stage.post("/v1/services", body).await.expect(201);
    let id = made.id().to_owned();
    assert_eq!(made.header("location"), format!("/v1/services/{id}"));
    assert_eq!(made.header("etag"), "\"v1\"");
    assert_eq!(made.body["targets"][0]["weight"], 100);
    assert_eq!(made.body["read_timeout_ms"], 30_000);
    assert!(made.body["created_at"].as_str().unwrap().ends_with('Z'));

    for name in [id.as_str(), "backend"] {
        let read = stage.get(&format!("/v1/services/{name}")).await.expect(200);
        assert_eq!(read.body, made.body);
    }
    let changed = stage.patch("/v1/services/backend", json!({ "read_timeout_ms": 1_000 })).await.expect(200);
    assert_eq!((changed.body["read_timeout_ms"].as_i64(), changed.header("etag")), (Some(1_000), "\"v2\""));
    assert_eq!(changed.body["connect_timeout_ms"], 500);
    stage.delete("/v1/services/backend").await.expect(204);
    stage.get(&format!("/v1/services/{id}")).await.expect(404);
    stage.delete(&format!("/v1/services/{id}")).await.expect(404);
}

#[tokio::test]
async fn two_versions_live_at_one_address() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let twin = json!({
        "slug": "countries-2", "name": "Countries 2", "service_id": world.service, "base_path": "/countries",
        "state": "published", "document": document(),
    });
    let refused = stage.post("/v1/apis", twin.clone()).await.expect(409);
    assert!(refused.text.contains("countries"), "{}", refused.text);
    let mut second = twin;
    second["match_headers"] =
        json!([{ "name": "X-Region", "value": "eu" }, { "name": "Accept", "value": "a/b" }]);
    let made = stage.post("/v1/apis", second).await.expect(201);
    let kept = json!([{ "name": "accept", "value": "a/b" }, { "name": "x-region", "value": "eu" }]);
    assert_eq!(made.body["match_headers"], kept, "in one spelling");
    // A call could be meant for both: neither asks for more than the other.
    let mut third = json!([{ "name": "x-version", "value": "3" }, { "name": "x-region", "value": "eu" }]);
    let rival = json!({
        "slug": "countries-3", "name": "Countries 3", "service_id": world.service, "base_path": "/countries",
        "state": "published", "document": document(), "match_headers": third,
    });
    let refused = stage.post("/v1/apis", rival.clone()).await.expect(409);
    assert!(refused.text.contains("one call could carry the headers"), "{}", refused.text);
    third[1]["value"] = json!("us");
    let mut rival = rival;
    rival["match_headers"] = third;
    stage.post("/v1/apis", rival).await.expect(201);
    let tried = stage.patch("/v1/apis/countries-2?dry_run=true", json!({ "match_headers": [] })).await;
    tried.expect(409);
    let bare = stage
        .patch("/v1/apis/countries-3", json!({ "match_headers": [{ "name": "x-version", "value": "3" }] }));
    assert_eq!(bare.await.expect(200).body["match_headers"][0]["name"], "x-version");
}

#[tokio::test]
async fn an_api_lives_its_life() {
    let stage = Stage::new().await;
    let service = stage.service("backend").await.id().to_owned();
    let body =
        json!({ "slug": "cities", "name": "Cities", "service_id": service, "hosts": ["API.example.com"] });
    let made = stage.post("/v1/apis", body).await.expect(201);
    let expected = (json!("draft"), json!(["api.example.com"]), json!(0));
    let got = ["state", "hosts", "document_number"].map(|name| made.body[name].clone());
    assert_eq!((got[0].clone(), got[1].clone(), got[2].clone()), expected);
    stage.get("/v1/apis/cities/document").await.expect(404);
    assert_eq!(stage.get("/v1/apis/cities/routes").await.expect(200).body["data"], json!([]));
    let changed =
        stage.patch("/v1/apis/cities", json!({ "state": "published", "base_path": "/c" })).await.expect(200);
    assert_eq!(changed.body["state"], "published");
    let refused = stage.delete("/v1/services/backend").await.expect(409);
    assert_eq!(refused.body["code"], "conflict");
    let next = json!({ "slug": "towns", "name": "Towns", "service_id": service, "base_path": "/t" });
    let next = stage.post("/v1/apis", next).await.expect(201).id().to_owned();
    let end = json!({ "state": "deprecated", "sunset_at": "2127-06-30T12:00:00Z", "successor_id": next });
    let ending = stage.patch("/v1/apis/cities", end.clone()).await.expect(200);
    for (name, value) in end.as_object().expect("an object") {
        assert_eq!(&ending.body[name], value);
    }
    assert!(ending.body["deprecated_at"].is_string());
    let nowhere = json!({ "successor_id": "api_01ks2v8d3tf5cs9y0v3jq1q7zb" });
    let refused = stage.patch("/v1/apis/cities", nowhere).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/successor_id");
    let open = stage.patch("/v1/apis/cities", json!({ "sunset_at": null })).await.expect(200);
    assert_eq!((&open.body["sunset_at"], &open.body["successor_id"]), (&Value::Null, &json!(next)));
    assert_eq!(stage.get("/v1/apis?state=deprecated").await.expect(200).body["data"][0]["slug"], "cities");
    stage.delete("/v1/apis/towns").await.expect(204);
    stage.delete("/v1/apis/cities").await.expect(204);
    stage.delete("/v1/services/backend").await.expect(204);
}

#[tokio::test]
async fn calls_are_held_to_policies_of_an_api_and_of_single_operations() {
    let stage = Stage::new().await;
    stage.world().await;
    let path = "/v1/apis/countries";
    let routes = stage.get(&format!("{path}/routes")).await.expect(200);
    let [method, template] = ["method", "path"].map(|name| routes.body["data"][0][name].clone());
    let rate = json!({ "name": "up", "amount": 5, "period": "minute", "burst": 2, "per": "all" });
    let own = json!({
        "method": method, "path": template, "rates": [rate], "networks": ["10.0.0.0/8"], "body_bytes_max": 0
    });
    let limits = json!({ "rates": [], "networks": [], "body_bytes_max": 65_536, "operations": [own] });
    let changed = stage.patch(path, json!({ "policies": limits })).await.expect(200);
    assert_eq!(changed.body["policies"], limits);
    assert_eq!(stage.patch(path, json!({ "name": "Atlas" })).await.expect(200).body["policies"], limits);

    let elsewhere = json!({ "method": "POST", "path": "/nowhere", "body_bytes_max": 1 });
    for (wrong, place) in [
        (json!({ "operations": [own, elsewhere] }), "/policies/operations/1"),
        (json!({ "operations": [own, own] }), "/policies/operations/1"),
        (json!({ "rates": [rate, rate] }), "/policies/rates/1/name"),
        (json!({ "networks": ["10.1.2.3/8"] }), "/policies/networks/0"),
        (json!({ "body_bytes_max": (1_u64 << 40) + 1 }), "/policies/body_bytes_max"),
    ] {
        let refused = stage.patch(path, json!({ "policies": wrong })).await.expect(422);
        assert_eq!(refused.places(), [place]);
    }
    for wrong in [
        json!({ "body_bytes_max": -1 }),
        json!({ "bytes": 1 }),
        json!({ "rates": [{ "name": "x" }] }),
        json!(null),
    ] {
        stage.patch(path, json!({ "policies": wrong })).await.expect(422);
    }
    let as_before = stage.patch(path, json!({ "policies": {} })).await.expect(200);
    assert_eq!(as_before.body["policies"], json!({ "rates": [], "networks": [], "operations": [] }));
}

#[tokio::test]
async fn products_and_plans_live_their_lives() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let product = stage.get("/v1/products/atlas").await.expect(200);
    assert_eq!(product.body["apis"], json!([world.api]));
    let changed =
        stage.patch("/v1/products/atlas", json!({ "apis": [], "state": "retired" })).await.expect(200);
    assert_eq!((&changed.body["apis"], &changed.body["state"]), (&json!([]), &json!("retired")));

    let audience = "/v1/products/atlas/audience";
    let unknown = json!({ "organization_ids": [world.organization, "org_01ks2v8d3tf5cs9y0v3jq1q7zb"] });
    assert_eq!(stage.put(audience, unknown).await.expect(422).places(), ["/organization_ids/1"]);
    let chosen = json!({ "organization_ids": [world.organization] });
    stage.put(audience, chosen.clone()).await.expect(200);
    assert_eq!(stage.get(audience).await.expect(200).body, chosen);

    let paid = plan(&world.product, "paid");
    let made = stage.post("/v1/plans", paid.clone()).await.expect(201);
    assert_eq!(made.body["limits"][0]["visible"], true);
    assert_eq!(made.body["limits"][0]["burst"], Value::Null);
    let path = format!("/v1/plans/{}", made.id());
    let price = json!({ "minor": 2_900, "currency": "EUR", "per": "month" });
    let changed = stage.patch(&path, json!({ "price": price, "state": "announced" })).await.expect(200);
    assert_eq!(changed.body["price"], price);
    // What was read can be sent back as it is.
    let limits = changed.body["limits"].clone();
    let same = stage.patch(&path, json!({ "limits": limits })).await.expect(200);
    assert_eq!(same.body, changed.body);
    assert_eq!(stage.post("/v1/plans", paid).await.expect(422).places(), ["/slug"]);

    let of_product = stage.get(&format!("/v1/plans?product_id={}", world.product)).await.expect(200);
    assert_eq!(of_product.body["data"].as_array().unwrap().len(), 2);
    stage.delete(&path).await.expect(204);
    stage.delete(&format!("/v1/plans/{}", world.plan)).await.expect(409);
    stage.delete("/v1/products/atlas").await.expect(409);
}

#[tokio::test]
async fn organizations_and_applications_live_their_lives() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let path = format!("/v1/organizations/{}", world.organization);
    assert_eq!(
        stage.patch(&path, json!({ "name": "Globex SE" })).await.expect(200).body["name"],
        "Globex SE"
    );
    assert_eq!(stage.patch(&path, json!({})).await.expect(200).body["name"], "Globex SE");

    let application = format!("/v1/applications/{}", world.application);
    let changed = stage.patch(&application, json!({ "state": "suspended" })).await.expect(200);
    assert_eq!(changed.body["state"], "suspended");
    let elsewhere = stage.post("/v1/organizations", json!({ "name": "Other" })).await.expect(201);
    let none = stage.get(&format!("/v1/applications?organization_id={}", elsewhere.id())).await.expect(200);
    assert_eq!(none.body, json!({ "data": [], "next_cursor": null }));
    stage.delete(&application).await.expect(204);
    stage.get(&application).await.expect(404);
    let key = stage.get(&format!("/v1/keys/{}", world.key)).await.expect(200);
    assert_eq!(key.body["state"], "revoked");
    stage.delete(&path).await.expect(204);
    stage.get(&path).await.expect(404);
}

#[tokio::test]
async fn a_subscription_is_ended_and_never_deleted() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let again = json!({ "application_id": world.application, "plan_id": world.plan });
    stage.post("/v1/subscriptions", again.clone()).await.expect(409);
    let path = format!("/v1/subscriptions/{}", world.subscription);
    assert_eq!(
        stage.patch(&path, json!({ "state": "suspended" })).await.expect(200).body["state"],
        "suspended"
    );
    assert_eq!(stage.patch(&path, json!({ "state": "requested" })).await.expect(422).places(), ["/state"]);
    stage.delete(&path).await.expect(204);
    stage.delete(&path).await.expect(204);
    let ended = stage.get(&path).await.expect(200);
    assert_eq!(ended.body["state"], "ended");
    assert!(ended.body["ended_at"].is_string());
    stage.post("/v1/subscriptions", again).await.expect(201);
    let all = stage.get(&format!("/v1/subscriptions?application_id={}", world.application)).await.expect(200);
    assert_eq!(all.body["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_by_nobody() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let body = json!({
        "application_id": world.application, "name": "CI", "environment": "test", "expires_at": "2099-01-01T00:00:00+02:00"
    });
    let made = stage.post("/v1/keys", body).await.expect(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let secret = made.body["secret"].as_str().unwrap();
    assert!(secret.starts_with("tg_test_"), "{secret}");
    assert_eq!(made.body["expires_at"], "2098-12-31T22:00:00Z");
    let path = format!("/v1/keys/{}", made.id());
    let read = stage.get(&path).await.expect(200);
    assert!(!read.text.contains(secret));
    assert!(secret.ends_with(read.body["last4"].as_str().unwrap()));
    assert_eq!(stage.patch(&path, json!({ "name": "CI 2" })).await.expect(200).body["name"], "CI 2");
    for _ in 0..2 {
        stage.delete(&path).await.expect(204);
    }
    let revoked = stage.get(&path).await.expect(200);
    assert_eq!(revoked.body["state"], "revoked");
    let audit = stage.get("/v1/audit?limit=200").await.expect(200);
    assert!(!audit.text.contains(secret));
}

#[tokio::test]
async fn a_key_is_held_to_what_its_owner_says_and_a_foreign_one_comes_by_its_hash() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let body = json!({
        "application_id": world.application, "name": "CI", "scopes": ["countries", "countries/nowhere", "none"],
        "networks": ["10.0.0.1/8"], "origins": ["app.example"]
    });
    let refused = stage.post("/v1/keys", body).await.expect(422);
    assert_eq!(refused.places(), ["/networks/0", "/origins/0"]);
    let body = json!({
        "application_id": world.application, "name": "CI", "scopes": ["countries", "countries/nowhere", "none"]
    });
    assert_eq!(stage.post("/v1/keys", body).await.expect(422).places(), ["/scopes/1", "/scopes/2"]);
    let body = json!({
        "application_id": world.application, "name": "CI", "scopes": ["countries"], "networks": ["2001:DB8::/32"]
    });
    let made = stage.post("/v1/keys", body).await.expect(201);
    assert_eq!(made.body["networks"], json!(["2001:db8::/32"]));
    let path = format!("/v1/keys/{}", made.id());
    let changed =
        stage.patch(&path, json!({ "scopes": [], "origins": ["https://*.example"] })).await.expect(200);
    let lists = ["scopes", "networks", "origins"].map(|name| changed.body[name].clone());
    assert_eq!(lists, [json!([]), json!(["2001:db8::/32"]), json!(["https://*.example"])]);

    let foreign =
        |sha256: &str| json!({ "application_id": world.application, "name": "Old", "sha256": sha256 });
    assert_eq!(stage.post("/v1/keys/import", foreign("abc")).await.expect(422).places(), ["/sha256"]);
    let hash = "6f".repeat(32);
    let brought = stage.post("/v1/keys/import", foreign(&hash)).await.expect(201);
    assert_eq!((&brought.body["imported"], brought.body.get("secret")), (&json!(true), None));
    stage.post("/v1/keys/import", foreign(&hash.to_uppercase())).await.expect(409);
}

#[tokio::test]
async fn every_write_leaves_an_audit_entry_with_its_request_id() {
    let stage = Stage::new().await;
    let made = stage.service("backend").await;
    let audit = stage.get("/v1/audit?limit=1").await.expect(200);
    let entry = &audit.body["data"][0];
    assert_eq!(entry["action"], "service.create");
    assert_eq!(entry["subject_id"], json!(made.id()));
    assert_eq!(entry["request_id"], json!(made.header("x-request-id")));
    assert!(entry["actor_id"].as_str().unwrap().starts_with("tok_"));
}

#[tokio::test]
async fn usage_of_nobody_is_nothing() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    for filter in [
        "",
        &format!("?application_id={}", world.application),
        "?since=2026-01-01T00:00:00Z&limit=5",
        "?since=2999-01-01T00:00:00Z",
    ] {
        let usage = stage.get(&format!("/v1/usage{filter}")).await.expect(200);
        assert_eq!(usage.body["totals"]["calls"], 0, "{}", usage.text);
        assert_eq!(usage.body["traffic"], json!([]));
    }
    for bad in ["?since=yesterday", "?until=tomorrow", "?untill=2026-01-01T00:00:00Z"] {
        stage.get(&format!("/v1/usage{bad}")).await.expect(422);
    }
}
