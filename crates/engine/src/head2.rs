//! Checks a request head that came in HTTP/2 frames by the same rules as one of HTTP/1.
//!
//! The frames' own rules (RFC 9113 §8.2, §8.3) are kept by whoever reads them: lower-case names, no connection fields,
//! each pseudo field once and first. What is checked here is what an upstream and we could read differently.

use crate::admission::{BadRequest, TARGET_BYTES_MAX, check_host, check_method};
use crate::denial::Denial;
use crate::head::{BadHead, FIELDS_MAX, HEAD_BYTES_MAX, LINE_BYTES_MAX};

/// What a request says in its pseudo fields.
#[derive(Debug, Clone, Copy)]
pub struct Pseudo<'h> {
    /// `:method`
    pub method: &'h str,
    /// `:scheme`, where it is known.
    pub scheme: Option<&'h str>,
    /// `:authority`
    pub authority: Option<&'h [u8]>,
    /// `:path`
    pub target: &'h [u8],
}

/// Checks a whole head.
///
/// # Errors
/// The first rule that is broken.
pub fn check<'h>(
    pseudo: Pseudo<'h>,
    fields: impl Iterator<Item = (&'h [u8], &'h [u8])>,
) -> Result<(), BadHead> {
    check_method(pseudo.method).map_err(|bad| BadHead::Denied(bad.into()))?;
    if pseudo.scheme.is_some_and(|scheme| !matches!(scheme, "http" | "https")) {
        return Err(BadHead::Malformed("scheme"));
    }
    if pseudo.target.len() > TARGET_BYTES_MAX {
        return Err(BadHead::Denied(Denial::BadRequest(BadRequest::TargetTooLong)));
    }
    let mut host = pseudo.authority;
    let mut host_field = false;
    let mut length = false;
    let (mut count, mut bytes) = (0, pseudo.target.len());
    for (name, value) in fields {
        (count, bytes) = (count + 1, bytes + name.len() + value.len());
        if count > FIELDS_MAX || bytes > HEAD_BYTES_MAX || name.len() + value.len() > LINE_BYTES_MAX {
            return Err(BadHead::TooLarge);
        }
        if name.contains(&b'_') {
            // Some servers read `_` as `-` (RFC 3875 §4.1.18): such a field has two names.
            return Err(BadHead::Malformed("underscore_in_name"));
        }
        if let Some(byte) = value.iter().find(|byte| !matches!(byte, b'\t' | b' '..=b'~')) {
            let bad = if *byte >= 128 { "non_ascii_value" } else { "control_byte" };
            return Err(BadHead::Malformed(bad));
        }
        match name {
            b"host" => {
                if std::mem::replace(&mut host_field, true) {
                    return Err(BadHead::Ambiguous("repeated_host"));
                }
                if host.is_some_and(|authority| authority != value) {
                    return Err(BadHead::Ambiguous("host_and_authority"));
                }
                host = Some(value);
            }
            b"expect" if !value.eq_ignore_ascii_case(b"100-continue") => {
                return Err(BadHead::Denied(Denial::ExpectationFailed));
            }
            b"content-length" if std::mem::replace(&mut length, true) => {
                return Err(BadHead::Ambiguous("content_length"));
            }
            _ => {}
        }
    }
    check_host(host).map_err(|bad| BadHead::Denied(Denial::BadRequest(bad)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(pseudo: Pseudo<'_>, fields: &[(&str, &str)]) -> Result<(), BadHead> {
        check(pseudo, fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
    }

    const GOOD: Pseudo<'static> = Pseudo {
        method: "GET",
        scheme: Some("https"),
        authority: Some(b"api.example"),
        target: b"/v1/items",
    };

    #[test]
    fn a_good_head_passes_with_host_authority_or_both() {
        assert_eq!(checked(GOOD, &[("accept", "*/*"), ("host", "api.example")]), Ok(()));
        assert_eq!(checked(Pseudo { authority: None, ..GOOD }, &[("host", "api.example")]), Ok(()));
        assert_eq!(checked(Pseudo { scheme: None, ..GOOD }, &[("expect", "100-Continue")]), Ok(()));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let host = |host: &'static [u8]| Pseudo { authority: Some(host), ..GOOD };
        for (pseudo, fields, expected) in [
            (GOOD, vec![("host", "other.example")], BadHead::Ambiguous("host_and_authority")),
            (
                GOOD,
                vec![("host", "api.example"), ("host", "api.example")],
                BadHead::Ambiguous("repeated_host"),
            ),
            (
                GOOD,
                vec![("content-length", "1"), ("content-length", "1")],
                BadHead::Ambiguous("content_length"),
            ),
            (GOOD, vec![("x_plan", "gold")], BadHead::Malformed("underscore_in_name")),
            (GOOD, vec![("x", "caf\u{e9}")], BadHead::Malformed("non_ascii_value")),
            (GOOD, vec![("x", "a\u{1}b")], BadHead::Malformed("control_byte")),
            (GOOD, vec![("expect", "200-maybe")], BadHead::Denied(Denial::ExpectationFailed)),
            (Pseudo { scheme: Some("gopher"), ..GOOD }, vec![], BadHead::Malformed("scheme")),
            (
                Pseudo { authority: None, ..GOOD },
                vec![],
                BadHead::Denied(Denial::BadRequest(BadRequest::MissingHost)),
            ),
            (host(b"user@api.example"), vec![], BadHead::Denied(Denial::BadRequest(BadRequest::BadHost))),
        ] {
            assert_eq!(checked(pseudo, &fields), Err(expected), "{fields:?}");
        }
        let never = checked(Pseudo { method: "CONNECT", ..GOOD }, &[]).expect_err("never allowed");
        assert!(matches!(never, BadHead::Denied(denial) if denial.status() == 405));
    }

    #[test]
    fn what_is_too_large_is_told_so() {
        let long = "a".repeat(LINE_BYTES_MAX);
        assert_eq!(checked(GOOD, &[("x", &long)]), Err(BadHead::TooLarge));
        assert_eq!(checked(GOOD, &vec![("x", "y"); FIELDS_MAX]), Ok(()));
        assert_eq!(checked(GOOD, &vec![("x", "y"); FIELDS_MAX + 1]), Err(BadHead::TooLarge));
        let target = vec![b'a'; TARGET_BYTES_MAX + 1];
        let refused = checked(Pseudo { target: &target, ..GOOD }, &[]);
        assert_eq!(refused, Err(BadHead::Denied(Denial::BadRequest(BadRequest::TargetTooLong))));
    }
}
