//! What gRPC asks of a proxy beyond HTTP/2: its deadline, and refusals that its clients understand.

pub(crate) mod messages;

use std::time::Duration;

use tokio::time::Instant;
use tollgate_engine::Denial;

use crate::downstream::Downstream;
use crate::reply::Why;

/// The longest deadline that is kept; longer ones are cut to it.
const TIMEOUT_MAX: Duration = Duration::from_secs(3_600);
/// Digits of `grpc-timeout` (the protocol's own limit).
const DIGITS_MAX: usize = 8;

/// `grpc-timeout` that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadTimeout;

/// Whether a call is one of gRPC.
pub(crate) fn is_call<D: Downstream>(caller: &D) -> bool {
    value(caller, b"content-type").is_some_and(|kind| {
        kind.get(..16).is_some_and(|begin| begin.eq_ignore_ascii_case(b"application/grpc"))
            && matches!(kind.get(16), None | Some(b'+' | b';'))
    })
}

/// When a call has to be over, where the caller says so. One that could not be told of its trailers is as bad as one whose
/// deadline is none.
pub(crate) fn due<D: Downstream>(caller: &D, trailers: bool) -> Result<Option<Instant>, BadTimeout> {
    if !trailers {
        return Err(BadTimeout);
    }
    let timeout = value(caller, b"grpc-timeout").map(parse).transpose()?;
    Ok(timeout.map(|timeout| Instant::now() + timeout))
}

fn value<'d, D: Downstream>(caller: &'d D, wanted: &[u8]) -> Option<&'d [u8]> {
    caller.fields().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

fn parse(text: &[u8]) -> Result<Duration, BadTimeout> {
    let (unit, digits) = text.split_last().ok_or(BadTimeout)?;
    if !(1..=DIGITS_MAX).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(BadTimeout);
    }
    let number = digits.iter().fold(0, |number: u64, digit| number * 10 + u64::from(digit - b'0'));
    let time = match unit {
        b'H' => Duration::from_secs(number * 3_600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return Err(BadTimeout),
    };
    Ok(time.min(TIMEOUT_MAX))
}

/// The status that a gRPC client is told for a refusal.
pub(crate) fn status_of(why: &Why<'_>) -> &'static [u8] {
    match why.denial() {
        // What gRPC itself asks for ("Compression", §"Test cases").
        Some(Denial::GrpcMessage) => b"13",
        _ => status_of_http(why.status()),
    }
}

const fn status_of_http(http: u16) -> &'static [u8] {
    match http {
        // INVALID_ARGUMENT
        400 | 414 | 417 | 431 => b"3",
        // DEADLINE_EXCEEDED
        408 | 504 => b"4",
        // PERMISSION_DENIED
        403 => b"7",
        // RESOURCE_EXHAUSTED
        413 | 429 => b"8",
        // UNIMPLEMENTED
        404 | 405 | 501 => b"12",
        // UNAVAILABLE
        502 | 503 => b"14",
        // UNAUTHENTICATED
        401 => b"16",
        // INTERNAL
        _ => b"13",
    }
}

/// A message as `grpc-message` writes it: what is not plain ASCII in percent escapes.
pub(crate) fn write_message(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'%' | 0..=31 | 127.. => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            plain => out.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_has_digits_and_a_unit_and_an_hour_at_most() {
        for (text, expected) in [
            ("1S", Ok(1_000)),
            ("250m", Ok(250)),
            ("0n", Ok(0)),
            ("2M", Ok(120_000)),
            ("99999999H", Ok(3_600_000)),
            ("999999999S", Err(BadTimeout)),
            ("", Err(BadTimeout)),
            ("S", Err(BadTimeout)),
            ("1", Err(BadTimeout)),
            ("-1S", Err(BadTimeout)),
            ("1s", Err(BadTimeout)),
            ("1.5S", Err(BadTimeout)),
        ] {
            assert_eq!(parse(text.as_bytes()).map(|time| time.as_millis()), expected, "{text}");
        }
    }

    #[test]
    fn a_message_is_plain_ascii() {
        let mut out = Vec::new();
        write_message(&mut out, "100 % caf\u{e9}\n");
        assert_eq!(out, b"100 %25 caf%C3%A9%0A");
    }
}
