//! Keys that are held to something beside their plan, and keys that were made elsewhere.

use tollgate_boot::TrustedProxies;
use tollgate_domain::{ConsumerCredential, Restrictions};

use crate::stage::{Plot, credential, mint, peppers};

/// SHA-256 of `old-gateway-key-1`, made elsewhere (`printf %s old-gateway-key-1 | sha256sum`).
const OLD_KEY: &str = "old-gateway-key-1";
const OLD_KEY_SHA256: [u8; 32] = [
    0x10, 0x84, 0x91, 0x30, 0x47, 0x44, 0x2a, 0xd0, 0x0d, 0xbd, 0x3d, 0x48, 0x33, 0xcf, 0x80, 0x91, 0xfe,
    0xe1, 0x99, 0xe3, 0x31, 0xa7, 0x76, 0xab, 0x62, 0xf1, 0xe7, 0x56, 0x90, 0xea, 0xcd, 0x20,
];

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

fn restricted(
    n: u128,
    key: &str,
    scopes: &[&str],
    networks: &[&str],
    origins: &[&str],
) -> ConsumerCredential {
    let restrictions =
        Restrictions { scopes: texts(scopes), networks: texts(networks), origins: texts(origins) };
    ConsumerCredential { restrictions: Some(Box::new(restrictions)), ..credential(n, key) }
}

#[tokio::test]
async fn a_key_is_held_to_its_operations_networks_and_sites() {
    let mut plot = Plot::new().await;
    let keys: Vec<String> = (0..6).map(|_| mint()).collect();
    plot.consumer.credentials.extend([
        restricted(80, &keys[0], &["items/op30"], &[], &[]),
        restricted(81, &keys[1], &["other", "items/tag:all"], &["127.0.0.0/8"], &[]),
        restricted(82, &keys[2], &[], &["192.0.2.0/24", "2001:db8::/32"], &[]),
        restricted(83, &keys[3], &[], &[], &["https://*.example"]),
        restricted(84, &keys[4], &["?"], &[], &[]),
        restricted(85, &keys[5], &[], &["127.0.0.1"], &["https://app.example"]),
    ]);
    let stage = plot.start().await;
    let page = ("Origin", "https://app.example");
    for (key, line, field, expected) in [
        (0, "GET /v1/items", None, "200"),
        (0, "GET /v1/items/7", None, "scope_missing"),
        (1, "GET /v1/items/7", None, "200"),
        (2, "GET /v1/items", None, "address_not_allowed"),
        (2, "GET /v1/items", Some(("X-Forwarded-For", "192.0.2.7")), "address_not_allowed"),
        (3, "GET /v1/items", Some(page), "200"),
        (3, "GET /v1/items", Some(("Origin", "https://evil.test")), "key_origin_not_allowed"),
        (3, "GET /v1/items", None, "key_origin_not_allowed"),
        (4, "GET /v1/items", None, "scope_missing"),
        (5, "GET /v1/items", Some(page), "200"),
    ] {
        let fields: Vec<_> = field.into_iter().chain([("X-API-Key", keys[key].as_str())]).collect();
        let answer = stage.client().await.call(line, &fields).await;
        let said = if answer.status() == 403 {
            answer.json()["code"].as_str().unwrap().to_owned()
        } else {
            answer.status().to_string()
        };
        assert_eq!(said, expected, "key {key}: {line} {field:?}");
    }
    let refused = stage.client().await.call("GET /v1/items/7", &[("X-API-Key", &keys[0])]).await;
    assert_eq!(refused.json()["scope"], "items/op31");
    let challenge = r#"Bearer realm="tollgate", error="insufficient_scope""#;
    assert_eq!(refused.field("www-authenticate"), Some(challenge));
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_address_is_the_callers() {
    let mut plot = Plot::new().await;
    let key = mint();
    plot.consumer.credentials.push(restricted(80, &key, &[], &["192.0.2.0/24"], &[]));
    let stage = plot
        .tune(|settings| settings.trusted_proxies = TrustedProxies::parse("127.0.0.1").unwrap())
        .start()
        .await;
    for (through, status) in [("192.0.2.7", 200), ("192.0.2.7, 198.51.100.1", 403), ("junk", 403)] {
        let fields = [("X-API-Key", key.as_str()), ("X-Forwarded-For", through)];
        assert_eq!(stage.client().await.call("GET /v1/items", &fields).await.status(), status, "{through}");
    }
}

#[tokio::test]
async fn a_key_that_was_made_elsewhere_opens_what_its_hash_was_brought_for() {
    let mut plot = Plot::new().await;
    let digest = peppers().imported_digest(1, &OLD_KEY_SHA256).expect("version 1");
    let mut tag = [0; 16];
    tag.copy_from_slice(&digest[..16]);
    plot.consumer.credentials.push(ConsumerCredential { tag, imported: true, ..credential(80, &mint()) });
    let stage = plot.start().await;
    for (key, status) in [(OLD_KEY, 200), ("old-gateway-key-2", 401), (stage.key.as_str(), 200)] {
        let answer = stage.client().await.call("GET /v1/items", &[("X-API-Key", key)]).await;
        assert_eq!(answer.status(), status, "{key}");
    }
    assert!(!stage.upstream.last().dump().contains(OLD_KEY));
}
