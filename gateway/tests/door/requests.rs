//! Cases 58–68: what a request asks for, claims to be, and brings along.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;

use crate::case::{Case, Door, case, get, post, refused};
use crate::http::read_message;
use crate::raw::Reply;
use crate::stage::until;

#[tokio::test]
async fn an_expectation_is_met_after_admission_or_refused() {
    let keyless = |fields: &str| post(fields, "").replace("{key}", "");
    Door::open()
        .await
        .hold(&[
            refused(58, post("Expect: 200-maybe\r\nContent-Length: 5\r\n", "hello"), &[417]),
            refused(59, keyless("Expect: 100-continue\r\nContent-Length: 5\r\n"), &[401]),
            refused(59, keyless("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"), &[401]),
        ])
        .await;
}

#[tokio::test]
async fn an_upgrade_is_no_way_around_the_door() {
    let upgrade = "Connection: Upgrade\r\nUpgrade: foo\r\n";
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let keyless = get("").replace("{key}", "");
    let door = Door::open().await;
    door.hold(
        &[
            case(60, get(upgrade) + &get("") + "GET ", &[200, 200], 2),
            case(60, get(upgrade) + &keyless, &[200, 401], 1),
            refused(61, post(&format!("{upgrade}Content-Length: 5\r\n"), "hello"), &[400]),
            refused(61, post(&format!("{upgrade}Transfer-Encoding: chunked\r\n"), "0\r\n\r\n"), &[400]),
            case(62, get(h2c), &[200], 1),
            refused(101, get(&format!("{websocket}{version}")), &[400]),
            refused(101, get(&format!("{websocket}{version}Sec-WebSocket-Key: short==\r\n")), &[400]),
            refused(101, get(&format!("{websocket}{version}{key}{key}")), &[400]),
            refused(101, get(&format!("{websocket}{key}")), &[426]),
            refused(101, get(&format!("{websocket}{key}Sec-WebSocket-Version: 8\r\n")), &[426]),
            // Not an upgrade to a WebSocket: nothing but a field.
            case(101, get(&format!("Upgrade: websocket\r\n{version}{key}")), &[200], 1),
        ]
        .map(closing_last),
    )
    .await;
    for seen in door.upstream.seen() {
        assert_eq!(seen.fields("http2-settings"), Vec::<String>::new());
    }
}

/// A 401 without a body keeps its connection; these rows ask for its end.
fn closing_last(mut case: Case<'_>) -> Case<'_> {
    if matches!(case.answers.last(), Some(401 | 426)) || (case.number == 101 && case.seen == 0) {
        let at = case.sent.len() - 2;
        case.sent.splice(at..at, b"Connection: close\r\n".iter().copied());
    }
    case
}

#[tokio::test]
async fn requests_sent_ahead_are_served_in_their_order() {
    let door = Door::open().await;
    let body = post("Content-Length: 5\r\n", "hello");
    let chunked = post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n");
    let with_body = "GET /v1/items HTTP/1.1\r\nHost: a.example\r\n{key}Content-Length: 5\r\n\r\nhello";
    door.hold(&[
        case(63, with_body, &[200], 1),
        case(64, get("").repeat(5), &[200; 5], 5),
        case(64, format!("{body}{chunked}{}{body}", get("")), &[200; 4], 4),
        case(64, get("") + &get("X Y: a\r\n") + &get(""), &[200, 400], 1),
        case(64, chunked + "GARBAGE\0", &[200, 400], 1),
    ])
    .await;
    assert_eq!(door.upstream.seen()[0].body, b"hello");
}

#[tokio::test]
async fn a_caller_cannot_take_a_field_away_or_say_who_it_is() {
    let door = Door::open().await;
    door.hold(&[
        refused(65, get("Connection: X-Api-Key, X-Forwarded-For\r\n"), &[400]),
        refused(65, get("Connection: close, Authorization\r\n"), &[400]),
        refused(65, get("Connection: Host\r\n"), &[400]),
        case(65, get("Connection: X-Hop\r\nX-Hop: forged\r\n"), &[200], 1),
        case(
            66,
            get("X-Forwarded-For: forged\r\nX-Forwarded-Host: forged\r\nX-Forwarded-Proto: forged\r\n\
                 X-Forwarded-Port: forged\r\nForwarded: for=forged\r\nX-Real-IP: forged\r\nX-Consumer-Id: forged\r\n\
                 X-Plan: forged\r\nX-Request-Id: \"forged\"\r\nProxy-Authorization: forged\r\n"),
            &[200],
            1,
        ),
        case(66, get(&format!("X-Request-Id: {}\r\n", "forged".repeat(22))), &[200], 1),
    ])
    .await;
    for seen in door.upstream.seen() {
        assert!(!seen.head.windows(6).any(|window| window == b"forged"), "{}", seen.head.escape_ascii());
    }
}

#[tokio::test]
async fn what_is_another_protocol_is_refused_at_once() {
    let all_bytes: Vec<u8> = (0..1024u32).map(|n| n as u8).collect();
    let began = Instant::now();
    Door::open()
        .await
        .hold(&[
            refused(67, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &[400]),
            refused(67, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[501]),
            refused(67, b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\n\r\n", &[501]),
            refused(67, b"\r\n\r\n\0\r\nQUIT\n!\x21\x11\x0a", &[400]),
            refused(67, all_bytes, &[400]),
        ])
        .await;
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_caller_that_closes_its_sending_side_gets_its_answer_once() {
    let door = Door::tuned(|settings| settings.half_close_timeout = Duration::from_secs(5)).await;
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n".to_vec();
    door.upstream.reply(Reply::Drip(head, b"ok".to_vec(), 100));
    let mut stream = door.connect().await;
    stream.write_all(&door.bytes(get("").as_bytes())).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_message(&mut stream, false).await.expect("an answer");
    assert_eq!((answer.status(), answer.body.as_slice()), (200, b"ok".as_slice()));
    assert!(read_message(&mut stream, false).await.is_none(), "then the end");
    until("it is counted", async || door.stage.source.calls() == 1).await;

    // Case 68, altogether gone: it is counted too, and once.
    let mut stream = door.connect().await;
    stream.write_all(&door.bytes(get("").as_bytes())).await.unwrap();
    drop(stream);
    until("it is counted", async || door.stage.source.calls() == 2).await;
    assert_eq!(door.upstream.complete(), 2);
}
