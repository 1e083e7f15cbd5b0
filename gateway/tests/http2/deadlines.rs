//! Cases 95, 96, 99 and 100: those who take their time, and those who are asked to go.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::friend::{Friend, plot, read, stage};
use crate::http::{Reaction, ok};
use crate::raw::{
    CONTINUATION, DATA, END_STREAM, GOAWAY, HEADERS, PREFACE, Raw, SETTINGS, Seen, block, frame, get,
};
use crate::stage::until;

const SHORT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn case_96_a_preface_that_does_not_come_or_drips_ends_the_connection() {
    let stage = plot().await;
    let stage = stage
        .tune(|settings| {
            settings.h2c = true;
            settings.head_timeout = SHORT;
        })
        .start()
        .await;
    for sent in [&b""[..], b"PRI * HT", &PREFACE[..20]] {
        let began = Instant::now();
        let mut raw = Raw::silent(stage.gateway).await;
        raw.send(sent).await;
        while raw.frame().await.is_some() {}
        assert!(began.elapsed() < LONG, "{sent:?}");
    }
}

#[tokio::test]
async fn a_head_that_drips_ends_the_connection() {
    let stage = plot().await;
    let stage = stage
        .tune(|settings| {
            settings.h2c = true;
            settings.head_timeout = SHORT;
        })
        .start()
        .await;
    let head = block(&get(&stage.key, &[]));
    let half = &head[..10];
    for bytes in [frame(HEADERS, END_STREAM, 1, half), frame(HEADERS, END_STREAM, 1, &head)[..14].to_vec()] {
        let mut raw = Raw::connect(stage.gateway).await;
        raw.send(&bytes).await;
        let began = Instant::now();
        // More of it keeps coming, and does not help.
        while began.elapsed() < LONG && raw.send(&frame(CONTINUATION, 0, 1, &[0x10])).await {
            tokio::time::sleep(SHORT / 4).await;
        }
        assert!(began.elapsed() < LONG);
    }
    assert!(stage.upstream.seen().is_empty());
}

#[tokio::test]
async fn an_idle_connection_is_told_to_go_and_a_busy_one_is_not() {
    let stage = plot().await;
    let stage = stage
        .tune(|settings| {
            settings.h2c = true;
            settings.idle_timeout = SHORT;
        })
        .start()
        .await;
    let signal = std::sync::Arc::new(tokio::sync::Notify::new());
    let held = std::sync::Arc::clone(&signal);
    stage.upstream.behave(move |_| Reaction::Later(ok("", "late"), std::sync::Arc::clone(&held)));
    let mut busy = Friend::connect(&stage).await;
    let request = busy.request("GET", "/v1/items").body(()).unwrap();
    let (answer, _) = busy.begin(request, true).await;
    let mut idle = Raw::connect(stage.gateway).await;
    let began = Instant::now();
    assert_eq!(idle.farewell().await, Some(0), "no fault of its own");
    assert!(began.elapsed() < LONG);
    signal.notify_one();
    assert_eq!(read(answer.await.unwrap()).await.unwrap().body, b"late");
}

#[tokio::test]
async fn case_95_a_caller_that_never_opens_its_window_is_cut() {
    let stage = plot().await;
    let stage = stage
        .tune(|settings| {
            settings.h2c = true;
            settings.write_timeout = SHORT;
        })
        .start()
        .await;
    let body = "x".repeat(200_000);
    stage.upstream.behave(move |_| Reaction::Say(ok("", &body)));
    let mut raw = Raw::silent(stage.gateway).await;
    raw.send(PREFACE).await;
    // SETTINGS_INITIAL_WINDOW_SIZE = 0
    raw.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).await;
    raw.request(1, END_STREAM, &get(&stage.key, &[])).await;
    assert_eq!(raw.seen(1).await, Seen::Status(200));
    let began = Instant::now();
    assert!(matches!(raw.seen(1).await, Seen::Reset(_)));
    assert!(began.elapsed() < LONG);
}

#[tokio::test]
async fn case_100_at_a_drain_uploads_finish_and_new_streams_are_not_served() {
    let mut stage = stage().await;
    let mut raw = Raw::connect(stage.gateway).await;
    let mut post = get(&stage.key, &[]);
    post[0].1 = "POST";
    raw.request(1, 0, &post).await;
    raw.send(&frame(DATA, 0, 1, b"first ")).await;
    let mut friend = Friend::connect(&stage).await;
    let request = friend.request("POST", "/v1/items").body(()).unwrap();
    let (answer, mut up) = friend.begin(request, false).await;
    up.send_data(Bytes::from_static(b"half "), false).unwrap();
    until("both have begun", async || stage.upstream.connections() == 2).await;
    stage.begin_stop();
    while raw.frame().await.expect("it is told").kind != GOAWAY {}
    raw.send(&frame(DATA, END_STREAM, 1, b"last")).await;
    up.send_data(Bytes::from_static(b"whole"), true).unwrap();
    assert_eq!(raw.seen_after_goaway(1).await, Seen::Status(200));
    assert_eq!(read(answer.await.unwrap()).await.unwrap().status, 200);
    stage.stopped().await;
    let mut bodies: Vec<_> = stage.upstream.seen().into_iter().map(|request| request.body).collect();
    bodies.sort();
    assert_eq!(bodies, [b"first last".to_vec(), b"half whole".to_vec()]);
}
