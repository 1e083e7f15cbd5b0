//! Cases 92 to 94: those who send much of what costs them nothing. A friend's calls go on beside them.

use crate::friend::{Friend, stage};
use crate::http::Reaction;
use crate::raw::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, PING, PRIORITY, REFUSED_STREAM,
    RST_STREAM, Raw, SETTINGS, Seen, WINDOW_UPDATE, block, frame, get,
};

/// Frames of a flood: after so many the gateway has enough. They are sent in one go: what it allows each second is for those who
/// take their time.
const FRAMES: u32 = 600;

#[tokio::test]
async fn case_94_frames_that_cost_nothing_end_the_connection_after_a_hundred() {
    let stage = stage().await;
    let mut friend = Friend::connect(&stage).await;
    for (name, bytes) in [
        ("ping", frame(PING, 0, 0, &[7; 8])),
        ("settings", frame(SETTINGS, 0, 0, &[])),
        ("priority", frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 7])),
        ("window_update", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
    ] {
        let mut raw = Raw::connect(stage.gateway).await;
        let reason = raw.flood(FRAMES, |_| bytes.clone()).await;
        assert!(matches!(reason, Some(ENHANCE_YOUR_CALM) | None), "{name}: {reason:?}");
        let metric = format!(r#"tollgate_http2_connections_cut_total{{reason="{name}"}}"#);
        assert_eq!(stage.metric(&metric).await, Some(1.0), "{name}");
        assert_eq!(friend.get("/v1/items").await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn case_93_rapid_resets_end_the_connection_within_600_frames() {
    let stage = stage().await;
    let mut friend = Friend::connect(&stage).await;
    let head = block(&get(&stage.key, &[]));
    let mut raw = Raw::connect(stage.gateway).await;
    let pair = |n: u32| {
        let stream = 2 * n + 1;
        [frame(HEADERS, END_HEADERS | END_STREAM, stream, &head), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])]
            .concat()
    };
    raw.flood(FRAMES / 2, pair).await;
    assert!(stage.upstream.seen().len() <= 300, "{}", stage.upstream.seen().len());
    assert_eq!(friend.get("/v1/items").await.status, 200);
}

#[tokio::test]
async fn case_93_streams_that_make_us_reset_them_end_the_connection_too() {
    let stage = stage().await;
    let head = block(&get(&stage.key, &[]));
    let mut raw = Raw::connect(stage.gateway).await;
    // A window update of nothing is a stream's error, for which we send the reset (CVE-2025-8671).
    let pair = |n: u32| {
        let stream = 2 * n + 1;
        [frame(HEADERS, END_HEADERS, stream, &head), frame(WINDOW_UPDATE, 0, stream, &[0; 4])].concat()
    };
    raw.flood(FRAMES / 2, pair).await;
    assert!(stage.upstream.seen().len() <= 300, "{}", stage.upstream.seen().len());
    assert_eq!(Friend::connect(&stage).await.get("/v1/items").await.status, 200);
}

#[tokio::test]
async fn case_93_frames_of_nothing_end_the_connection_within_600() {
    let stage = stage().await;
    let head = block(&get(&stage.key, &[]));
    let mut post = get(&stage.key, &[]);
    post[0].1 = "POST";
    for (case, first, next) in [
        ("continuations", frame(HEADERS, END_STREAM, 1, &head), frame(CONTINUATION, 0, 1, &[])),
        (
            "full continuations",
            frame(HEADERS, END_STREAM, 1, &head),
            frame(CONTINUATION, 0, 1, &[0x10; 16_000]),
        ),
        ("data", frame(HEADERS, END_HEADERS, 1, &block(&post)), frame(DATA, 0, 1, &[])),
    ] {
        let mut raw = Raw::connect(stage.gateway).await;
        raw.send(&first).await;
        let reason = raw.flood(FRAMES, |_| next.clone()).await;
        assert_ne!(reason, Some(0), "{case}");
        assert_eq!(Friend::connect(&stage).await.get("/v1/items").await.status, 200, "{case}");
    }
}

#[tokio::test]
async fn case_92_the_101st_stream_is_refused_and_the_others_go_on() {
    let stage = stage().await;
    stage.upstream.behave(|_| Reaction::Silence);
    let mut raw = Raw::connect(stage.gateway).await;
    // Streams are counted once the caller knows how many there may be.
    while raw.frame().await.is_some_and(|frame| frame.kind != SETTINGS) {}
    raw.send(&frame(SETTINGS, 1, 0, &[])).await;
    for n in 0..101 {
        raw.request(2 * n + 1, END_STREAM, &get(&stage.key, &[])).await;
    }
    assert_eq!(raw.seen(201).await, Seen::Reset(REFUSED_STREAM));
}
