//! What the list asks of time: heads, bodies and idle connections that take too long.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::case::{Door, get, post};
use crate::http::read_message;
use crate::stage::until;

const SHORT: Duration = Duration::from_millis(300);

/// Sends the bytes one by one until the other side has had enough; the answer, if there is one.
async fn drip(stream: &mut TcpStream, bytes: &[u8]) -> Option<u16> {
    let (mut reading, mut writing) = stream.split();
    let dripping = async {
        for byte in bytes.iter().cycle() {
            if writing.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::future::pending().await
    };
    tokio::select! {
        answer = read_message(&mut reading, false) => answer.map(|answer| answer.status()),
        () = dripping => None,
    }
}

async fn in_time<T>(cut: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = tokio::time::timeout(Duration::from_secs(30), cut).await.expect("cut in time");
    assert!(began.elapsed() >= SHORT / 2, "not before its time");
    done
}

#[tokio::test]
async fn a_head_must_be_complete_in_time_however_it_drips() {
    let door = Door::tuned(|settings| settings.head_timeout = SHORT).await;
    let mut stream = door.connect().await;
    assert_eq!(in_time(drip(&mut stream, b"GET /aaaaaaaaaa")).await, None);
    let mut silent = door.connect().await;
    assert!(in_time(silent.read_u8()).await.is_err());
    assert_eq!(door.upstream.seen().len(), 0);
}

#[tokio::test]
async fn the_second_head_of_a_connection_has_the_same_deadline() {
    let door = Door::tuned(|settings| settings.head_timeout = SHORT).await;
    let mut stream = door.connect().await;
    stream.write_all(&door.bytes(get("").as_bytes())).await.unwrap();
    assert_eq!(read_message(&mut stream, false).await.unwrap().status(), 200);
    assert_eq!(in_time(drip(&mut stream, b"GET /aaaaaaaaaa")).await, None);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let door = Door::tuned(|settings| settings.idle_timeout = SHORT).await;
    let mut stream = door.connect().await;
    stream.write_all(&door.bytes(get("").as_bytes())).await.unwrap();
    assert_eq!(read_message(&mut stream, false).await.unwrap().status(), 200);
    assert!(in_time(stream.read_u8()).await.is_err());
}

#[tokio::test]
async fn a_body_below_the_least_rate_is_408_and_closes() {
    let door = Door::tuned(|settings| settings.body_patience = SHORT).await;
    for fields in ["Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n"] {
        let mut stream = door.connect().await;
        stream.write_all(&door.bytes(post(fields, "186A0\r\n").as_bytes())).await.unwrap();
        assert_eq!(in_time(drip(&mut stream, b"a")).await, Some(408), "{fields}");
        assert!(stream.read_u8().await.is_err(), "closed");
    }
    assert_eq!(door.upstream.complete(), 0);
}

#[tokio::test]
async fn a_body_above_the_least_rate_may_take_its_time() {
    let door = Door::tuned(|settings| {
        settings.body_patience = SHORT;
        settings.body_rate_min = 10;
    })
    .await;
    let mut stream = door.connect().await;
    let body = "a".repeat(60);
    stream.write_all(&door.bytes(post("Content-Length: 60\r\n", "").as_bytes())).await.unwrap();
    // Twice the patience in all, at fifty bytes a second.
    assert_eq!(drip(&mut stream, body.as_bytes()).await, Some(200));
    assert_eq!(door.upstream.complete(), 1);
}

#[tokio::test]
async fn callers_whose_bodies_are_slow_take_no_place_from_those_who_wait_for_the_upstream() {
    let door = Door::tuned(|settings| settings.upstream_waiting_max = 1).await;
    let served = async || {
        let mut stream = door.connect().await;
        stream.write_all(&door.bytes(get("").as_bytes())).await.unwrap();
        read_message(&mut stream, false).await.unwrap().status() == 200
    };
    let mut slow = Vec::new();
    for fields in ["Content-Length: 9\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 9\r\n"] {
        let before = door.upstream.seen().len();
        let mut stream = door.connect().await;
        stream.write_all(&door.bytes(post(fields, "4\r\n").as_bytes())).await.unwrap();
        until("it is on its way", async || door.upstream.seen().len() > before).await;
        until("others are served beside it", &served).await;
        slow.push(stream);
    }
    // Their turn comes; they are three, and none is refused for what it has sent.
    for stream in &mut slow {
        stream.write_all(b"half\r\n").await.unwrap();
    }
    slow[1].write_all(b"0\r\n\r\n").await.unwrap();
    for stream in &mut slow {
        assert_eq!(read_message(stream, false).await.unwrap().status(), 200);
    }
    assert!(served().await, "every place was given back");
}
