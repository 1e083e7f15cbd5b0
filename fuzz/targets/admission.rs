//! A head in frames that is taken means the same as the head of HTTP/1 that says so: both doors read one way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_engine::admission::check_target;
use tollgate_engine::head::HeadReader;
use tollgate_engine::head2::{self, Pseudo};

fuzz_target!(|input: (&str, Option<&[u8]>, &[u8], Vec<(&[u8], &[u8])>)| {
    let (method, authority, target, fields) = input;
    // What the frames' own rules keep out.
    let is_name = |name: &[u8]| {
        !name.is_empty()
            && name
                .iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^`|~_".contains(b))
            && !matches!(
                name,
                b"connection"
                    | b"content-length"
                    | b"transfer-encoding"
                    | b"upgrade"
                    | b"keep-alive"
                    | b"proxy-connection"
                    | b"te"
            )
    };
    let is_value =
        |value: &[u8]| value.trim_ascii() == value && !value.contains(&b'\r') && !value.contains(&b'\n');
    if !fields.iter().all(|(name, value)| is_name(name) && is_value(value)) {
        return;
    }
    let pseudo = Pseudo { method, scheme: Some("https"), authority, target };
    if head2::check(pseudo, fields.iter().copied()).is_err() || check_target(target).is_err() {
        return;
    }
    let mut written = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\n"].concat();
    if let Some(authority) = authority {
        written.extend_from_slice(&[&b"host: "[..], authority, b"\r\n"].concat());
    }
    for (name, value) in fields.iter().filter(|(name, _)| authority.is_none() || *name != b"host") {
        written.extend_from_slice(&[*name, b": ", *value, b"\r\n"].concat());
    }
    written.extend_from_slice(b"\r\n");
    let mut reader = HeadReader::default();
    let read = reader.read(&written);
    assert!(
        matches!(read, Ok(Some(head)) if head.bytes == written.len()),
        "{read:?}: {}",
        written.escape_ascii()
    );
    assert_eq!((reader.method(), reader.target(&written)), (method, target));
});
