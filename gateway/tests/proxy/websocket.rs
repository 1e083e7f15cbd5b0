//! WebSockets: policies at the handshake, then bytes as they are, for as long as the caller may call.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tollgate_domain::{Period, Target};

use crate::http::{Client, Message, Reaction, ok, read_message, request};
use crate::stage::{Plot, Stage, rate, until};

const GOING_AWAY: [u8; 4] = [0x88, 2, 0x03, 0xe9];
const POLICY_VIOLATION: [u8; 4] = [0x88, 2, 0x03, 0xf0];

/// An upstream that takes every handshake and sends all that it gets back.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    url
}

async fn serve(mut stream: TcpStream) {
    let request = read_message(&mut stream, true).await.unwrap();
    assert_eq!(request.field("upgrade"), Some("websocket"));
    assert_eq!(request.field("connection"), Some("upgrade"));
    assert_eq!(request.field("sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
    assert_eq!(request.field("x-api-key"), None);
    let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let _ = tokio::io::copy(&mut reading, &mut writing).await;
}

fn handshake(key: &str) -> String {
    let fields = [
        ("X-API-Key", key),
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];
    request("GET /v1/items", &fields, "")
}

async fn stage_of(mut plot: Plot) -> Stage {
    plot.blueprint.services[0].targets = vec![Target { url: echo().await, weight: 1 }];
    plot.start().await
}

async fn open(stage: &Stage) -> TcpStream {
    let mut stream = TcpStream::connect(stage.gateway).await.unwrap();
    stream.write_all(handshake(&stage.key).as_bytes()).await.unwrap();
    let answer = read_message(&mut stream, true).await.expect("an answer");
    assert_eq!((answer.status(), answer.field("upgrade")), (101, Some("websocket")));
    assert_eq!(answer.field("connection"), Some("upgrade"));
    assert!(answer.field("sec-websocket-accept").is_some() && answer.field("ratelimit").is_some());
    stream
}

async fn pass(stream: &mut TcpStream, bytes: &[u8]) {
    let mut back = vec![0; bytes.len()];
    let (mut reading, mut writing) = stream.split();
    let (sent, got) = tokio::join!(writing.write_all(bytes), reading.read_exact(&mut back));
    sent.unwrap();
    got.unwrap();
    assert!(back == bytes, "as they are");
}

async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest));
    reading.await.expect("within five seconds").unwrap();
    rest
}

#[tokio::test]
async fn bytes_pass_both_ways_as_they_are_and_the_tunnel_is_one_call() {
    let stage = stage_of(Plot::new().await).await;
    let mut stream = open(&stage).await;
    let odd: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
    pass(&mut stream, b"\x81\x02hi").await;
    pass(&mut stream, &odd).await;
    drop(stream);
    until("counted", async || {
        let counts = stage.source.counts();
        counts.first().is_some_and(|count| {
            (count.calls, count.charged, count.key.status) == (1, 1, 101)
                && (count.bytes_in, count.bytes_out) == (300_004, 300_004)
        })
    })
    .await;
}

#[tokio::test]
async fn without_a_key_there_is_no_handshake_and_no_tunnel_without_101() {
    let stage = Plot::new().await.start().await;
    let mut client = Client::connect(stage.gateway).await;
    client.send(handshake("nonsense")).await;
    assert_eq!(client.answer().await.status(), 401);
    assert!(stage.upstream.seen().is_empty());

    // Case 102: the upstream answers, but does not switch.
    stage.upstream.behave(|_| Reaction::Say(ok("", "no socket here")));
    let mut client = Client::connect(stage.gateway).await;
    client.send(handshake(&stage.key)).await;
    let answer: Message = client.answer().await;
    assert_eq!((answer.status(), answer.body.as_slice()), (200, b"no socket here".as_slice()));
    assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.status(), 200);

    // It switches to something else.
    stage.upstream.behave(|_| {
        Reaction::SayAndClose("HTTP/1.1 101 Switching\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n".into())
    });
    let mut client = Client::connect(stage.gateway).await;
    client.send(handshake(&stage.key)).await;
    assert_eq!(client.answer().await.status(), 502);
}

#[tokio::test]
async fn a_revoked_key_closes_the_tunnel_with_1008() {
    let plot = Plot::new().await;
    let consumer = plot.consumer.id;
    let stage = stage_of(plot).await;
    let mut stream = open(&stage).await;
    pass(&mut stream, b"\x81\x02hi").await;
    stage.source.remove_consumer(consumer);
    assert_eq!(rest(&mut stream).await, POLICY_VIOLATION, "case 104");
}

#[tokio::test]
async fn in_the_middle_of_a_frame_the_tunnel_is_cut() {
    let plot = Plot::new().await;
    let consumer = plot.consumer.id;
    let stage = stage_of(plot).await;
    let mut stream = open(&stage).await;
    pass(&mut stream, b"\x81\x05hel").await;
    stage.source.remove_consumer(consumer);
    assert_eq!(rest(&mut stream).await, b"");
}

#[tokio::test]
async fn a_silent_tunnel_and_one_of_a_gateway_that_stops_close_with_1001() {
    let brief = |settings: &mut tollgate_gateway::Settings| {
        settings.tunnel_idle_timeout = Duration::from_millis(300);
    };
    let stage = stage_of(Plot::new().await.tune(brief)).await;
    let mut stream = open(&stage).await;
    pass(&mut stream, b"\x81\x02hi").await;
    assert_eq!(rest(&mut stream).await, GOING_AWAY, "case 106");

    let mut stage = stage_of(Plot::new().await).await;
    let mut stream = open(&stage).await;
    stage.begin_stop();
    assert_eq!(rest(&mut stream).await, GOING_AWAY);
    stage.stopped().await;
}

#[tokio::test]
async fn case_103_a_page_of_another_site_gets_no_websocket() {
    let plot = Plot::new().await.tune(|settings| settings.origins = "https://app.example".parse().unwrap());
    let stage = stage_of(plot).await;
    for (origin, status) in [
        (Some("https://app.example"), 101),
        (Some("https://evil.example"), 403),
        (Some("null"), 403),
        (None, 101),
    ] {
        let mut client = stage.client().await;
        let mut text = handshake(&stage.key);
        if let Some(origin) = origin {
            text = text.replace("\r\n\r\n", &format!("\r\nOrigin: {origin}\r\n\r\n"));
        }
        client.send(text).await;
        let answer = client.answer_to_head().await;
        assert_eq!(answer.status(), status, "{origin:?}");
    }
}

#[tokio::test]
async fn every_policy_is_asked_before_a_websocket_is_opened() {
    let plot = Plot::new().await.limits(vec![rate(1, Period::Day)]);
    let stage = stage_of(plot).await;
    let status = async |line: &str, key: &str| {
        let mut client = stage.client().await;
        client.send(handshake(key).replace("GET /v1/items", line)).await;
        client.answer_to_head().await.status()
    };
    assert_eq!(status("GET /v1/items", "wrong").await, 401);
    assert_eq!(status("GET /v1/nothing", &stage.key).await, 404);
    assert_eq!(status("GET /v1/items", &stage.key).await, 101);
    assert_eq!(status("GET /v1/items", &stage.key).await, 429, "it counts as a call, and the limit holds");
}

#[tokio::test]
async fn cases_105_and_107_frames_pass_as_they_are_whatever_they_say() {
    let stage = stage_of(Plot::new().await).await;
    let mut stream = open(&stage).await;
    let mut long = vec![0x82, 127];
    long.extend_from_slice(&(16u64 << 20).to_be_bytes());
    long.resize(long.len() + (16 << 20), 7);
    for frame in [
        b"\x81\x05hello".to_vec(),
        // Reserved bits, and a compressed message of many zeros that nobody here unpacks.
        b"\xf1\x80abcd".to_vec(),
        [&[0xc2, 0x7e, 0x10, 0x00][..], &[0; 4_096]].concat(),
        // A control frame in pieces, and a ping of 126 bytes.
        b"\x09\x81abcdX".to_vec(),
        [&[0x89, 0xfe, 0x00, 0x7e][..], &[1; 130]].concat(),
        long,
    ] {
        pass(&mut stream, &frame).await;
    }
}
