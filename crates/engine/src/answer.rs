//! Reads the head of an upstream's answer as strictly as a caller's request: what two readers could read differently
//! reaches no caller.
//!
//! An upstream is less of a stranger than a caller, so values may hold bytes above 127 and names an underscore; what
//! decides where the answer ends has one spelling (RFC 9112 §4, §5, §6.3).

use crate::head::{BadLine, CONNECTION_OPTIONS, Field, HEAD_BYTES_MAX, Line, field_line, length_of, place};

/// The most fields in an answer.
pub const FIELDS_MAX: usize = 200;
/// The longest status line in bytes without its end; nobody reads what stands behind the number.
const STATUS_LINE_BYTES_MAX: usize = 1024;
const VERSIONS: [&[u8]; 2] = [b"HTTP/1.1 ", b"HTTP/1.0 "];

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadAnswer {
    /// More than [`HEAD_BYTES_MAX`] or [`FIELDS_MAX`].
    TooLarge,
    /// It is not HTTP/1.1 or HTTP/1.0 as RFC 9112 writes it; why, as a stable word.
    Malformed(&'static str),
    /// Its end can be read in more than one way; which, as a stable word.
    Ambiguous(&'static str),
}

/// How the body behind a head ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// There is none.
    Empty,
    /// After so many bytes, at least one.
    Length(u64),
    /// With its last chunk.
    Chunked,
    /// With the connection.
    Close,
}

/// A complete head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// How many bytes it has, its empty line included.
    pub bytes: usize,
    /// Its status, 100 to 599.
    pub status: u16,
    /// What comes behind it.
    pub end: End,
    /// What `Content-Length` says, also where no body follows.
    pub length: Option<u64>,
    /// Whether the connection can carry another request behind it.
    pub keeps: bool,
}

/// The state between two pieces of an answer's head.
#[derive(Debug, Default)]
pub struct AnswerReader {
    /// Where the first line begins that was not read to its end.
    at: usize,
    status: Option<u16>,
    is_of_1_0: bool,
    fields: Vec<Field>,
    length: Option<u64>,
    chunked: bool,
    closes: bool,
    names_fields: bool,
}

impl From<BadLine> for BadAnswer {
    fn from(bad: BadLine) -> Self {
        match bad {
            BadLine::LineFeed => Self::Ambiguous("bare_line_feed"),
            BadLine::Name => Self::Malformed("field_name"),
            BadLine::NonAscii | BadLine::Control => Self::Malformed("control_byte"),
        }
    }
}

impl AnswerReader {
    /// Begins the next head; keeps the room that the one before took.
    pub fn reset(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = Self { fields, ..Self::default() };
    }

    /// Every field so far, in order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether `Connection` declares fields to be of this hop only.
    #[must_use]
    pub const fn names_fields(&self) -> bool {
        self.names_fields
    }

    /// Reads on; `bytes` is everything since the head's first byte, `to_head` whether HEAD was asked. None where more is
    /// needed.
    ///
    /// # Errors
    /// The first rule that is broken, even where the line or head is not complete yet.
    pub fn read(&mut self, bytes: &[u8], to_head: bool) -> Result<Option<Answer>, BadAnswer> {
        // One byte over the bound tells that it was passed; what stands behind it must not change the answer.
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES_MAX + 1)];
        let status = match self.status {
            Some(status) => status,
            None => match self.status_line(bytes)? {
                Some(status) => status,
                None => return Ok(None),
            },
        };
        loop {
            match field_line(&bytes[self.at..], true)? {
                Line::Partial if bytes.len() > HEAD_BYTES_MAX => return Err(BadAnswer::TooLarge),
                Line::Partial => return Ok(None),
                Line::Last => {
                    self.at += 2;
                    break;
                }
                Line::Field { name, value_end } => {
                    let field = place(bytes, self.at, name, value_end);
                    self.note(field.name(bytes), field.value(bytes))?;
                    self.at += value_end + 2;
                    if self.at > HEAD_BYTES_MAX || self.fields.len() == FIELDS_MAX {
                        return Err(BadAnswer::TooLarge);
                    }
                    self.fields.push(field);
                }
            }
        }
        let end = self.end(status, to_head)?;
        // A body where none may be has no end that anybody agrees on.
        let odd =
            (status == 204 || status < 200) && (self.chunked || self.length.is_some_and(|length| length > 0));
        let keeps = !self.closes && !self.is_of_1_0 && end != End::Close && !odd;
        Ok(Some(Answer { bytes: self.at, status, end, length: self.length, keeps }))
    }

    /// The status, once its line is complete. Some servers leave the blank out when they have no reason to give.
    fn status_line(&mut self, line: &[u8]) -> Result<Option<u16>, BadAnswer> {
        let Some(old) = VERSIONS.iter().position(|version| line.starts_with(version)) else {
            let begins = VERSIONS.iter().any(|version| version.starts_with(line));
            return if begins { Ok(None) } else { Err(BadAnswer::Malformed("status_line")) };
        };
        let rest = &line[VERSIONS[0].len()..];
        let mut status = 0;
        for at in 0..3 {
            match rest.get(at) {
                Some(digit) if digit.is_ascii_digit() => status = status * 10 + u16::from(digit - b'0'),
                Some(_) => return Err(BadAnswer::Malformed("status")),
                None => return Ok(None),
            }
        }
        if !(100..600).contains(&status) {
            return Err(BadAnswer::Malformed("status"));
        }
        let reason = &rest[3..];
        if !matches!(reason.first(), None | Some(b' ' | b'\r')) {
            return Err(BadAnswer::Malformed("status"));
        }
        let visible = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | 128..);
        let end = reason.iter().position(|byte| !visible(byte)).unwrap_or(reason.len());
        let length = VERSIONS[0].len() + 3 + end;
        if length > STATUS_LINE_BYTES_MAX {
            return Err(BadAnswer::TooLarge);
        }
        match &reason[end..] {
            [] | [b'\r'] => Ok(None),
            [b'\r', b'\n', ..] => {
                self.at = length + 2;
                self.is_of_1_0 = old == 1;
                self.status = Some(status);
                Ok(Some(status))
            }
            _ => Err(BadAnswer::Malformed("status_line")),
        }
    }

    fn note(&mut self, name: &[u8], value: &[u8]) -> Result<(), BadAnswer> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            10 if is("connection") => {
                for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    self.closes |= option.eq_ignore_ascii_case(b"close");
                    let is_option = |known: &&str| option.eq_ignore_ascii_case(known.as_bytes());
                    self.names_fields |= !CONNECTION_OPTIONS.iter().any(is_option);
                }
            }
            14 if is("content-length") => {
                if self.length.is_some() {
                    return Err(BadAnswer::Ambiguous("content_length"));
                }
                self.length = Some(length_of(value).ok_or(BadAnswer::Ambiguous("content_length"))?);
            }
            17 if is("transfer-encoding") => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(BadAnswer::Ambiguous("transfer_encoding"));
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// RFC 9112 §6.3, without its repairs.
    fn end(&self, status: u16, to_head: bool) -> Result<End, BadAnswer> {
        if self.chunked && self.length.is_some() {
            return Err(BadAnswer::Ambiguous("transfer_encoding_and_content_length"));
        }
        if self.chunked && self.is_of_1_0 {
            return Err(BadAnswer::Ambiguous("transfer_encoding"));
        }
        if to_head || status < 200 || matches!(status, 204 | 304) {
            return Ok(End::Empty);
        }
        Ok(match (self.chunked, self.length) {
            (true, _) => End::Chunked,
            (false, Some(0)) => End::Empty,
            (false, Some(length)) => End::Length(length),
            (false, None) => End::Close,
        })
    }
}

#[cfg(test)]
mod tests;
