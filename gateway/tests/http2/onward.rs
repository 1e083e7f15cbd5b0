//! Upstreams that speak HTTP/2, and gRPC through them (cases 108 to 112).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::Reason;
use tollgate_domain::{Period, ServiceProtocol};
use tollgate_testkit::Authority;

use crate::fake_source::FakeSource;
use crate::friend::{Answer, Friend, plot};
use crate::stage::{Stage, id, rate, route, until};
use crate::upstream::{Asked, H2Upstream, Reply, map, ok};

/// A gateway before an upstream that is spoken to by HTTP/2 without TLS, with one method of gRPC.
async fn stage(upstream: &H2Upstream) -> Stage {
    let mut plot = plot().await;
    let service = &mut plot.blueprint.services[0];
    service.protocol = ServiceProtocol::H2c;
    service.targets[0].url = format!("http://{}", upstream.address);
    plot.blueprint.apis[0].routes.push(route(33, "POST", "/atlas.Countries/Find"));
    plot.start().await
}

fn echo(asked: &Asked) -> Reply {
    let body = Bytes::copy_from_slice(&asked.body);
    Reply::Whole(ok(&[("x-from", "upstream"), ("server", "secret")]), vec![body], None)
}

/// A message as gRPC frames it.
fn message(text: &str) -> Vec<u8> {
    [&[0][..], &u32::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
}

fn grpc(_: &Asked) -> Reply {
    let head = ok(&[("content-type", "application/grpc")]);
    let pieces = ["one", "two"].map(|text| Bytes::from(message(text))).to_vec();
    Reply::Whole(head, pieces, Some(map(&[("grpc-status", "0"), ("x-sum", "2")])))
}

async fn call(friend: &mut Friend, fields: &[(&str, &str)]) -> Answer {
    let mut request = friend.request("POST", "/v1/atlas.Countries/Find");
    for (name, value) in [("content-type", "application/grpc"), ("te", "trailers")].iter().chain(fields) {
        request = request.header(*name, *value);
    }
    friend.call(request, Some(&message("which"))).await.expect("an answer")
}

#[tokio::test]
async fn calls_go_on_by_http_2_and_share_one_connection() {
    let upstream = H2Upstream::start(echo).await;
    let stage = stage(&upstream).await;
    let mut friend = Friend::connect(&stage).await;
    for body in ["first", "second"] {
        let request = friend.request("POST", "/v1/items").header("x-forwarded-for", "1.2.3.4");
        let answer = friend.call(request, Some(body.as_bytes())).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, body.as_bytes()));
        assert_eq!((answer.field("x-from"), answer.field("server")), (Some("upstream"), None));
        assert!(answer.field("ratelimit").is_some() && answer.field("date").is_some());
    }
    // Callers by HTTP/1 get there too.
    assert_eq!(stage.call("GET /v1/items?q=1").await.status(), 200);
    let asked = upstream.asked();
    assert!((1..=2).contains(&upstream.connections()), "one for each worker at most");
    let head = &asked[0].head;
    assert_eq!(head.uri().to_string(), format!("http://{}/items", upstream.address));
    assert_eq!(head.headers()["x-forwarded-for"], "127.0.0.1");
    assert_eq!((head.headers().get("x-api-key"), head.headers().get("host")), (None, None));
    assert!(head.headers().contains_key("x-consumer-id"));
    assert_eq!(asked[2].head.uri().path_and_query().unwrap(), "/items?q=1");
}

#[tokio::test]
async fn large_bodies_flow_through_all_windows() {
    let upstream = H2Upstream::start(echo).await;
    let stage = stage(&upstream).await;
    let mut friend = Friend::connect(&stage).await;
    let body: Vec<u8> = (0..2_000_000u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let request = friend.request("POST", "/v1/items");
    let calling = friend.call(request, Some(&body));
    let answer = tokio::time::timeout(Duration::from_secs(30), calling).await.unwrap().unwrap();
    assert!(answer.body == body);
}

#[tokio::test]
async fn a_stream_that_was_refused_is_tried_again_and_one_that_breaks_off_is_not() {
    let tries = AtomicUsize::new(0);
    let upstream = H2Upstream::start(move |asked| match tries.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::Refused(Reason::REFUSED_STREAM),
        1 => echo(asked),
        2 => Reply::Refused(Reason::INTERNAL_ERROR),
        _ => Reply::Broken(ok(&[]), Bytes::from_static(b"half")),
    })
    .await;
    let stage = stage(&upstream).await;
    let mut friend = Friend::connect(&stage).await;
    assert_eq!(friend.get("/v1/items").await.status, 200);
    assert_eq!(friend.get("/v1/items").await.status, 502);
    let request = friend.request("GET", "/v1/items");
    assert!(friend.call(request, None).await.is_err(), "it must not look complete");
    assert_eq!(upstream.asked().len(), 4);
}

#[tokio::test]
async fn a_call_of_grpc_comes_back_with_its_trailers() {
    let upstream = H2Upstream::start(grpc).await;
    let stage = stage(&upstream).await;
    let answer = call(&mut Friend::connect(&stage).await, &[("grpc-timeout", "5S")]).await;
    assert_eq!((answer.status, answer.body), (200, [message("one"), message("two")].concat()));
    let trailers = answer.trailers.expect("trailers");
    assert_eq!(
        (&trailers["grpc-status"], &trailers["x-sum"]),
        (&"0".parse().unwrap(), &"2".parse().unwrap())
    );
    let asked = upstream.asked().remove(0);
    assert_eq!(asked.body, message("which"));
    assert_eq!(asked.head.headers()["te"], "trailers");
    assert_eq!(asked.head.uri().path(), "/atlas.Countries/Find");
}

#[tokio::test]
async fn case_111_refusals_are_told_in_the_words_of_grpc() {
    let upstream = H2Upstream::start(grpc).await;
    let mut plot = plot().await.limits(vec![rate(1, Period::Day)]);
    plot.blueprint.services[0].protocol = ServiceProtocol::H2c;
    plot.blueprint.services[0].targets[0].url = format!("http://{}", upstream.address);
    plot.blueprint.apis[0].routes.push(route(33, "POST", "/atlas.Countries/Find"));
    let stage = plot.start().await;
    let mut friend = Friend::connect(&stage).await;
    assert_eq!(call(&mut friend, &[]).await.trailers.expect("served").get("grpc-status").unwrap(), "0");
    let limited = call(&mut friend, &[]).await;
    assert_eq!((limited.status, limited.field("grpc-status"), limited.body.len()), (200, Some("8"), 0));
    assert_eq!(limited.field("content-type"), Some("application/grpc"));
    assert!(limited.field("grpc-message").unwrap().contains("(rate_limited)"));
    assert!(limited.field("retry-after").is_some() && limited.field("x-request-id").is_some());

    let anonymous = http::Request::post("http://api.example/v1/atlas.Countries/Find")
        .header("content-type", "application/grpc+proto")
        .header("te", "trailers");
    let refused = friend.call(anonymous, Some(b"")).await.unwrap();
    assert_eq!((refused.status, refused.field("grpc-status")), (200, Some("16")));
    let absent = friend
        .request("POST", "/v1/atlas.Countries/Nothing")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    assert_eq!(friend.call(absent, Some(b"")).await.unwrap().field("grpc-status"), Some("12"));
    // Usage tells the truth: a refusal is no success.
    let refusals = r#"tollgate_refusals_total{code="rate_limited"}"#;
    assert_eq!(stage.metric(refusals).await, Some(1.0));
}

#[tokio::test]
async fn cases_108_and_109_deadlines_hold_and_garbage_is_refused() {
    let upstream = H2Upstream::start(|_| Reply::Silence).await;
    let stage = stage(&upstream).await;
    let mut friend = Friend::connect(&stage).await;
    for (timeout, status) in [("0n", "4"), ("200m", "4"), ("soon", "3"), ("999999999S", "3")] {
        let began = Instant::now();
        let answer = call(&mut friend, &[("grpc-timeout", timeout)]).await;
        assert_eq!((answer.status, answer.field("grpc-status")), (200, Some(status)), "{timeout}");
        assert!(began.elapsed() < Duration::from_secs(4), "{timeout}");
    }
    let request =
        friend.request("POST", "/v1/atlas.Countries/Find").header("content-type", "application/grpc");
    let answer = friend.call(request, Some(&message("which"))).await.unwrap();
    assert_eq!(answer.status, 400, "whoever cannot be told of trailers");
}

#[tokio::test]
async fn cases_110_and_112_a_large_message_and_an_upstream_that_fails() {
    let upstream = H2Upstream::start(|asked| match asked.head.headers().get("x-break") {
        Some(_) => Reply::Refused(Reason::INTERNAL_ERROR),
        None => grpc(asked),
    })
    .await;
    let mut plot = plot().await.tune(|settings| {
        settings.h2c = true;
        settings.grpc_message_bytes_max = 1_000;
    });
    plot.blueprint.services[0].protocol = ServiceProtocol::H2c;
    plot.blueprint.services[0].targets[0].url = format!("http://{}", upstream.address);
    plot.blueprint.apis[0].routes.push(route(33, "POST", "/atlas.Countries/Find"));
    let stage = plot.start().await;
    let mut friend = Friend::connect(&stage).await;
    assert_eq!(call(&mut friend, &[("x-break", "1")]).await.field("grpc-status"), Some("14"));
    let large = friend
        .request("POST", "/v1/atlas.Countries/Find")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let answer = friend.call(large, Some(&message(&"x".repeat(1_001)))).await.unwrap();
    assert_eq!((answer.status, answer.field("grpc-status")), (200, Some("8")));
    // Each alone is small enough, however many there are.
    let many = friend
        .request("POST", "/v1/atlas.Countries/Find")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let messages = message(&"x".repeat(1_000)).repeat(5);
    let answer = friend.call(many, Some(&messages)).await.unwrap();
    assert_eq!(answer.trailers.unwrap()["grpc-status"], "0");
    assert_eq!(upstream.asked().last().unwrap().body, messages);
}

#[tokio::test]
async fn case_113_a_compressed_message_needs_an_encoding_and_the_upstream_never_sees_its_end() {
    let upstream = H2Upstream::start(grpc).await;
    let stage = stage(&upstream).await;
    let mut friend = Friend::connect(&stage).await;
    let mut compressed = message("which");
    compressed[0] = 1;
    for (encoding, status) in [(None, "13"), (Some("identity"), "13"), (Some("gzip"), "0")] {
        let mut request = friend
            .request("POST", "/v1/atlas.Countries/Find")
            .header("content-type", "application/grpc+proto")
            .header("te", "trailers");
        if let Some(encoding) = encoding {
            request = request.header("grpc-encoding", encoding);
        }
        let answer = friend.call(request, Some(&compressed)).await.unwrap();
        assert_eq!(answer.status, 200);
        let told = answer.trailers.unwrap_or(answer.headers);
        assert_eq!(told["grpc-status"], status, "{encoding:?}");
    }
    assert_eq!(upstream.asked().iter().filter(|asked| asked.body == compressed).count(), 1);
}

#[tokio::test]
async fn case_114_a_service_of_http_1_is_not_asked_what_it_cannot_answer() {
    let mut plot = plot().await;
    plot.blueprint.apis[0].routes.push(route(33, "POST", "/atlas.Countries/Find"));
    let stage = plot.start().await;
    let answer = call(&mut Friend::connect(&stage).await, &[]).await;
    assert_eq!((answer.status, answer.field("grpc-status")), (200, Some("12")));
    assert!(answer.field("grpc-message").unwrap().contains("(grpc_needs_http2)"));
    assert!(stage.upstream.seen().is_empty());
}

#[tokio::test]
async fn trailers_of_a_request_go_on_but_not_those_that_only_the_gateway_may_say() {
    let upstream = H2Upstream::start(echo).await;
    let stage = stage(&upstream).await;
    let mut friend = Friend::connect(&stage).await;
    let request = friend.request("POST", "/v1/items").body(()).unwrap();
    let (answer, mut up) = friend.begin(request, false).await;
    up.send_data(Bytes::from_static(b"body"), false).unwrap();
    up.send_trailers(map(&[("x-sum", "4"), ("x-consumer-id", "me"), ("content-type", "text/x")])).unwrap();
    assert_eq!(answer.await.unwrap().status(), 200);
    let asked = upstream.asked().remove(0);
    let trailers = asked.trailers.expect("trailers");
    assert_eq!(
        (asked.body.as_slice(), trailers.len(), &trailers["x-sum"]),
        (&b"body"[..], 1, &"4".parse().unwrap())
    );
}

#[tokio::test]
async fn an_upstream_over_tls_must_speak_http_2_and_be_who_it_says() {
    let authority = Authority::new();
    let dir = tempfile::tempdir().unwrap();
    let roots = dir.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let h2: &[&[u8]] = &[b"h2", b"http/1.1"];
    let only_h1: &[&[u8]] = &[b"http/1.1"];
    for (issued, protocols, status) in [
        (authority.issue(&["127.0.0.1"]), h2, 200),
        (authority.issue(&["127.0.0.1"]), only_h1, 502),
        (authority.issue(&["elsewhere.example"]), h2, 502),
        (authority.issue_expired(&["127.0.0.1"]), h2, 502),
        (Authority::new().issue(&["127.0.0.1"]), h2, 502),
    ] {
        let upstream = H2Upstream::start_tls(&issued, protocols, echo).await;
        let roots = roots.clone();
        let mut plot = plot().await.tune(move |settings| {
            settings.h2c = true;
            settings.upstream_roots = Some(roots.clone());
        });
        plot.blueprint.services[0].protocol = ServiceProtocol::H2;
        plot.blueprint.services[0].targets[0].url = format!("https://{}", upstream.address);
        let stage = plot.start().await;
        let answer = Friend::connect(&stage).await.get("/v1/items").await;
        assert_eq!(answer.status, status);
        let asked = upstream.asked();
        assert_eq!(asked.len(), usize::from(status == 200), "nothing is said to a stranger");
        if let Some(asked) = asked.first() {
            assert_eq!(asked.head.uri().scheme_str(), Some("https"));
        }
    }
}

#[tokio::test]
async fn only_so_many_calls_wait_for_a_silent_upstream_and_one_that_fails_again_and_again_is_passed_over() {
    let upstream = H2Upstream::start(|asked| match asked.head.uri().path() {
        "/items" => Reply::Silence,
        _ => Reply::Refused(Reason::INTERNAL_ERROR),
    })
    .await;
    let well = H2Upstream::start(echo).await;
    let mut plot = plot().await.tune(|settings| {
        settings.h2c = true;
        settings.upstream_waiting_max = 2;
    });
    let service = &mut plot.blueprint.services[0];
    service.protocol = ServiceProtocol::H2c;
    service.read_timeout_ms = 60_000;
    service.targets[0].url = format!("http://{}", upstream.address);
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    let stage = plot.start_from(source).await;
    let mut friend = Friend::connect(&stage).await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let request = friend.request("GET", "/v1/items").body(()).unwrap();
        waiting.push(friend.begin(request, true).await.0);
    }
    until("both wait", async || upstream.asked().len() == 2).await;
    let refused = friend.get("/v1/items").await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (503, Some("upstream_overloaded")));
    drop(waiting);
    until("they are gone", async || friend.get("/v1/items/7").await.status == 502).await;

    // Five failures in a row, and the other target gets every call.
    stage.source.change_blueprint(|blueprint| {
        let mut other = blueprint.services[0].targets[0].clone();
        other.url = format!("http://{}", well.address);
        blueprint.services[0].targets.push(other);
    });
    until("the other answers", async || friend.get("/v1/items/7").await.status == 200).await;
    for _ in 0..10 {
        friend.get("/v1/items/7").await;
    }
    let before = upstream.asked().len();
    for _ in 0..10 {
        assert_eq!(friend.get("/v1/items/7").await.status, 200);
    }
    assert_eq!(upstream.asked().len(), before);
}

#[tokio::test]
async fn a_revoked_key_ends_an_open_stream_of_messages() {
    let upstream = H2Upstream::start(|_| {
        Reply::Open(ok(&[("content-type", "application/grpc")]), Bytes::from(message("one")))
    })
    .await;
    let mut plot = plot().await;
    let service = &mut plot.blueprint.services[0];
    service.protocol = ServiceProtocol::H2c;
    service.read_timeout_ms = 60_000;
    service.targets[0].url = format!("http://{}", upstream.address);
    plot.blueprint.apis[0].routes.push(route(33, "POST", "/atlas.Countries/Watch"));
    let stage = plot.start().await;
    let mut friend = Friend::connect(&stage).await;
    let request = friend
        .request("POST", "/v1/atlas.Countries/Watch")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let (answer, mut up) = friend.begin(request.body(()).unwrap(), false).await;
    up.send_data(Bytes::from(message("which")), true).unwrap();
    let mut stream = answer.await.unwrap().into_body();
    assert_eq!(stream.data().await.unwrap().unwrap(), message("one"));
    stage.source.remove_consumer(id(70));
    let end = tokio::time::timeout(Duration::from_secs(5), stream.data()).await.expect("within five seconds");
    assert!(end.unwrap().is_err(), "it must not look complete");
}

#[tokio::test]
async fn a_body_that_drips_is_cut_on_its_way_to_http_2_too() {
    let upstream = H2Upstream::start(echo).await;
    let mut plot = plot().await.tune(|settings| {
        settings.h2c = true;
        settings.body_patience = Duration::from_millis(300);
    });
    plot.blueprint.services[0].protocol = ServiceProtocol::H2c;
    plot.blueprint.services[0].targets[0].url = format!("http://{}", upstream.address);
    let stage = plot.start().await;
    let mut friend = Friend::connect(&stage).await;
    let request = friend.request("POST", "/v1/items").body(()).unwrap();
    let (answer, mut up) = friend.begin(request, false).await;
    up.send_data(Bytes::from_static(b"d"), false).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(30), answer).await.expect("in time").unwrap();
    assert_eq!(answer.status(), 408);
}
