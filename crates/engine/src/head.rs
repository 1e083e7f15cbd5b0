//! Reads a request head line by line while its bytes come in, and refuses at the first one that breaks a rule.
//!
//! RFC 9112 leaves a gateway no choice where sender and upstream could disagree about where a message ends or what a
//! field is called, so nothing is repaired here: the call is refused and the connection closed (§2.2, §5, §6, §11.2).

mod line;

use crate::admission::{BadMethod, BadRequest, Method, TARGET_BYTES_MAX, check_host, check_method};
use crate::denial::Denial;
pub(crate) use line::{BadLine, Line, field_line, place, run_of_tokens, run_of_value};
use line::{TARGET, TOKEN, run};

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

/// What `Connection` may name without meaning a field.
pub const CONNECTION_OPTIONS: [&str; 5] = ["close", "keep-alive", "transfer-encoding", "te", "upgrade"];

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

/// Where a field stands among the bytes that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub(crate) name: (u32, u32),
    pub(crate) value: (u32, u32),
}

impl Field {
    /// Its name as it was written.
    #[must_use]
    pub fn name(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.name.0 as usize..self.name.1 as usize]
    }

    /// Its value without the blanks around it.
    #[must_use]
    pub fn value(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.value.0 as usize..self.value.1 as usize]
    }
}

/// The state between two pieces of a head.
#[derive(Debug, Default)]
pub struct HeadReader {
    /// Where the first line begins that was not read to its end.
    at: usize,
    /// Whether the request line is behind us, and whether it was of HTTP/1.0.
    request_line: Option<bool>,
    method: Option<Method>,
    target: (u32, u32),
    fields: Vec<Field>,
    host: Option<Field>,
    has_connection: bool,
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
    /// Begins the next head; keeps the room that the one before took.
    pub fn reset(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = Self { fields, ..Self::default() };
    }

    /// The method, as soon as it was read, else nothing.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method.map_or("", Method::as_str)
    }

    /// The request target, once the request line was read.
    #[must_use]
    pub fn target<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.target.0 as usize..self.target.1 as usize]
    }

    /// Whether it is of HTTP/1.0.
    #[must_use]
    pub fn is_of_1_0(&self) -> bool {
        self.request_line == Some(true)
    }

    /// Every field so far, in order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// `Host`, once it was read.
    #[must_use]
    pub fn host<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        self.host.map(|field| field.value(bytes))
    }

    /// Whether `Connection` is among the fields so far: most callers send none.
    #[must_use]
    pub const fn has_connection(&self) -> bool {
        self.has_connection
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
            // One byte over the bound tells that it was passed; what stands behind it must not change the answer.
            let most = LINE_BYTES_MAX.min(HEAD_BYTES_MAX.saturating_sub(self.at));
            let (length, field) = match field_line(&rest[..rest.len().min(most + 1)], false)? {
                Line::Partial if rest.len() > most => return Err(BadHead::TooLarge),
                Line::Partial => return Ok(None),
                Line::Last => (2, None),
                Line::Field { name, value_end } => {
                    (value_end + 2, Some(place(bytes, self.at, name, value_end)))
                }
            };
            if let Some(field) = field {
                self.note(field, bytes)?;
            }
            self.at += length;
            if self.at > HEAD_BYTES_MAX || length > LINE_BYTES_MAX {
                return Err(BadHead::TooLarge);
            }
            let Some(field) = field else {
                return Ok(Some(Head { bytes: self.at, framing: self.framing()? }));
            };
            if self.fields.len() == FIELDS_MAX {
                return Err(BadHead::TooLarge);
            }
            self.fields.push(field);
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
        self.method = Some(check_method(name).map_err(|bad| BadHead::Denied(bad.into()))?);
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
                let from = self.at + method + 1;
                self.target = (from as u32, (from + target) as u32);
                return Ok(Some(method + 1 + target + 1 + wanted.len()));
            }
            if wanted.starts_with(version) {
                return Ok(None);
            }
        }
        Err(BadHead::Malformed("version"))
    }

    fn note(&mut self, field: Field, bytes: &[u8]) -> Result<(), BadHead> {
        let (name, value) = (field.name(bytes), field.value(bytes));
        if name.contains(&b'_') {
            // Some servers read `_` as `-` (RFC 3875 §4.1.18): such a field has two names.
            return Err(BadHead::Malformed("underscore_in_name"));
        }
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            4 if is("host") => {
                if self.host.replace(field).is_some() {
                    return Err(BadHead::Ambiguous("repeated_host"));
                }
                check_host(Some(value)).map_err(|bad| BadHead::Denied(Denial::BadRequest(bad)))?;
            }
            6 if is("expect") && !value.eq_ignore_ascii_case(b"100-continue") => {
                return Err(BadHead::Denied(Denial::ExpectationFailed));
            }
            7 if is("upgrade") => self.upgrade = true,
            10 if is("connection") => {
                self.has_connection = true;
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
        if self.host.is_none() {
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
pub(crate) fn length_of(value: &[u8]) -> Option<u64> {
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
