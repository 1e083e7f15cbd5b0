//! What Pingora reads more generously than a gateway may: framing and form of a request head.
//!
//! RFC 9112 leaves a proxy no choice where sender and upstream could disagree about where a message ends, so
//! nothing is repaired here: the call is refused and the connection closed (§6.1, §6.3, §11.2).

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};

/// The largest request head in bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The most fields in a request.
pub(crate) const FIELDS_MAX: usize = 100;

/// What is wrong with a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadHead {
    /// More than [`HEAD_BYTES_MAX`] or [`FIELDS_MAX`].
    TooLarge,
    /// It could not be parsed.
    Malformed,
    /// Its end, its length or its host can be read in more than one way.
    Ambiguous(&'static str),
}

/// Checks a head; `raw` are its bytes as they came.
pub(crate) fn check_head(raw: &[u8], fields: &HeaderMap) -> Result<(), BadHead> {
    if raw.len() > HEAD_BYTES_MAX || fields.len() > FIELDS_MAX {
        return Err(BadHead::TooLarge);
    }
    if raw.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r') {
        return Err(BadHead::Ambiguous("bare_line_feed"));
    }
    if fields.get_all(HOST).iter().nth(1).is_some() {
        return Err(BadHead::Ambiguous("repeated_host"));
    }
    let mut encodings = fields.get_all(TRANSFER_ENCODING).iter();
    if let Some(encoding) = encodings.next() {
        if encodings.next().is_some() || !encoding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err(BadHead::Ambiguous("transfer_encoding"));
        }
        // Pingora has already dropped the length from the fields; the raw head still has it.
        if has_field(raw, b"content-length") {
            return Err(BadHead::Ambiguous("transfer_encoding_and_content_length"));
        }
    }
    let mut lengths = fields.get_all(CONTENT_LENGTH).iter();
    if let Some(length) = lengths.next()
        && (lengths.next().is_some() || !is_length(length.as_bytes()))
    {
        return Err(BadHead::Ambiguous("content_length"));
    }
    Ok(())
}

/// Digits only, and few enough that no reader overflows.
fn is_length(value: &[u8]) -> bool {
    (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

fn has_field(raw: &[u8], name: &[u8]) -> bool {
    raw.split(|byte| *byte == b'\n').skip(1).any(|line| {
        line.split(|byte| *byte == b':')
            .next()
            .is_some_and(|start| start.trim_ascii().eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn check(lines: &[&str]) -> Result<(), BadHead> {
        let raw = format!("GET / HTTP/1.1\r\n{}\r\n\r\n", lines.join("\r\n"));
        let mut fields = HeaderMap::new();
        for line in lines.iter().flat_map(|lines| lines.split(['\n', '\r'])).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            let name: HeaderName = name.trim().parse().unwrap();
            fields.append(name, HeaderValue::from_str(value.trim()).unwrap());
        }
        if fields.contains_key(TRANSFER_ENCODING) {
            fields.remove(CONTENT_LENGTH);
        }
        check_head(raw.as_bytes(), &fields)
    }

    #[test]
    fn a_message_with_two_readings_is_refused() {
        assert_eq!(check(&["Host: a", "Content-Length: 5"]), Ok(()));
        assert_eq!(check(&["Host: a", "Transfer-Encoding: Chunked"]), Ok(()));
        for (lines, reason) in [
            (vec!["Host: a", "Host: b"], "repeated_host"),
            (vec!["Host: a\nX: b"], "bare_line_feed"),
            (vec!["Transfer-Encoding: chunked", "Content-Length: 5"], "transfer_encoding_and_content_length"),
            (
                vec!["content-length : 5", "Transfer-Encoding: chunked"],
                "transfer_encoding_and_content_length",
            ),
            (vec!["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "transfer_encoding"),
            (vec!["Transfer-Encoding: gzip, chunked"], "transfer_encoding"),
            (vec!["Content-Length: 5, 5"], "content_length"),
            (vec!["Content-Length: 5", "Content-Length: 5"], "content_length"),
            (vec!["Content-Length: +5"], "content_length"),
            (vec!["Content-Length: 9999999999999999999"], "content_length"),
        ] {
            assert_eq!(check(&lines), Err(BadHead::Ambiguous(reason)), "{lines:?}");
        }
    }

    #[test]
    fn a_head_is_bounded_in_bytes_and_fields() {
        let long = format!("X: {}", "a".repeat(HEAD_BYTES_MAX));
        assert_eq!(check(&[&long]), Err(BadHead::TooLarge));
        let many = vec!["X: a"; FIELDS_MAX + 1];
        assert_eq!(check(&many), Err(BadHead::TooLarge));
    }
}
