use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read(pointer: &str, pieces: &[&[u8]]) -> Option<u64> {
    let mut scanner = Scanner::new(&[Place::of_pointer(pointer)]).expect("it is JSON");
    pieces.iter().for_each(|piece| scanner.read(piece));
    scanner.end();
    scanner.found()[0]
}

fn stream(pointer: &str, text: &str) -> Option<u64> {
    let mut scanner = Scanner::new(&[Place::of_pointer(pointer)]).expect("it is JSON");
    let mut events = Events::new();
    // One byte at a time is the worst that can come.
    text.as_bytes().chunks(1).for_each(|piece| events.read(piece, &mut scanner));
    scanner.end();
    scanner.found()[0]
}

#[test]
fn a_number_is_found_where_the_pointer_leads() {
    let body = br#"{"id":"x","usage":{"a":[1,{"n":7.9}],"total_tokens": 42 },"total_tokens":1}"#;
    assert_eq!(read("/usage/total_tokens", &[body]), Some(42));
    assert_eq!(read("/total_tokens", &[body]), Some(1));
    assert_eq!(read("/usage/a/0", &[body]), Some(1));
    assert_eq!(read("/usage/a/1/n", &[body]), Some(7), "decimals are cut off");
    assert_eq!(read("/usage", &[body]), None, "a container is no number");
    assert_eq!(read("/id", &[body]), None, "text is no number");
    assert_eq!(read("/usage/a/01", &[body]), None);
    assert_eq!(read("/0/n", &[br#"[{"n":1}]"#]), Some(1));
}

#[test]
fn what_is_no_plain_number_is_none() {
    for text in ["-1", "1e3", "null", "true", "\"5\"", "1000000000001", "99999999999999999999", "[1]", ""] {
        assert_eq!(read("/n", &[format!(r#"{{"n":{text}}}"#).as_bytes()]), None, "{text}");
    }
    assert_eq!(read("/n", &[br#"{"n":1000000000000}"#]), Some(1_000_000_000_000));
}

#[test]
fn a_key_in_a_text_or_written_with_escapes_does_not_mislead() {
    assert_eq!(read("/n", &[br#"{"a":"{\"n\":5}","b":"\\","n":6}"#]), Some(6));
    assert_eq!(read("/a\"b", &[br#"{"a\"b":3}"#]), Some(3));
    assert_eq!(read("/a~1b/~0", &[br#"{"a/b":{"~":3}}"#]), Some(3));
    assert_eq!(read("/n", &[br#"{"\u006e":5}"#]), None, "said in the guide");
}

#[test]
fn depth_and_rubbish_do_no_harm() {
    let deep = "[".repeat(5_000);
    assert_eq!(read("/n", &[deep.as_bytes()]), None);
    let deep = format!(r#"{{"a":{}{},"n":4}}"#, "[".repeat(100), "]".repeat(100));
    assert_eq!(read("/n", &[deep.as_bytes()]), Some(4));
    for rubbish in ["}", "]", "{]", "{\"n\" 5}", "{,}", "{\"n\":}", "\u{0}", "{\"n\":5", "]]]]{\"n\":5}"] {
        let _ = read("/n", &[rubbish.as_bytes()]);
    }
}

#[test]
fn the_last_of_several_values_says_it() {
    assert_eq!(read("/n", &[b"{\"n\":1}\n{\"n\":2}\n{\"m\":3}\n"]), Some(2));
}

#[test]
fn the_last_event_that_has_the_number_says_it() {
    let text = ": hello\n\nevent: x\ndata: {\"usage\":null}\n\ndata:{\"usage\":{\"total\":7}}\r\n\r\ndata: [DONE]\n\n";
    assert_eq!(stream("/usage/total", text), Some(7));
    assert_eq!(
        stream("/usage/total", "data: {\"usage\":\ndata: {\"total\":8}}\n\n"),
        Some(8),
        "data of two lines"
    );
    assert_eq!(stream("/n", "datax: {\"n\":1}\n\ndat: {\"n\":1}\n\n"), None);
    assert_eq!(
        stream("/n", "data: {\"n\":1}\n\ndata: {\"n\":\n\n"),
        Some(1),
        "a broken event takes nothing back"
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0u64..2_000_000_000_000).prop_map(Value::from),
        "[a-c\"\\\\{}\\[\\],:0-9 ]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-c]{1,2}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn it_agrees_with_a_parser_however_the_body_is_cut(
        value in any_json(),
        steps in prop::collection::vec(prop_oneof!["[a-c]{1,2}", "[0-4]"], 1..4),
        cut in 1usize..9,
    ) {
        let pointer: String = steps.iter().map(|step| format!("/{step}")).collect();
        let expected = value.pointer(&pointer).and_then(Value::as_u64).filter(|number| *number <= NUMBER_MAX);
        for body in [value.to_string(), serde_json::to_string_pretty(&value).expect("it can be written")] {
            let pieces: Vec<&[u8]> = body.as_bytes().chunks(cut).collect();
            prop_assert_eq!(read(&pointer, &pieces), expected, "{} {}", pointer, body);
        }
    }

    #[test]
    fn no_bytes_break_it(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..8)) {
        let mut scanner = Scanner::new(&[Place::of_pointer("/a/0")]).expect("it is JSON");
        let mut events = Events::new();
        for piece in &pieces {
            events.read(piece, &mut scanner);
        }
        let mut scanner = Scanner::new(&[Place::of_pointer("/a/0")]).expect("it is JSON");
        pieces.iter().for_each(|piece| scanner.read(piece));
        scanner.end();
    }
}

#[test]
fn two_numbers_are_read_at_once() {
    let places = [Place::of_pointer("/usage/in"), Place::of_pointer("/usage/out")];
    let mut scanner = Scanner::new(&places).expect("it is JSON");
    scanner.read(json!({ "usage": { "in": 3, "out": 4 } }).to_string().as_bytes());
    assert_eq!(scanner.found(), [Some(3), Some(4)]);
    assert!(Scanner::new(&[Place::Header(Box::from(&b"x-rows"[..]))]).is_none());
}
