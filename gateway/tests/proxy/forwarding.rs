//! What the upstream and the caller get to see of each other.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::http::{Reaction, ok, request};
use crate::stage::{Plot, id};
use tollgate_domain::{ApplicationId, OrganizationId, SubscriptionId};

#[tokio::test]
async fn the_key_never_reaches_the_upstream() {
    let stage = Plot::new().await.start().await;
    let bearer = format!("bearer {}", stage.key);
    let mut client = stage.client().await;
    for fields in [[("Authorization", bearer.as_str())], [("x-api-key", stage.key.as_str())]] {
        assert_eq!(client.call("GET /v1/items", &fields).await.status(), 200);
        let seen = stage.upstream.last();
        assert!(!seen.dump().contains(&stage.key), "{seen:?}");
        assert_eq!(seen.field("authorization"), None);
    }
}

#[tokio::test]
async fn who_calls_is_told_by_us_and_never_by_the_caller() {
    let stage = Plot::new().await.start().await;
    let fields = [
        ("X-API-Key", stage.key.as_str()),
        ("X-Consumer-Id", "forged"),
        ("X-Application-Id", "forged"),
        ("X-Subscription-Id", "forged"),
        ("X-Plan", "forged"),
        ("Proxy-Authorization", "forged"),
        ("X-Forwarded-For", "forged"),
        ("X-Forwarded-Proto", "forged"),
        ("Forwarded", "for=forged"),
        ("Connection", "X-Hop, keep-alive"),
        ("X-Hop", "forged"),
        ("TE", "trailers"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("X-Other", "kept"),
    ];
    assert_eq!(stage.client().await.call("GET /v1/items", &fields).await.status(), 200);
    let seen = stage.upstream.last();
    assert!(!seen.dump().contains("forged"), "{seen:?}");
    assert_eq!(seen.field("x-consumer-id"), Some(id::<OrganizationId>(71).to_string().as_str()));
    assert_eq!(seen.field("x-application-id"), Some(id::<ApplicationId>(70).to_string().as_str()));
    assert_eq!(seen.field("x-subscription-id"), Some(id::<SubscriptionId>(73).to_string().as_str()));
    assert_eq!(seen.field("x-plan"), Some("free"));
    assert_eq!(seen.field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.field("x-forwarded-proto"), Some("http"));
    assert_eq!(seen.field("x-forwarded-host"), Some("api.example"));
    assert_eq!(seen.field("forwarded"), Some("for=127.0.0.1;proto=http;host=\"api.example\""));
    assert_eq!(seen.field("host"), Some(stage.upstream.address.to_string().as_str()));
    assert!(seen.field("traceparent").is_some_and(|it| it.starts_with("00-0af7")));
    assert_eq!(seen.field("x-other"), Some("kept"));
}

#[tokio::test]
async fn a_trusted_proxy_says_who_calls_and_by_which_scheme() {
    let trust = |settings: &mut tollgate_gateway::Settings| {
        settings.trusted_proxies = "127.0.0.0/8, 10.0.0.0/8".parse().unwrap();
    };
    let stage = Plot::new().await.tune(trust).start().await;
    let fields = [
        ("X-API-Key", stage.key.as_str()),
        ("X-Forwarded-For", "forged, 2001:db8::9, 10.0.0.7"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "shop.example"),
        ("Forwarded", "for=forged"),
    ];
    assert_eq!(stage.client().await.call("GET /v1/items", &fields).await.status(), 200);
    let seen = stage.upstream.last();
    assert!(!seen.dump().contains("forged"), "{seen:?}");
    assert_eq!(seen.field("x-forwarded-for"), Some("2001:db8::9"));
    assert_eq!(seen.field("x-forwarded-proto"), Some("https"));
    assert_eq!(seen.field("x-forwarded-host"), Some("shop.example"));
    assert_eq!(seen.field("forwarded"), Some("for=\"[2001:db8::9]\";proto=https;host=\"shop.example\""));
}

#[tokio::test]
async fn path_and_query_arrive_below_the_targets_own_path() {
    let stage = Plot::new().await.start().await;
    let answer = stage.call("GET /v1/items/a%20b;x=1?q=%2F&r[]=2").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(stage.upstream.last().start, "GET /base/items/a%20b;x=1?q=%2F&r[]=2 HTTP/1.1");
}

#[tokio::test]
async fn a_body_arrives_whole_with_a_length_or_in_chunks() {
    let stage = Plot::new().await.start().await;
    let mut client = stage.client().await;
    client.send(request("POST /v1/items", &[("X-API-Key", &stage.key)], "with a length")).await;
    assert_eq!(client.answer().await.status(), 200);
    assert_eq!(stage.upstream.last().body, b"with a length");

    let fields = [("X-API-Key", stage.key.as_str()), ("Transfer-Encoding", "chunked")];
    client.send(request("POST /v1/items", &fields, "")).await;
    client.send("3\r\nin \r\n6\r\nchunks\r\n0\r\n\r\n").await;
    assert_eq!(client.answer().await.status(), 200);
    assert_eq!(stage.upstream.last().body, b"in chunks");
}

#[tokio::test]
async fn the_answer_comes_without_what_belongs_to_the_upstreams_hop() {
    let stage = Plot::new().await.start().await;
    stage.upstream.behave(|_| {
        let fields = "Server: secret/1.0\r\nKeep-Alive: timeout=5\r\nConnection: X-Private\r\nX-Private: 1\r\n\
                      Proxy-Status: forged\r\nRateLimit: forged\r\nX-Request-Id: forged\r\nETag: \"7\"\r\n";
        Reaction::Say(ok(fields, "body"))
    });
    let answer = stage.call("GET /v1/items").await;
    assert_eq!((answer.status(), answer.body.as_slice()), (200, b"body".as_slice()));
    for gone in ["server", "keep-alive", "x-private", "proxy-status"] {
        assert_eq!(answer.field(gone), None, "{gone}");
    }
    assert!(!answer.dump().contains("forged"), "{answer:?}");
    assert_eq!(answer.field("etag"), Some("\"7\""));
    assert_eq!(answer.field("ratelimit-policy"), Some(r#""burst";q=1000;w=1, "month";q=1000000;w=2592000"#));
    let level = answer.field("ratelimit").expect("RateLimit");
    assert!(level.starts_with(r#""burst";r=999;t="#) && level.contains(r#""month";r=999999;t="#), "{level}");
}

#[tokio::test]
async fn one_request_id_runs_through_caller_upstream_and_answer() {
    let stage = Plot::new().await.start().await;
    let mut client = stage.client().await;
    let fields = [("X-API-Key", stage.key.as_str()), ("X-Request-Id", "mine-1")];
    assert_eq!(client.call("GET /v1/items", &fields).await.field("x-request-id"), Some("mine-1"));
    assert_eq!(stage.upstream.last().field("x-request-id"), Some("mine-1"));

    let fields = [("X-API-Key", stage.key.as_str()), ("X-Request-Id", "not \"mine\"")];
    let answer = client.call("GET /v1/items", &fields).await;
    let made = answer.field("x-request-id").expect("an id");
    assert_eq!(made.parse::<uuid::Uuid>().expect("a UUID").get_version_num(), 7);
    assert_eq!(stage.upstream.last().field("x-request-id"), Some(made));
}

#[tokio::test]
async fn head_is_forwarded_and_answered_without_a_body() {
    let stage = Plot::new().await.start().await;
    stage.upstream.behave(|request| {
        assert!(request.start.starts_with("HEAD "));
        Reaction::Say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".into())
    });
    let mut client = stage.client().await;
    client.send(request("HEAD /v1/items", &[("X-API-Key", &stage.key)], "")).await;
    let answer = client.answer_to_head().await;
    assert_eq!((answer.status(), answer.field("content-length")), (200, Some("5")));
    stage.upstream.behave(|_| Reaction::Say(ok("", "next")));
    assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.body, b"next");
}

#[tokio::test]
async fn a_stream_arrives_piece_by_piece() {
    let stage = Plot::new().await.start().await;
    let go_on = Arc::new(Notify::new());
    let signal = Arc::clone(&go_on);
    stage.upstream.behave(move |_| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (first, second) = (format!("{head}9\r\ndata: 1\n\n\r\n"), "9\r\ndata: 2\n\n\r\n0\r\n\r\n");
        Reaction::InTwo(first, second.into(), Arc::clone(&signal))
    });
    let mut client = stage.client().await;
    client.send(request("GET /v1/items", &[("X-API-Key", &stage.key)], "")).await;
    assert_eq!(client.head().await.field("content-type"), Some("text/event-stream"));
    client.expect("9\r\ndata: 1\n\n\r\n").await;
    go_on.notify_one();
    client.expect("9\r\ndata: 2\n\n\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn a_caller_that_waits_for_consent_gets_it_once_it_is_admitted() {
    let stage = Plot::new().await.start().await;
    let mut client = stage.client().await;
    let fields = [("X-API-Key", stage.key.as_str()), ("Expect", "100-continue"), ("Content-Length", "4")];
    client.send(request("POST /v1/items", &fields, "")).await;
    assert_eq!(client.head().await.status(), 100);
    client.send("body").await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.field("connection")), (200, Some("keep-alive")));
    assert_eq!(stage.upstream.last().body, b"body");
    assert_eq!(stage.upstream.last().field("expect"), None);

    // Without a key it is refused at once, and the body never asked for.
    client.send(request("POST /v1/items", &fields[1..], "")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.field("connection")), (401, Some("close")));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_pass_both_ways_unharmed() {
    let stage = Plot::new().await.start().await;
    stage.upstream.behave(|request| Reaction::Say(ok("", std::str::from_utf8(&request.body).unwrap())));
    let body: String = (0..300_000).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    let mut client = stage.client().await;
    for _ in 0..3 {
        client.send(request("POST /v1/items", &[("X-API-Key", &stage.key)], &body)).await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), 200);
        assert!(answer.body == body.as_bytes());
    }
    let key_route_status = async || stage.source.counts().into_iter().next();
    crate::stage::until("counted", async || {
        key_route_status().await.is_some_and(|count| {
            (count.calls, count.bytes_in, count.bytes_out) == (3, 3 * 300_000, 3 * 300_000)
        })
    })
    .await;
}

#[tokio::test]
async fn upstream_connections_are_used_again() {
    let stage = Plot::new().await.start().await;
    let mut client = stage.client().await;
    for _ in 0..20 {
        assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.status(), 200);
    }
    assert_eq!(stage.upstream.seen().len(), 20);
    assert!(stage.upstream.connections() <= 2, "{}", stage.upstream.connections());
}

#[tokio::test]
async fn a_connection_carries_only_so_many_requests() {
    let stage = Plot::new().await.tune(|settings| settings.requests_per_connection = 3).start().await;
    let mut client = stage.client().await;
    for expected in ["keep-alive", "keep-alive", "close"] {
        let answer = client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await;
        assert_eq!((answer.status(), answer.field("connection")), (200, Some(expected)));
    }
    assert!(client.try_answer().await.is_none());
}

#[tokio::test]
async fn trailers_reach_callers_that_ask_for_them() {
    let stage = Plot::new().await.start().await;
    stage.upstream.behave(|_| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n";
        Reaction::Say(format!("{head}0\r\nX-Sum: 7\r\nContent-Length: 9\r\nSet-Cookie: a=b\r\n\r\n"))
    });
    for (te, trailer) in [("trailers", "X-Sum: 7\r\n"), ("gzip", "")] {
        let mut client = stage.client().await;
        client.send(request("GET /v1/items", &[("X-API-Key", &stage.key), ("TE", te)], "")).await;
        assert_eq!(client.head().await.status(), 200);
        client.expect(&format!("2\r\nok\r\n0\r\n{trailer}\r\n")).await;
    }
    assert_eq!(stage.upstream.seen()[0].field("te"), Some("trailers"));
    assert_eq!(stage.upstream.seen()[1].field("te"), None);
}

#[tokio::test]
async fn a_caller_of_http_1_0_gets_a_body_that_ends_with_its_connection() {
    let stage = Plot::new().await.start().await;
    stage.upstream.behave(|_| {
        Reaction::Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n".into())
    });
    let mut client = stage.client().await;
    client.send(format!("GET /v1/items HTTP/1.0\r\nHost: a\r\nX-API-Key: {}\r\n\r\n", stage.key)).await;
    let answer = client.answer().await;
    assert_eq!((answer.field("connection"), answer.field("transfer-encoding")), (Some("close"), None));
    assert_eq!(answer.body, b"ok");
}
