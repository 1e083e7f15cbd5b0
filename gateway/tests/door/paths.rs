//! Case 52: one spelling of a path for routing, policy and upstream.

use crate::case::{Door, case, refused};

fn of(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n{{key}}\r\n")
}

#[tokio::test]
async fn a_second_spelling_of_a_path_is_refused() {
    let mut cases = Vec::new();
    for target in [
        "/v1/items/../admin",
        "/v1/items/./admin",
        "/v1/items/..",
        "/v1/items/%2e%2e/admin",
        "/v1/items/%2E./admin",
        "//v1/items",
        "/v1//items",
        "/v1/items%2f..%2fadmin",
        "/v1/items\\..\\admin",
        "/v1/items%5c..%5cadmin",
        "/v1/items/..;/admin",
        "/v1/items/.;x/admin",
        "/v1/items/..%3Bx/admin",
        "/v1/%69tems",
        "/v1/items%00",
        "/v1/items%zz",
        "/v1/items%",
    ] {
        cases.push(refused(52, of(target), &[400]));
    }
    Door::open().await.hold(&cases).await;
}

#[tokio::test]
async fn what_is_routed_is_what_the_upstream_gets() {
    let door = Door::open().await;
    for target in
        ["/items/%2561dmin", "/items/a;x=..", "/items/a%20b?c=%2F..%2F&d=//", "/items/...", "/items/~a:b@c"]
    {
        door.hold(&[case(52, of(&format!("/v1{target}")), &[200], 1)]).await;
        let seen = door.upstream.seen();
        assert_eq!(seen.last().unwrap().line(), format!("GET /base{target} HTTP/1.1"));
    }
}
