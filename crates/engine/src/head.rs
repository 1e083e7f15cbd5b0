//! Reads a request head line by line while its bytes come in, and refuses at the first one that breaks a rule.
//!
//! RFC 9112 leaves a gateway no choice where sender and upstream could disagree about where a message ends or what a
//! field is called, so nothing is repaired here: the call is refused and the connection closed (§2.2, §5, §6, §11.2).

use crate::admission::{BadMethod, BadRequest, Method, TARGET_BYTES_MAX, check_host, check_method};
use crate::denial::Denial;

/// The largest request head in bytes.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The most fields in a request.
pub const FIELDS_MAX: usize = 100;
/// The longest field line in bytes.
pub const LINE_BYTES_MAX: usize = 8 * 1024;
/// No method that can be routed comes near it; the rest of a longer one is not even read.
const METHOD_BYTES_MAX: usize = 32;
/// Digits of a length: so few that no reader overflows.
const LENGTH_DIGITS_MAX: usize = 18;
const VERSION_AND_END: [&[u8]; 2] = [b"HTTP/1.1\r\n", b"HTTP/1.0\r\n"];

/// What `Connection` may not declare to be of this hop only: a caller would take it away from our own checks.
const NOT_FOR_ONE_HOP: [&str; 16] = [
    "authorization",
    "x-api-key",
    "cookie",
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "x-request-id",
    "x-consumer-id",
    "x-application-id",
    "x-subscription-id",
    "x-plan",
    "x-real-ip",
    "forwarded",
    "connection",
    "expect",
];

/// What is wrong with a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadHead {
    /// More than [`HEAD_BYTES_MAX`], [`LINE_BYTES_MAX`] or [`FIELDS_MAX`].
    TooLarge,
    /// It is not HTTP/1.1 or HTTP/1.0 as RFC 9112 writes it; why, as a stable word.
    Malformed(&'static str),
    /// Its end, its length or its host can be read in more than one way; which, as a stable word.
    Ambiguous(&'static str),
    /// It is well formed, and asks for what nobody gets here.
    Denied(Denial),
}

/// How the body behind a head ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    Empty,
    /// After so many bytes, at least one.
    Length(u64),
    /// With its last chunk.
    Chunked,
}

/// A complete head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many bytes it has, its empty line included.
    pub bytes: usize,
    /// What comes behind it.
    pub framing: Framing,
}

const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const TARGET: u8 = 4;
const CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0usize;
    while byte < 128 {
        let b = byte as u8;
        if b == b'\t' || b == b' ' {
            table[byte] = VALUE;
        } else if b.is_ascii_graphic() {
            // Readers cut a target off at `#`, in silence.
            table[byte] = if b == b'#' { VALUE } else { VALUE | TARGET };
            if b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                )
            {
                table[byte] |= TOKEN;
            }
        }
        byte += 1;
    }
    table
};

/// How many bytes from the first on are of a class.
pub(crate) fn run_of_tokens(bytes: &[u8]) -> usize {
    run(bytes, TOKEN)
}

/// How many bytes from the first on may stand in a field's value.
pub(crate) fn run_of_value(bytes: &[u8]) -> usize {
    run(bytes, VALUE)
}

fn run(bytes: &[u8], class: u8) -> usize {
    bytes.iter().position(|byte| CLASS[usize::from(*byte)] & class == 0).unwrap_or(bytes.len())
}

/// The state between two pieces of a head.
#[derive(Debug, Default)]
pub struct HeadReader {
    /// Where the first line begins that was not read to its end.
    at: usize,
    /// Whether the request line is behind us, and whether it was of HTTP/1.0.
    request_line: Option<bool>,
    is_head: bool,
    fields: usize,
    host: bool,
    length: Option<u64>,
    coding: Option<Coding>,
    upgrade: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Chunked,
    /// Others, with chunked as the last: framed clearly, and not supported.
    OthersThenChunked,
    Unclear,
}

impl HeadReader {
    /// Whether the request line says HEAD: then a refusal has no body.
    #[must_use]
    pub const fn is_head(&self) -> bool {
        self.is_head
    }

    /// Reads on; `bytes` is everything since the head's first byte. None where more is needed.
    ///
    /// # Errors
    /// The first rule that is broken, even where the line or head is not complete yet.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Option<Head>, BadHead> {
        if self.request_line.is_none() {
            // RFC 9112 §2.2: one empty line in front is a habit of old clients.
            if self.at == 0 && bytes.starts_with(b"\r\n") {
                self.at = 2;
            } else if bytes == b"\r" {
                return Ok(None);
            }
            let Some(length) = self.request_line(&bytes[self.at..])? else { return Ok(None) };
            self.at += length;
        }
        loop {
            let rest = &bytes[self.at..];
            let Some(length) = self.field_line(rest)? else {
                if bytes.len() > HEAD_BYTES_MAX || rest.len() > LINE_BYTES_MAX {
                    return Err(BadHead::TooLarge);
                }
                return Ok(None);
            };
            self.at += length;
            if self.at > HEAD_BYTES_MAX || length > LINE_BYTES_MAX {
                return Err(BadHead::TooLarge);
            }
            if length == 2 {
                return Ok(Some(Head { bytes: self.at, framing: self.framing()? }));
            }
            self.fields += 1;
            if self.fields > FIELDS_MAX {
                return Err(BadHead::TooLarge);
            }
        }
    }

    fn request_line(&mut self, line: &[u8]) -> Result<Option<usize>, BadHead> {
        let method = run(&line[..line.len().min(METHOD_BYTES_MAX + 1)], TOKEN);
        if method > METHOD_BYTES_MAX {
            return Err(BadHead::Denied(Denial::MethodNotImplemented));
        }
        if method == line.len() {
            return Ok(None);
        }
        if method == 0 || line[method] != b' ' {
            return Err(BadHead::Malformed("method"));
        }
        // Tokens are ASCII.
        let name = std::str::from_utf8(&line[..method]).unwrap_or_default();
        check_method(name).map_err(|bad| BadHead::Denied(bad.into()))?;
        self.is_head = name == "HEAD";
        let rest = &line[method + 1..];
        let target = run(rest, TARGET);
        if target > TARGET_BYTES_MAX {
            return Err(BadHead::Denied(Denial::BadRequest(BadRequest::TargetTooLong)));
        }
        if target == rest.len() {
            return Ok(None);
        }
        if target == 0 || rest[target] != b' ' {
            return Err(BadHead::Malformed("request_line"));
        }
        let version = &rest[target + 1..];
        for (old, wanted) in [false, true].into_iter().zip(VERSION_AND_END) {
            if version.starts_with(wanted) {
                self.request_line = Some(old);
                return Ok(Some(method + 1 + target + 1 + wanted.len()));
            }
            if wanted.starts_with(version) {
                return Ok(None);
            }
        }
        Err(BadHead::Malformed("version"))
    }

    /// The length of the next line with its end; 2 is the empty one.
    fn field_line(&mut self, line: &[u8]) -> Result<Option<usize>, BadHead> {
        match line {
            [] | [b'\r'] => return Ok(None),
            [b'\r', b'\n', ..] => return Ok(Some(2)),
            [b'\n', ..] => return Err(BadHead::Ambiguous("bare_line_feed")),
            _ => {}
        }
        let name = run(line, TOKEN);
        if name == line.len() {
            return Ok(None);
        }
        if name == 0 || line[name] != b':' {
            return Err(BadHead::Malformed("field_name"));
        }
        let value = run(&line[name + 1..], VALUE);
        let end = name + 1 + value;
        match &line[end..] {
            [] | [b'\r'] => return Ok(None),
            [b'\r', b'\n', ..] => {}
            [b'\n', ..] => return Err(BadHead::Ambiguous("bare_line_feed")),
            [128..=255, ..] => return Err(BadHead::Malformed("non_ascii_value")),
            _ => return Err(BadHead::Malformed("control_byte")),
        }
        let (name, value) = (&line[..name], line[name + 1..end].trim_ascii());
        if name.contains(&b'_') {
            // Some servers read `_` as `-` (RFC 3875 §4.1.18): such a field has two names.
            return Err(BadHead::Malformed("underscore_in_name"));
        }
        self.note(name, value)?;
        Ok(Some(end + 2))
    }

    fn note(&mut self, name: &[u8], value: &[u8]) -> Result<(), BadHead> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            4 if is("host") => {
                if std::mem::replace(&mut self.host, true) {
                    return Err(BadHead::Ambiguous("repeated_host"));
                }
                check_host(Some(value)).map_err(|bad| BadHead::Denied(Denial::BadRequest(bad)))?;
            }
            6 if is("expect") && !value.eq_ignore_ascii_case(b"100-continue") => {
                return Err(BadHead::Denied(Denial::ExpectationFailed));
            }
            7 if is("upgrade") => self.upgrade = true,
            10 if is("connection") => {
                let mut options = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                if options.any(is_not_for_one_hop) {
                    return Err(BadHead::Ambiguous("connection_option"));
                }
            }
            14 if is("content-length") => {
                if self.length.is_some() {
                    return Err(BadHead::Ambiguous("content_length"));
                }
                self.length = Some(length_of(value).ok_or(BadHead::Ambiguous("content_length"))?);
            }
            17 if is("transfer-encoding") => {
                if self.coding.is_some() {
                    return Err(BadHead::Ambiguous("transfer_encoding"));
                }
                self.coding = Some(coding_of(value));
            }
            _ => {}
        }
        Ok(())
    }

    /// What only the whole head tells.
    fn framing(&self) -> Result<Framing, BadHead> {
        if !self.host {
            return Err(BadHead::Denied(Denial::BadRequest(BadRequest::MissingHost)));
        }
        let framing = match (self.coding, self.length) {
            (Some(_), Some(_)) => return Err(BadHead::Ambiguous("transfer_encoding_and_content_length")),
            (Some(_), None) if self.request_line == Some(true) => {
                return Err(BadHead::Ambiguous("transfer_encoding"));
            }
            (Some(Coding::Chunked), None) => Framing::Chunked,
            (Some(Coding::OthersThenChunked), None) => {
                return Err(BadHead::Denied(Denial::CodingNotImplemented));
            }
            (Some(Coding::Unclear), None) => return Err(BadHead::Ambiguous("transfer_encoding")),
            (None, None | Some(0)) => Framing::Empty,
            (None, Some(length)) => Framing::Length(length),
        };
        if self.upgrade && framing != Framing::Empty {
            return Err(BadHead::Ambiguous("upgrade_with_body"));
        }
        Ok(framing)
    }
}

impl From<BadMethod> for Denial {
    fn from(bad: BadMethod) -> Self {
        match bad {
            BadMethod::Malformed => Self::BadMethod,
            BadMethod::Unknown => Self::MethodNotImplemented,
            BadMethod::Never => Self::MethodNotAllowed { allow: Method::ALL_LISTED.into() },
        }
    }
}

fn is_not_for_one_hop(option: &[u8]) -> bool {
    NOT_FOR_ONE_HOP.iter().any(|name| option.eq_ignore_ascii_case(name.as_bytes()))
        || option.get(..12).is_some_and(|start| start.eq_ignore_ascii_case(b"x-forwarded-"))
}

/// Digits only, and one way to write each number.
fn length_of(value: &[u8]) -> Option<u64> {
    let plain = (1..=LENGTH_DIGITS_MAX).contains(&value.len())
        && value.iter().all(u8::is_ascii_digit)
        && (value.len() == 1 || value[0] != b'0');
    if plain { std::str::from_utf8(value).ok()?.parse().ok() } else { None }
}

fn coding_of(value: &[u8]) -> Coding {
    let chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if chunked(value) {
        return Coding::Chunked;
    }
    let mut codings: Vec<&[u8]> = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect();
    let last = codings.pop();
    let others = |coding: &&[u8]| {
        let known: [&[u8]; 5] = [b"gzip", b"deflate", b"compress", b"x-gzip", b"x-compress"];
        known.iter().any(|known| coding.eq_ignore_ascii_case(known))
    };
    if last.is_some_and(chunked) && codings.iter().all(others) {
        Coding::OthersThenChunked
    } else {
        Coding::Unclear
    }
}

#[cfg(test)]
mod tests;
