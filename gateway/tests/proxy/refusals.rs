//! Every refusal as it reads on the wire.

use std::sync::Arc;

use tokio::sync::Notify;
use tollgate_domain::{ConsumerSubscription, Period};

use crate::http::{Client, Message, Reaction, ok, request};
use crate::stage::{Plot, credential, id, mint, quota, rate, until};

/// What all refusals have in common.
fn check(answer: &Message, status: u16, code: &str, proxy_error: &str) {
    assert_eq!(answer.status(), status, "{answer:?}");
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert_eq!(answer.field("proxy-status"), Some(format!("tollgate; error={proxy_error}").as_str()));
    assert_eq!(answer.field("server"), None);
    let problem = answer.json();
    assert_eq!(problem["code"], code);
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], format!("https://portal.example/problems/{code}"));
    assert_eq!(problem["request_id"], answer.field("x-request-id").expect("a request id"));
    for field in ["title", "detail", "hint"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
    }
}

#[tokio::test]
async fn no_key_a_wrong_key_and_an_expired_key_are_401_with_a_challenge() {
    let mut plot = Plot::new().await;
    let expired = mint();
    let mut old = credential(90, &expired);
    old.expires_at = Some(1_000_000_000);
    plot.consumer.credentials.push(old);
    let stage = plot.start().await;

    let mut client = stage.client().await;
    let answer = client.call("GET /v1/items?page=2", &[]).await;
    check(&answer, 401, "missing_credential", "http_request_denied");
    assert_eq!(answer.field("www-authenticate"), Some(r#"Bearer realm="tollgate""#));
    assert_eq!(answer.json()["instance"], "/v1/items");

    for (wrong, code) in [
        (mint(), "invalid_credential"),
        ("nonsense".to_owned(), "invalid_credential"),
        (expired, "expired_credential"),
    ] {
        let answer = client.call("GET /v1/items", &[("X-API-Key", &wrong)]).await;
        check(&answer, 401, code, "http_request_denied");
        assert!(answer.field("www-authenticate").is_some_and(|it| it.contains("invalid_token")));
        assert!(!answer.dump().contains(&wrong), "the key is not repeated");
    }
    assert!(stage.upstream.seen().is_empty());
    assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.status(), 200);
}

#[tokio::test]
async fn a_key_in_two_places_is_400() {
    let stage = Plot::new().await.start().await;
    let bearer = format!("Bearer {}", stage.key);
    let fields = [("Authorization", bearer.as_str()), ("X-API-Key", &stage.key)];
    let answer = stage.client().await.call("GET /v1/items", &fields).await;
    check(&answer, 400, "ambiguous_credential", "http_request_error");
}

#[tokio::test]
async fn a_key_without_access_to_the_product_and_a_suspended_one_are_403() {
    let mut plot = Plot::new().await;
    plot.consumer.subscriptions[0].product_id = id(41);
    let stage = plot.start().await;
    check(&stage.call("GET /v1/items").await, 403, "not_entitled", "http_request_denied");

    let mut plot = Plot::new().await;
    plot.consumer.subscriptions[0] =
        ConsumerSubscription { suspended: true, ..plot.consumer.subscriptions[0].clone() };
    let stage = plot.start().await;
    check(&stage.call("GET /v1/items").await, 403, "subscription_suspended", "http_request_denied");
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405_with_allow() {
    let stage = Plot::new().await.start().await;
    check(&stage.call("GET /v2/items").await, 404, "route_not_found", "destination_not_found");
    let answer = stage.call("DELETE /v1/items").await;
    check(&answer, 405, "method_not_allowed", "http_request_denied");
    let allow = answer.field("allow").expect("Allow");
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    check(&stage.call("BREW /v1/items").await, 501, "method_not_implemented", "http_request_denied");
}

#[tokio::test]
async fn over_the_rate_is_429_that_says_when_to_come_again() {
    let stage = Plot::new().await.limits(vec![rate(2, Period::Minute), quota(50)]).start().await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    let answer = stage.call("GET /v1/items").await;
    check(&answer, 429, "rate_limited", "http_request_denied");
    let wait: u64 = answer.field("retry-after").expect("Retry-After").parse().expect("an integer");
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(answer.field("ratelimit-policy"), Some(r#""burst";q=2;w=60, "month";q=50;w=2592000"#));
    assert!(answer.field("ratelimit").is_some_and(|it| it.starts_with(r#""burst";r=0;t="#)), "{answer:?}");
    assert_eq!(stage.upstream.seen().len(), 2);
}

#[tokio::test]
async fn over_the_quota_is_429_until_the_month_ends() {
    let stage = Plot::new().await.limits(vec![quota(1)]).start().await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    let answer = stage.call("GET /v1/items").await;
    check(&answer, 429, "quota_exceeded", "http_request_denied");
    assert!(answer.field("retry-after").is_some());
    assert!(answer.field("ratelimit").is_some_and(|it| it.starts_with(r#""month";r=0;t="#)));
}

#[tokio::test]
async fn head_is_refused_without_a_body_and_the_connection_is_kept() {
    let stage = Plot::new().await.start().await;
    let mut client = stage.client().await;
    client.send(request("HEAD /v1/items", &[], "")).await;
    let answer = client.answer_to_head().await;
    assert_eq!(answer.status(), 401);
    assert_ne!(answer.field("content-length"), Some("0"), "the length that GET would have");
    // The next answer begins right behind: no byte of a body was sent.
    assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.status(), 200);
}

#[tokio::test]
async fn a_refused_call_with_a_small_body_keeps_its_connection_and_one_with_a_large_body_loses_it() {
    let stage = Plot::new().await.start().await;
    let mut client = stage.client().await;
    client.send(request("POST /v1/items", &[], "small")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.field("connection")), (401, Some("keep-alive")));
    assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.status(), 200);

    client.send(request("POST /v1/items", &[("Content-Length", "1000000")], "")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.field("connection")), (401, Some("close")));
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_announced_or_not() {
    let stage = Plot::new().await.tune(|settings| settings.body_bytes_max = 10).start().await;
    let key = stage.key.as_str();
    let mut client = stage.client().await;
    client.send(request("POST /v1/items", &[("X-API-Key", key)], "eleven bytes")).await;
    check(&client.answer().await, 413, "body_too_large", "http_request_error");

    let mut client = stage.client().await;
    let fields = [("X-API-Key", key), ("Transfer-Encoding", "chunked")];
    client.send(request("POST /v1/items", &fields, "")).await;
    client.send("c\r\neleven bytes\r\n").await;
    check(&client.answer().await, 413, "body_too_large", "http_request_error");
}

#[tokio::test]
async fn a_request_that_can_be_read_in_two_ways_is_400_and_closes() {
    let stage = Plot::new().await.start().await;
    let key = format!("X-API-Key: {}\r\n", stage.key);
    let post = format!("POST /v1/items HTTP/1.1\r\nHost: a\r\n{key}");
    for (head, code) in [
        (format!("{post}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), "ambiguous_request"),
        (format!("{post}Transfer-Encoding: chunked, gzip\r\n\r\n"), "ambiguous_request"),
        (format!("{post}Content-Length: 3, 3\r\n\r\n"), "ambiguous_request"),
        (format!("{post}Content-Length: three\r\n\r\n"), "ambiguous_request"),
        (format!("GET /v1/items HTTP/1.1\r\nHost: a\n{key}\r\n"), "ambiguous_request"),
        (format!("GET /v1/items HTTP/1.1\r\nHost: a\r\nHost: b\r\n{key}\r\n"), "ambiguous_request"),
        (format!("GET /v1/items HTTP/1.1\r\nHost: a b\r\n{key}\r\n"), "bad_host"),
        (format!("G@T /v1/items HTTP/1.1\r\nHost: a\r\n{key}\r\n"), "malformed_request"),
        ("\u{16}\u{3}\u{1} this is no HTTP\r\n\r\n".to_owned(), "malformed_request"),
    ] {
        let mut client = Client::connect(stage.gateway).await;
        client.send(&head).await;
        let answer = client.answer().await;
        check(&answer, 400, code, "http_request_error");
        assert_eq!(answer.field("connection"), Some("close"), "{head}");
        assert!(client.try_answer().await.is_none(), "closed: {head}");
    }
    for (target, code) in [("/v1/%2e%2e/admin", "bad_request_target"), ("/v1//items", "bad_request_target")] {
        check(&stage.call(&format!("GET {target}")).await, 400, code, "http_request_error");
    }
    let answer = stage.call("CONNECT api.example:443").await;
    check(&answer, 405, "method_not_allowed", "http_request_denied");
    assert_eq!(answer.field("allow"), Some("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    let mut client = stage.client().await;
    client.send(format!("GET /v1/items HTTP/1.1\r\n{key}\r\n")).await;
    check(&client.answer().await, 400, "bad_host", "http_request_error");
    let mut client = stage.client().await;
    client.send(format!("GET /v1/items HTTP/1.1\r\nHost: a\r\n{key}X: {}\r\n\r\n", "a".repeat(70_000))).await;
    check(&client.answer().await, 431, "head_too_large", "http_request_error");
    assert!(stage.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_dripped_head_and_an_idle_connection_are_cut() {
    let stage = Plot::new()
        .await
        .tune(|settings| {
            settings.head_timeout = std::time::Duration::from_millis(300);
            settings.idle_timeout = std::time::Duration::from_millis(300);
        })
        .start()
        .await;
    let mut drip = stage.client().await;
    drip.send("GET /v1/items HTT").await;
    let mut silent = stage.client().await;
    let mut idle = stage.client().await;
    assert_eq!(idle.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.status(), 200);
    for client in [&mut drip, &mut silent, &mut idle] {
        assert!(client.try_answer().await.is_none(), "closed without an answer");
    }
}

#[tokio::test]
async fn when_all_places_are_taken_the_longest_idle_makes_room_and_a_call_never_does() {
    let stage = Plot::new().await.tune(|settings| settings.connections_max = 2).start().await;
    let fields = [("X-API-Key", stage.key.as_str())];
    let go_on = Arc::new(Notify::new());
    let signal = Arc::clone(&go_on);
    stage.upstream.behave(move |_| Reaction::Later(ok("", "at last"), Arc::clone(&signal)));
    let mut served = stage.client().await;
    served.send(request("GET /v1/items", &fields, "")).await;
    until("asked", async || stage.upstream.seen().len() == 1).await;
    stage.upstream.behave(|_| Reaction::Say(ok("", "hello")));
    let mut idle = stage.client().await;
    assert_eq!(idle.call("GET /v1/items", &fields).await.status(), 200);

    let mut newcomer = stage.client().await;
    assert_eq!(newcomer.call("GET /v1/items", &fields).await.status(), 200);
    assert!(idle.try_answer().await.is_none(), "the idle one was closed");
    // One that dripped half a head and one that said nothing go like one that is idle.
    let mut dripping = stage.client().await;
    dripping.send("GET /v1/items HTTP/1.1\r\nHos").await;
    assert!(newcomer.try_answer().await.is_none());
    let mut last = stage.client().await;
    assert_eq!(last.call("GET /v1/items", &fields).await.status(), 200);
    assert!(dripping.try_answer().await.is_none());
    go_on.notify_one();
    assert_eq!(served.answer().await.body, b"at last");
    assert_eq!(stage.metric("tollgate_connections_evicted_total").await, Some(3.0));
}

#[tokio::test]
async fn one_address_cannot_take_all_places() {
    let stage = Plot::new().await.tune(|settings| settings.connections_per_address = 2).start().await;
    let fields = [("X-API-Key", stage.key.as_str())];
    let mut first = stage.client().await;
    assert_eq!(first.call("GET /v1/items", &fields).await.status(), 200);
    let mut second = stage.client().await;
    assert_eq!(second.call("GET /v1/items", &fields).await.status(), 200);
    assert!(stage.client().await.try_answer().await.is_none(), "closed as soon as it came");
    let refused = "tollgate_connections_refused_total{reason=\"per_address\"}";
    assert_eq!(stage.metric(refused).await, Some(1.0));
    assert_eq!(first.call("GET /v1/items", &fields).await.status(), 200);
    drop(second);
    until("its place is free", async || {
        let mut third = stage.client().await;
        let sent = third.try_send(request("GET /v1/items", &fields, "")).await;
        sent && third.try_answer().await.is_some_and(|answer| answer.status() == 200)
    })
    .await;
}
