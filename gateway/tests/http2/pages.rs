//! Pages in a browser: what they are told (CORS), and gRPC-Web to upstreams that speak gRPC.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tollgate_domain::ServiceProtocol;

use crate::friend::plot;
use crate::http::{Client, Message, request};
use crate::stage::{Stage, route};
use crate::upstream::{Asked, H2Upstream, Reply, map, ok};

const PAGE: &str = "https://app.example";

fn message(text: &str) -> Vec<u8> {
    [&[0][..], &u32::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
}

fn answers(_: &Asked) -> Reply {
    let head = ok(&[
        ("content-type", "application/grpc+proto"),
        ("access-control-allow-origin", "https://elsewhere.example"),
    ]);
    let pieces = ["one", "three"].map(|text| Bytes::from(message(text))).to_vec();
    Reply::Whole(head, pieces, Some(map(&[("grpc-status", "0"), ("x-sum", "2")])))
}

async fn stage(upstream: &H2Upstream) -> Stage {
    let mut plot = plot().await.tune(|settings| {
        settings.h2c = true;
        settings.origins = "https://*.example".parse().unwrap();
    });
    let service = &mut plot.blueprint.services[0];
    service.protocol = ServiceProtocol::H2c;
    service.targets[0].url = format!("http://{}", upstream.address);
    plot.blueprint.apis[0].routes.push(route(33, "POST", "/atlas.Countries/Find"));
    plot.start().await
}

async fn call(stage: &Stage, kind: &str, body: &str, key: &str) -> Message {
    let fields = [("X-API-Key", key), ("Content-Type", kind), ("X-Grpc-Web", "1"), ("Origin", PAGE)];
    let mut client = Client::connect(stage.gateway).await;
    client.send(request("POST /v1/atlas.Countries/Find", &fields, body)).await;
    client.answer().await
}

fn trailers() -> Vec<u8> {
    let block = b"grpc-status: 0\r\nx-sum: 2\r\n";
    [&[0x80][..], &u32::try_from(block.len()).unwrap().to_be_bytes(), block].concat()
}

/// Pieces are encoded one by one, so that padding may stand anywhere.
fn decoded(text: &[u8]) -> Vec<u8> {
    text.chunks(4).flat_map(|group| STANDARD.decode(group).unwrap()).collect()
}

#[tokio::test]
async fn a_page_speaks_grpc_by_http_1_and_reads_its_trailers_as_a_frame() {
    let upstream = H2Upstream::start(answers).await;
    let stage = stage(&upstream).await;
    let sent = String::from_utf8(message("which")).unwrap();
    let whole = [message("one"), message("three"), trailers()].concat();

    let answer = call(&stage, "application/grpc-web+proto", &sent, &stage.key).await;
    assert_eq!((answer.status(), answer.field("content-type")), (200, Some("application/grpc-web+proto")));
    assert_eq!(answer.body, whole);
    assert_eq!(answer.all("access-control-allow-origin"), [PAGE], "the gateway's word and no other");
    assert!(answer.field("access-control-expose-headers").unwrap().contains("grpc-status"));
    let asked = upstream.asked().remove(0);
    assert_eq!(asked.body, message("which"));
    assert_eq!(asked.head.headers()["content-type"], "application/grpc+proto");
    assert_eq!(
        (&asked.head.headers()["te"], asked.head.headers().get("x-grpc-web")),
        (&"trailers".parse().unwrap(), None)
    );

    // As text, in two pieces that are padded each.
    let text =
        format!("{}{}", STANDARD.encode(&message("which")[..4]), STANDARD.encode(&message("which")[4..]));
    let answer = call(&stage, "application/grpc-web-text", &text, &stage.key).await;
    assert_eq!((answer.status(), answer.field("content-type")), (200, Some("application/grpc-web-text")));
    assert_eq!(decoded(&answer.body), whole);
    assert_eq!(upstream.asked()[1].body, message("which"));
}

#[tokio::test]
async fn a_page_of_another_site_is_told_nothing_whatever_the_upstream_says() {
    let upstream = H2Upstream::start(answers).await;
    let stage = stage(&upstream).await;
    for (origin, told) in [(Some("https://evil.test"), 0), (Some(PAGE), 1), (None, 1)] {
        let fields = [("X-API-Key", stage.key.as_str()), ("Origin", origin.unwrap_or_default())];
        let mut client = Client::connect(stage.gateway).await;
        let fields = if origin.is_some() { &fields[..] } else { &fields[..1] };
        client.send(request("POST /v1/items", fields, "x")).await;
        let answer = client.answer().await;
        assert_eq!(
            (answer.status(), answer.all("access-control-allow-origin").len()),
            (200, told),
            "{origin:?}"
        );
        assert_eq!(answer.field("vary"), origin.map(|_| "origin"));
    }
}

#[tokio::test]
async fn refusals_of_a_pages_calls_are_in_its_own_words_and_broken_text_is_refused() {
    let upstream = H2Upstream::start(answers).await;
    let stage = stage(&upstream).await;
    let sent = String::from_utf8(message("which")).unwrap();
    let answer = call(&stage, "application/grpc-web+proto", &sent, "wrong").await;
    assert_eq!((answer.status(), answer.field("grpc-status")), (200, Some("16")));
    assert_eq!(answer.field("content-type"), Some("application/grpc-web+proto"));
    assert_eq!(answer.field("access-control-allow-origin"), Some(PAGE), "or the page could not read it");
    for broken in ["AAAA!AAA", "AAAAA"] {
        let answer = call(&stage, "application/grpc-web-text", broken, &stage.key).await;
        assert_eq!((answer.status(), answer.field("grpc-status")), (200, Some("3")), "{broken}");
    }
    assert!(upstream.asked().iter().all(|asked| asked.body.is_empty()), "nothing of it is handed on");
}

#[tokio::test]
async fn case_129_a_page_is_told_whether_it_may_call_without_a_key_and_never_with_cookies() {
    let upstream = H2Upstream::start(answers).await;
    let stage = stage(&upstream).await;
    let ask = async |origin: &str, has_body: bool| {
        let fields = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "content-type,x-api-key"),
        ];
        let mut client = Client::connect(stage.gateway).await;
        client.send(request("OPTIONS /v1/atlas.Countries/Find", &fields, "")).await;
        if has_body { client.answer().await } else { client.head().await }
    };
    let answer = ask(PAGE, false).await;
    assert_eq!((answer.status(), answer.field("access-control-allow-origin")), (204, Some(PAGE)));
    assert_eq!(answer.field("access-control-allow-headers"), Some("content-type,x-api-key"));
    assert_eq!(
        (answer.field("access-control-allow-credentials"), answer.field("content-length")),
        (None, None)
    );
    let refused = ask("https://evil.test", true).await;
    assert_eq!((refused.status(), refused.json()["code"].as_str()), (403, Some("origin_not_allowed")));
    assert!(upstream.asked().is_empty());
}
