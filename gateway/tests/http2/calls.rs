//! A friend's calls: everything that holds for HTTP/1 holds here.

use std::sync::Arc;

use bytes::Bytes;
use rustls::pki_types::pem::PemObject;
use tollgate_domain::{Certificate, Outcome, Period};
use tollgate_gateway::tls::TlsSettings;
use tollgate_testkit::Authority;

use crate::friend::{Friend, connected, plot, read, stage};
use crate::http::{Reaction, ok};
use crate::stage::{Plot, id, peppers, quota, rate, until};

#[tokio::test]
async fn calls_are_served_refused_and_counted_as_over_http_1() {
    let stage = plot().await.limits(vec![rate(1_000, Period::Second), quota(3)]).start().await;
    let mut friend = Friend::connect(&stage).await;
    let answer = friend.get("/v1/items/7?a=b").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"hello"[..]));
    assert!(answer.field("ratelimit").unwrap().contains("month"));
    assert!(answer.field("date").is_some() && answer.field("x-request-id").is_some());
    let seen = stage.upstream.last();
    assert_eq!(seen.start, "GET /base/items/7?a=b HTTP/1.1");
    assert_eq!(seen.field("x-forwarded-host"), Some("api.example"));
    assert_eq!((seen.field("x-api-key"), seen.field("host").is_some()), (None, true));
    assert!(seen.field("x-consumer-id").is_some());

    let absent = friend.get("/v1/nothing").await;
    assert_eq!((absent.status, absent.json()["code"].as_str()), (404, Some("route_not_found")));
    let anonymous = http::Request::get("http://api.example/v1/items");
    let refused = friend.call(anonymous, None).await.unwrap();
    assert_eq!((refused.status, refused.field("www-authenticate").is_some()), (401, true));
    for status in [200, 200, 429] {
        assert_eq!(friend.get("/v1/items").await.status, status);
    }
    assert_eq!(stage.upstream.seen().len(), 3, "what is answered from there was seen there");
    until("three charged calls", async || stage.source.charged() == 3).await;
}

#[tokio::test]
async fn many_calls_share_a_connection_and_none_waits_for_another() {
    let stage = stage().await;
    let signal = Arc::new(tokio::sync::Notify::new());
    let held = Arc::clone(&signal);
    stage.upstream.behave(move |request| match request.start.contains("/items/slow") {
        true => Reaction::Later(ok("", "slow"), Arc::clone(&held)),
        false => Reaction::Say(ok("", "quick")),
    });
    let mut friend = Friend::connect(&stage).await;
    let request = friend.request("GET", "/v1/items/slow").body(()).unwrap();
    let (slow, _) = friend.begin(request, true).await;
    for _ in 0..50 {
        assert_eq!(friend.get("/v1/items").await.body, b"quick");
    }
    signal.notify_one();
    assert_eq!(read(slow.await.unwrap()).await.unwrap().body, b"slow");
}

#[tokio::test]
async fn bodies_flow_both_ways_through_the_windows() {
    let stage = stage().await;
    stage.upstream.behave(|request| {
        let body = String::from_utf8(request.body.clone()).unwrap();
        Reaction::Say(ok("", &body))
    });
    let mut friend = Friend::connect(&stage).await;
    // Larger than every window there is.
    let body: Vec<u8> = (0..3_000_000u32).map(|n| b'a' + u8::try_from(n % 26).unwrap()).collect();
    for known in [true, false] {
        let mut request = friend.request("POST", "/v1/items");
        if known {
            request = request.header("content-length", body.len());
        }
        let (answer, mut up) = friend.begin(request.body(()).unwrap(), false).await;
        let sending = async {
            for chunk in body.chunks(50_000) {
                up.send_data(Bytes::copy_from_slice(chunk), false).unwrap();
            }
            up.send_data(Bytes::new(), true).unwrap();
            read(answer.await.unwrap()).await.unwrap()
        };
        let answer = tokio::time::timeout(std::time::Duration::from_secs(30), sending).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, body.len()));
        assert!(answer.body == body);
        let framing = if known { "content-length" } else { "transfer-encoding" };
        assert!(stage.upstream.last().field(framing).is_some());
    }
}

#[tokio::test]
async fn trailers_reach_a_caller_that_wants_them() {
    let stage = stage().await;
    stage.upstream.behave(|_| {
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n";
        Reaction::Say(answer.to_owned())
    });
    let mut friend = Friend::connect(&stage).await;
    let wanted = friend.request("GET", "/v1/items").header("te", "trailers");
    let answer = friend.call(wanted, None).await.unwrap();
    assert_eq!(answer.body, b"hi");
    assert_eq!(answer.trailers.expect("trailers").get("x-sum").unwrap(), "7");
    assert!(friend.get("/v1/items").await.trailers.is_none());
}

#[tokio::test]
async fn cookies_in_crumbs_reach_the_upstream_as_one_field() {
    let stage = stage().await;
    let mut friend = Friend::connect(&stage).await;
    let request = friend.request("GET", "/v1/items").header("cookie", "a=1").header("cookie", "b=2");
    friend.call(request, None).await.unwrap();
    assert_eq!(stage.upstream.last().field("cookie"), Some("a=1; b=2"));
}

#[tokio::test]
async fn a_caller_that_resets_its_stream_leaves_the_others_alone() {
    let stage = stage().await;
    stage.upstream.behave(|request| match request.start.contains("/items/never") {
        true => Reaction::Silence,
        false => Reaction::Say(ok("", "hello")),
    });
    let mut friend = Friend::connect(&stage).await;
    let request = friend.request("GET", "/v1/items/never").body(()).unwrap();
    let (answer, mut up) = friend.begin(request, true).await;
    until("the upstream has it", async || !stage.upstream.seen().is_empty()).await;
    up.send_reset(h2::Reason::CANCEL);
    drop(answer);
    assert_eq!(friend.get("/v1/items").await.status, 200);
    let canceled = |count: &tollgate_domain::UsageCount| count.key.outcome == Outcome::Canceled;
    until("it is counted as canceled", async || stage.source.counts().iter().any(canceled)).await;
}

#[tokio::test]
async fn an_upstream_that_breaks_off_resets_the_stream_and_no_more() {
    let stage = stage().await;
    stage.upstream.behave(|request| match request.start.contains("/items/half") {
        true => Reaction::SayAndClose("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_owned()),
        false => Reaction::Say(ok("", "hello")),
    });
    let mut friend = Friend::connect(&stage).await;
    let request = friend.request("GET", "/v1/items/half");
    let error = friend.call(request, None).await.expect_err("it must not look complete");
    assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR));
    assert_eq!(friend.get("/v1/items").await.status, 200);
}

#[tokio::test]
async fn over_tls_it_is_agreed_in_the_handshake() {
    let authority = Authority::new();
    let issued = authority.issue(&["api.example"]);
    let mut plot = Plot::new().await.tune(|settings| {
        settings.tls = Some(TlsSettings::new(([127, 0, 0, 1], 0).into()));
    });
    let place = Certificate::key_place(id(1));
    plot.blueprint.certificates = vec![Certificate {
        source: tollgate_domain::CertificateSource::Upload,
        id: id(1),
        slug: "api".to_owned(),
        version: 1,
        chain: issued.chain.clone(),
        key_sealed: peppers().seal(&place, &[1; 24], issued.key.as_bytes()),
        is_default: true,
    }];
    let stage = plot.start().await;
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    for (offered, agreed) in [(&b"h2"[..], true), (b"http/1.1", false)] {
        config.alpn_protocols = vec![offered.to_vec()];
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config.clone()));
        let stream = connected(stage.tls.unwrap()).await;
        let stream = connector.connect("api.example".try_into().unwrap(), stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(offered));
        if agreed {
            let mut friend = Friend::over(stream, &stage).await;
            assert_eq!(friend.get("/v1/items").await.status, 200);
            assert_eq!(stage.upstream.last().field("x-forwarded-proto"), Some("https"));
        }
    }
}
