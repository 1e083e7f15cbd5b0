//! Certificates come in with their keys, and the keys never come out.

use serde_json::json;
use tollgate_testkit::Authority;

use crate::stage::Stage;

#[tokio::test]
async fn a_certificate_lives_its_life_and_its_key_is_never_told() {
    let stage = Stage::new().await;
    let authority = Authority::new();
    let first = authority.issue(&["api.example.com", "*.api.example.com"]);
    let body = json!({ "slug": "api", "chain": first.chain, "private_key": first.key });
    let made = stage.post("/v1/certificates", body).await.expect(201);
    assert_eq!(made.body["names"], json!(["api.example.com", "*.api.example.com"]));
    assert_eq!((&made.body["source"], &made.body["is_default"]), (&json!("upload"), &json!(false)));
    assert_eq!((&made.body["issuer"], &made.body["chain"]), (&json!("Test Root"), &json!(first.chain)));
    assert_eq!(made.header("etag"), "\"v1\"");
    assert_eq!(made.header("location"), format!("/v1/certificates/{}", made.id()));

    let second = authority.issue(&["api.example.com"]);
    let replaced = stage
        .patch("/v1/certificates/api", json!({ "chain": second.chain, "private_key": second.key }))
        .await
        .expect(200);
    assert_ne!(replaced.body["fingerprint"], made.body["fingerprint"]);
    assert_eq!(replaced.body["names"], json!(["api.example.com"]));
    let again = stage.patch("/v1/certificates/api", json!({ "chain": second.chain })).await.expect(200);
    assert_eq!(again.header("etag"), replaced.header("etag"), "the same again is no change");

    let secret = second.key.lines().nth(1).unwrap().to_owned();
    for path in ["/v1/certificates", "/v1/certificates/api", "/v1/audit"] {
        let shown = stage.get(path).await.expect(200).text;
        assert!(!shown.contains("PRIVATE KEY") && !shown.contains(&secret), "{shown}");
    }
    stage.delete("/v1/certificates/api").await.expect(204);
    stage.get("/v1/certificates/api").await.expect(404);
}

#[tokio::test]
async fn what_must_not_be_served_is_refused_by_field() {
    let stage = Stage::new().await;
    let authority = Authority::new();
    let (good, other) = (authority.issue(&["a.example"]), authority.issue(&["a.example"]));
    let (expired, client) = (authority.issue_expired(&["a.example"]), authority.issue_client("a.example"));
    for (chain, key, places) in [
        (&good.chain, &other.key, vec!["/private_key"]),
        (&expired.chain, &expired.key, vec!["/chain"]),
        (&expired.chain, &good.key, vec!["/chain", "/private_key"]),
        (&client.chain, &client.key, vec!["/chain"]),
        (&good.key, &good.key, vec!["/chain"]),
        (&good.chain, &good.chain, vec!["/private_key"]),
    ] {
        let body = json!({ "slug": "a", "chain": chain, "private_key": key });
        let refused = stage.post("/v1/certificates", body).await.expect(422);
        assert_eq!(refused.places(), places, "{}", refused.text);
        assert!(!refused.text.contains("PRIVATE KEY-----\n"), "{}", refused.text);
    }
    let body = json!({ "slug": "a", "chain": good.chain, "private_key": good.key });
    stage.post("/v1/certificates", body.clone()).await.expect(201);
    assert_eq!(stage.post("/v1/certificates", body).await.expect(422).places(), ["/slug"]);
    let alone = stage.patch("/v1/certificates/a", json!({ "chain": other.chain })).await.expect(422);
    assert_eq!(alone.places(), ["/private_key"], "{}", alone.text);
}

#[tokio::test]
async fn there_is_one_default_at_most() {
    let stage = Stage::new().await;
    let authority = Authority::new();
    for slug in ["a", "b"] {
        let issued = authority.issue(&["a.example"]);
        let body =
            json!({ "slug": slug, "chain": issued.chain, "private_key": issued.key, "is_default": true });
        stage.post("/v1/certificates", body).await.expect(201);
    }
    for (slug, is_default, version) in [("a", false, 2), ("b", true, 1)] {
        let shown = stage.get(&format!("/v1/certificates/{slug}")).await.expect(200);
        assert_eq!(
            (&shown.body["is_default"], &shown.body["version"]),
            (&json!(is_default), &json!(version))
        );
    }
}

#[tokio::test]
async fn a_certificate_is_ordered_once_somebody_agreed_to_its_authoritys_terms() {
    let stage = Stage::new().await;
    let order =
        json!({ "slug": "api", "acme": { "names": ["API.example.com"], "challenge": "tls-alpn-01" } });
    assert_eq!(stage.post("/v1/certificates", order.clone()).await.expect(422).places(), ["/acme"]);
    stage.get("/v1/acme-account").await.expect(404);
    let directory = "https://ca.example/directory";
    let account = json!({ "directory": directory, "contacts": ["ops@example.com"], "terms_agreed": false });
    let refused = stage.call_as(&stage.admin, "PUT", "/v1/acme-account", Some(account)).await.expect(422);
    assert_eq!(refused.places(), ["/terms_agreed"]);
    let account = json!({ "directory": directory, "contacts": ["ops@example.com"], "terms_agreed": true });
    let set = stage.call_as(&stage.admin, "PUT", "/v1/acme-account", Some(account)).await.expect(200);
    assert_eq!((&set.body["directory"], &set.body["is_registered"]), (&json!(directory), &json!(false)));

    let made = stage.post("/v1/certificates", order.clone()).await.expect(201);
    assert_eq!((&made.body["source"], &made.body["chain"]), (&json!("acme"), &json!(null)));
    assert_eq!(made.body["names"], json!(["api.example.com"]));
    assert_eq!(
        (&made.body["order"]["challenge"], &made.body["order"]["error"]),
        (&json!("tls-alpn-01"), &json!(null))
    );
    stage.post("/v1/certificates/api/renew", json!({})).await.expect(200);
    let issued = Authority::new().issue(&["api.example.com"]);
    let pair = json!({ "chain": issued.chain, "private_key": issued.key });
    assert_eq!(stage.patch("/v1/certificates/api", pair).await.expect(422).places(), ["/chain"]);
    let renamed = stage.patch("/v1/certificates/api", json!({ "slug": "front" })).await.expect(200);
    assert_eq!(renamed.body["slug"], "front");
    for (body, places) in [
        (json!({ "slug": "x", "acme": { "names": ["*.example.com"] } }), vec!["/acme/names/0"]),
        (json!({ "slug": "x", "acme": { "names": [] } }), vec!["/acme/names"]),
        (json!({ "slug": "x", "chain": "x", "acme": { "names": ["a.example"] } }), vec!["/acme"]),
        (json!({ "slug": "x", "chain": "x" }), vec!["/private_key"]),
        (json!({ "slug": "x" }), vec!["/chain", "/private_key"]),
    ] {
        assert_eq!(stage.post("/v1/certificates", body.clone()).await.expect(422).places(), places, "{body}");
    }
    stage.delete("/v1/certificates/front").await.expect(204);
}
