//! Cases 69–84: what an upstream may answer, and what a caller gets to see of it.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::case::{Door, get, post};
use crate::http::{Message, read_message};
use crate::raw::Reply;

const OK: &str = "HTTP/1.1 200 OK\r\n";

#[tokio::test]
async fn an_answer_that_is_cut_short_never_looks_complete() {
    let door = Door::open().await;
    for (number, cut) in [
        (69, format!("{OK}Content-Length: 10\r\n\r\nhello")),
        (70, format!("{OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")),
        (70, format!("{OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")),
        (70, format!("{OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0x5\r\nhello\r\n0\r\n\r\n")),
    ] {
        let answer = door.answered_with(Reply::SayAndClose(cut.into())).await;
        assert!(answer.is_none(), "case {number}: {answer:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_in_order_is_502_without_a_byte_of_it() {
    let door = Door::open().await;
    let many: String = (0..300).map(|n| format!("X-{n}: secret\r\n")).collect();
    let large = format!("X: {}\r\n", "secret".repeat(400_000));
    let chunked = "Transfer-Encoding: chunked\r\n";
    let empty = "Content-Length: 0\r\n";
    let length = "Content-Length: 5\r\n";
    let mut rows: Vec<(u16, Vec<u8>)> = Vec::new();
    for (number, fields) in [
        (72, format!("{length}{chunked}")),
        (72, format!("{chunked}{length}")),
        (72, "Transfer-Encoding: gzip, chunked\r\n".to_owned()),
        (72, chunked.repeat(2)),
        (73, "Content-Length: 6\r\nContent-Length: 7\r\n".to_owned()),
        (73, "Content-Length: 6\r\nContent-Length: 6\r\n".to_owned()),
        (73, "Content-Length: 6, 6\r\n".to_owned()),
        (75, format!("X: sec\rret\r\n{empty}")),
        (75, format!("X: sec\0ret\r\n{empty}")),
        (75, format!("X : secret\r\n{chunked}")),
        (75, format!("X: secret\nY: secret\r\n{chunked}")),
        (75, format!("X: secret\r\n secret\r\n{chunked}")),
        (76, format!("{many}{empty}")),
        (76, format!("{large}{empty}")),
    ] {
        rows.push((number, format!("{OK}{fields}\r\n6\r\nsecret\r\n0\r\n\r\n").into()));
    }
    for (number, answer) in [
        (71, "secret garbage\r\n\r\n".to_owned()),
        (71, String::new()),
        (77, "HTTP/1.1 100 Continue\r\n\r\n".repeat(5_000)),
        (78, "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nsecret".to_owned()),
        (80, format!("HTTP/1.1 999 No\r\n{empty}\r\n")),
        (80, format!("HTTP/1.1 099 No\r\n{empty}\r\n")),
        (80, format!("HTTP/1.1 600 No\r\n{empty}\r\n")),
    ] {
        rows.push((number, answer.into()));
    }
    for (number, bytes) in rows {
        let shown = format!("case {number}: {}", bytes[..bytes.len().min(200)].escape_ascii());
        door.upstream.reply(Reply::SayAndClose(bytes));
        let answer = last_answer(&door).await.unwrap_or_else(|| panic!("{shown}"));
        assert_eq!(answer.status(), 502, "{shown}");
        assert!(!answer.dump().contains("secret"), "{shown}: {answer:?}");
    }
}

/// The answer to a call, without the interim ones before it.
async fn last_answer(door: &Door) -> Option<Message> {
    let mut stream = door.connect().await;
    stream.write_all(&door.bytes(get("Connection: close\r\n").as_bytes())).await.unwrap();
    let mut all = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut all));
    reading.await.expect("an end in time").ok()?;
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut rest = all.as_slice();
    while let Some(next) = rest.strip_prefix(interim) {
        rest = next;
    }
    assert!((all.len() - rest.len()) / interim.len() <= 10, "case 77: no more than ten are relayed");
    read_message(&mut rest, false).await
}

#[tokio::test]
async fn a_few_interim_answers_are_not_many() {
    let door = Door::open().await;
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(10);
    let bytes = format!("{interim}{OK}Content-Length: 2\r\n\r\nok");
    door.upstream.reply(Reply::Say(bytes.into()));
    let answer = last_answer(&door).await.expect("an answer");
    assert_eq!((answer.status(), answer.body.as_slice()), (200, b"ok".as_slice()), "case 77");
}

#[tokio::test]
async fn bytes_behind_an_answer_are_nobodys_answer() {
    let door = Door::open().await;
    let smuggled = format!("{OK}Content-Length: 2\r\n\r\nok{OK}Content-Length: 6\r\n\r\nsecret");
    for _ in 0..3 {
        let answer = door.answered_with(Reply::Say(smuggled.clone().into())).await.unwrap();
        assert_eq!((answer.status(), answer.body.as_slice()), (200, b"ok".as_slice()), "case 74");
    }
    let answer = door.answered_with(Reply::Stamp).await.unwrap();
    assert!(answer.body.starts_with(b"stamp"), "case 74: {answer:?}");
}

#[tokio::test]
async fn an_answer_that_has_no_body_gets_none() {
    let door = Door::open().await;
    for (method, status) in [("GET", "204 No Content"), ("GET", "304 Not Modified"), ("HEAD", "200 OK")] {
        let bytes = format!("HTTP/1.1 {status}\r\nContent-Length: 6\r\n\r\nsecret");
        door.upstream.reply(Reply::Say(bytes.into()));
        let request = get("Connection: close\r\n").replacen("GET", method, 1);
        let mut stream = door.connect().await;
        stream.write_all(&door.bytes(request.as_bytes())).await.unwrap();
        let mut all = Vec::new();
        tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut all)).await.unwrap().unwrap();
        let text = String::from_utf8(all).unwrap();
        assert!(text.ends_with("\r\n\r\n") && !text.contains("secret"), "case 79: {text}");
        assert_eq!(
            text.to_ascii_lowercase().contains("content-length"),
            status != "204 No Content",
            "case 79: {text}"
        );
    }
    assert!(door.answered_with(Reply::Stamp).await.unwrap().body.starts_with(b"stamp"));
}

#[tokio::test]
async fn what_belongs_to_the_upstreams_hop_or_names_its_software_stays_there() {
    let door = Door::open().await;
    let fields = "Connection: X-Int\r\nX-Int: secret\r\nKeep-Alive: timeout=5\r\nServer: secret/1\r\nVia: 1.1 secret\r\n\
                  X-Powered-By: secret\r\nProxy-Authenticate: secret\r\nUpgrade: secret\r\nX-Kept: 1\r\n";
    let answer = door
        .answered_with(Reply::Say(format!("{OK}{fields}Content-Length: 2\r\n\r\nok").into()))
        .await
        .unwrap();
    assert_eq!((answer.status(), answer.field("x-kept")), (200, Some("1")), "case 81");
    assert!(!answer.dump().contains("secret"), "case 81: {answer:?}");
    assert_eq!(answer.field("keep-alive"), None);
}

#[tokio::test]
async fn a_cookie_for_the_portal_is_dropped() {
    let door = Door::open().await;
    let fields = "Set-Cookie: a=secret; Domain=example\r\nSet-Cookie: b=secret; path=/; DOMAIN=.Portal.Example\r\n\
                  Set-Cookie: c=1; Domain=api.other\r\nSet-Cookie: d=2\r\n";
    let answer = door
        .answered_with(Reply::Say(format!("{OK}{fields}Content-Length: 2\r\n\r\nok").into()))
        .await
        .unwrap();
    assert_eq!(answer.all("set-cookie"), ["c=1; Domain=api.other", "d=2"], "case 82");
}

#[tokio::test]
async fn an_early_refusal_stops_the_upload() {
    let door = Door::tuned(|settings| settings.body_patience = Duration::from_millis(300)).await;
    let early = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nearly";
    door.upstream.reply(Reply::Early(early.into()));
    let mut stream = door.connect().await;
    stream.write_all(&door.bytes(post("Content-Length: 1000000\r\n", "some").as_bytes())).await.unwrap();
    let answer = read_message(&mut stream, false).await.expect("case 83: an answer");
    assert_eq!((answer.status(), answer.body.as_slice()), (413, b"early".as_slice()));
    assert!(read_message(&mut stream, false).await.is_none(), "case 83: closed");
}

#[tokio::test]
async fn a_head_that_drips_is_given_up_as_a_whole() {
    let door = Door::open().await;
    let head = format!("{OK}X: {}\r\n\r\n", "a".repeat(1_000));
    let answer = door.answered_with(Reply::Trickle(head.into(), 100)).await.unwrap();
    assert_eq!(answer.status(), 504, "case 84");
}

#[tokio::test]
async fn a_body_of_known_length_has_a_least_rate_and_a_stream_has_none() {
    let door = Door::tuned(|settings| settings.body_rate_min = 1_000).await;
    // Twenty bytes a second, for longer than the read timeout of a second.
    let body = "a".repeat(30);
    let known = format!("{OK}Content-Length: 30\r\n\r\n");
    assert!(
        door.answered_with(Reply::Drip(known.into(), body.clone().into(), 50)).await.is_none(),
        "case 84"
    );
    let answer =
        door.answered_with(Reply::Drip(format!("{OK}\r\n").into(), body.clone().into(), 50)).await.unwrap();
    assert_eq!(answer.body, body.as_bytes());
}

#[tokio::test]
async fn a_silent_upstream_is_given_up() {
    let door = Door::open().await;
    let began = Instant::now();
    let answer = door.answered_with(Reply::Say(Vec::new())).await.unwrap();
    assert_eq!(answer.status(), 504, "case 84");
    assert!(began.elapsed() < Duration::from_secs(30));
}
