//! Cases 85 to 90, 97 and 98: heads that must not go on.

use crate::friend::{Friend, stage};
use crate::raw::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PROTOCOL_ERROR, Raw, Seen, block, frame, get,
    literal,
};

type Fields<'f> = Vec<(&'f str, &'f str)>;

/// The fields of a good GET with some of them changed, or left out where the value is `-`.
fn but<'f>(key: &'f str, changed: &[(&'f str, &'f str)]) -> Fields<'f> {
    let mut fields = get(key, &[]);
    for (name, value) in changed {
        for field in fields.iter_mut().filter(|field| field.0 == *name) {
            field.1 = *value;
        }
    }
    fields.retain(|(_, value)| *value != "-");
    fields
}

#[tokio::test]
async fn what_breaks_the_rules_of_the_frames_resets_the_stream() {
    let stage = stage().await;
    let key = stage.key.clone();
    let with = |name: &'static str, value: &'static str| get(&key, &[(name, value)]);
    let cases: Vec<(&str, Fields<'_>)> = vec![
        ("85 transfer-encoding", with("transfer-encoding", "chunked")),
        ("85 connection", with("connection", "close")),
        ("85 upgrade", with("upgrade", "foo")),
        ("85 keep-alive", with("keep-alive", "1")),
        ("85 proxy-connection", with("proxy-connection", "x")),
        ("85 te", with("te", "gzip")),
        ("86 upper case", with("X-Upper", "a")),
        ("86 space in name", with("x y", "a")),
        ("86 colon in name", with("x:y", "a")),
        ("86 line feed in value", with("x", "a\r\nx-admin: 1")),
        ("86 NUL in value", with("x", "a\0b")),
        ("87 twice", [vec![(":method", "GET")], get(&key, &[])].concat()),
        ("87 late", [get(&key, &[]), vec![(":path", "/v1/items")]].concat()),
        ("87 unknown", [vec![(":unknown", "x")], get(&key, &[])].concat()),
        ("87 status", [vec![(":status", "200")], get(&key, &[])].concat()),
        ("87 no method", but(&key, &[(":method", "-")])),
        ("87 no path", but(&key, &[(":path", "-")])),
        ("87 no scheme", but(&key, &[(":scheme", "-")])),
        ("87 empty path", but(&key, &[(":path", "")])),
        ("87 relative path", but(&key, &[(":path", "v1/items")])),
        ("87 line feed in path", but(&key, &[(":path", "/v1/items\r\nx: y")])),
        ("87 space in path", but(&key, &[(":path", "/v1/items x")])),
        ("87 line feed in method", but(&key, &[(":method", "GET\r\n")])),
        ("89 a length without a body", with("content-length", "5")),
    ];
    for (case, fields) in cases {
        let mut raw = Raw::connect(stage.gateway).await;
        raw.request(1, END_STREAM, &fields).await;
        let seen = raw.seen(1).await;
        assert!(
            matches!(seen, Seen::Reset(PROTOCOL_ERROR) | Seen::GoAway(PROTOCOL_ERROR)),
            "{case}: {seen:?}"
        );
    }
    assert!(stage.upstream.seen().is_empty());
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused_with_words() {
    let stage = stage().await;
    let key = stage.key.clone();
    let with = |name: &'static str, value: &'static str| get(&key, &[(name, value)]);
    let long = "a".repeat(8_200);
    let cases: Vec<(&str, Fields<'_>, u16)> = vec![
        ("87 odd scheme", but(&key, &[(":scheme", "gopher")]), 400),
        ("88 host differs", with("host", "other.example"), 400),
        ("88 host twice", get(&key, &[("host", "api.example"), ("host", "api.example")]), 400),
        ("88 userinfo", but(&key, &[(":authority", "user@api.example")]), 400),
        ("88 no host", but(&key, &[(":authority", "-")]), 400),
        ("90 fields", get(&key, &vec![("x", "y"); 1_000]), 431),
        ("90 101 fields", get(&key, &vec![("x", "y"); 100]), 431),
        ("90 a long field", get(&key, &[("x", &long)]), 431),
        ("an underscore", with("x_plan", "gold"), 400),
        ("a byte above 127", with("x", "caf\u{e9}"), 400),
        ("a wish", with("expect", "200-maybe"), 417),
        ("dots", but(&key, &[(":path", "/v1/../admin")]), 400),
        ("an encoded dot", but(&key, &[(":path", "/v1/%2e%2e/admin")]), 400),
        ("an unknown method", but(&key, &[(":method", "get")]), 501),
        (
            "98 CONNECT",
            vec![(":method", "CONNECT"), (":authority", "api.example:443"), ("x-api-key", &key)],
            405,
        ),
        ("TRACE", but(&key, &[(":method", "TRACE")]), 405),
        ("two keys", with("authorization", "Bearer other"), 400),
    ];
    for (case, fields, status) in cases {
        let mut raw = Raw::connect(stage.gateway).await;
        raw.request(1, END_STREAM, &fields).await;
        assert_eq!(raw.seen(1).await, Seen::Status(status), "{case}");
    }
    assert!(stage.upstream.seen().is_empty());
    // Nobody else was hurt.
    assert_eq!(Friend::connect(&stage).await.get("/v1/items").await.status, 200);
}

#[tokio::test]
async fn case_89_a_body_of_another_length_resets_the_stream_and_is_never_completed() {
    let stage = stage().await;
    for body in [&b"abcd"[..], b"abcdef"] {
        let mut raw = Raw::connect(stage.gateway).await;
        let mut fields = get(&stage.key, &[("content-length", "5")]);
        fields[0].1 = "POST";
        raw.request(1, 0, &fields).await;
        raw.send(&frame(DATA, END_STREAM, 1, body)).await;
        let seen = raw.seen(1).await;
        assert!(
            matches!(seen, Seen::Reset(PROTOCOL_ERROR) | Seen::GoAway(PROTOCOL_ERROR)),
            "{body:?}: {seen:?}"
        );
    }
    assert!(stage.upstream.seen().is_empty(), "the upstream's reader gives a whole request only");
}

#[tokio::test]
async fn case_98_extended_connect_was_not_offered() {
    let stage = stage().await;
    let fields = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":authority", "api.example"),
        (":path", "/v1/items"),
    ];
    let mut raw = Raw::connect(stage.gateway).await;
    raw.request(1, END_STREAM, &fields).await;
    let seen = raw.seen(1).await;
    assert!(matches!(seen, Seen::Status(405) | Seen::Reset(_) | Seen::GoAway(_)), "{seen:?}");
    assert!(stage.upstream.seen().is_empty());
}

#[tokio::test]
async fn cases_91_and_97_large_blocks_and_games_with_the_table_end_the_connection() {
    let stage = stage().await;
    let mut plain = block(&get(&stage.key, &[]));
    let value = "a".repeat(100);
    for _ in 0..2_000 {
        plain.extend(literal(b"x", value.as_bytes()));
    }
    // One entry of 4,000 bytes, then named 20,000 times in a byte each.
    let mut bomb = block(&get(&stage.key, &[]));
    bomb.extend([0x40, 1, b'x', 127, 0xa1, 0x1e]);
    bomb.extend(vec![b'a'; 4_000]);
    bomb.extend(vec![0xbe; 20_000]);
    let beyond = [block(&get(&stage.key, &[])), vec![0xff, 0xff, 0x7f]].concat();
    let resized = [vec![0x3f, 0xe1, 0xff, 0x7f], block(&get(&stage.key, &[]))].concat();
    for (case, block) in [("91", plain), ("97 bomb", bomb), ("97 index", beyond), ("97 size", resized)] {
        let mut raw = Raw::connect(stage.gateway).await;
        let mut parts = block.chunks(16_000).peekable();
        let mut kind = HEADERS;
        while let Some(part) = parts.next() {
            let last = if parts.peek().is_none() { END_HEADERS } else { 0 };
            let ends = if kind == HEADERS { END_STREAM } else { 0 };
            if !raw.send(&frame(kind, last | ends, 1, part)).await {
                break;
            }
            kind = CONTINUATION;
        }
        let seen = raw.seen(1).await;
        assert!(matches!(seen, Seen::GoAway(1..) | Seen::Status(431) | Seen::Closed), "{case}: {seen:?}");
    }
    assert!(stage.upstream.seen().is_empty());
    assert_eq!(Friend::connect(&stage).await.get("/v1/items").await.status, 200);
}
