//! An answer as HTTP/1 writes it, into one buffer that leaves in as few writes as it can.

use crate::downstream::Answer;
use crate::fields::write_number;

/// What is kept between two answers.
const KEPT_BYTES: usize = 4 * 1024;
/// More than this is not held back.
pub(super) const HELD_BYTES_MAX: usize = 32 * 1024;

/// Bytes on their way to the caller.
#[derive(Debug, Default)]
pub(super) struct Out {
    bytes: Vec<u8>,
    sent: usize,
    body: Body,
}

/// How the present body is written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Body {
    #[default]
    None,
    Plain,
    Chunked,
}

impl Out {
    /// The next answer begins.
    pub(super) fn reset(&mut self) {
        self.bytes.clear();
        self.sent = 0;
        self.body = Body::None;
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes.shrink_to(KEPT_BYTES);
        }
    }

    pub(super) fn begin(&mut self, status: u16) {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(KEPT_BYTES / 2);
        }
        // RFC 9112 §4: the reason may be empty, the blank before it may not.
        if status == 200 {
            return self.bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        }
        self.bytes.extend_from_slice(b"HTTP/1.1 ");
        write_number(&mut self.bytes, status.into());
        self.bytes.push(b' ');
        let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        self.bytes.extend_from_slice(reason.unwrap_or_default().as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    pub(super) fn field(&mut self, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(b": ");
        write(&mut self.bytes);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Ends a head. Says whether the body ends with the connection, because the caller knows no chunks.
    pub(super) fn head_done(&mut self, follows: Answer, closes: bool, is_of_1_0: bool) -> bool {
        let mut until_close = false;
        match follows {
            Answer::Interim => return self.end_line(),
            Answer::Switched => {
                self.bytes.extend_from_slice(b"upgrade: websocket\r\nconnection: upgrade\r\n");
                self.body = Body::Plain;
                return self.end_line();
            }
            Answer::Bodyless(None) => {}
            Answer::Bodyless(Some(length)) => self.field(b"content-length", |out| write_number(out, length)),
            Answer::Length(length) => {
                self.field(b"content-length", |out| write_number(out, length));
                self.body = Body::Plain;
            }
            Answer::Unknown if is_of_1_0 => {
                self.body = Body::Plain;
                until_close = true;
            }
            Answer::Unknown => {
                self.bytes.extend_from_slice(b"transfer-encoding: chunked\r\n");
                self.body = Body::Chunked;
            }
        }
        let connection: &[u8] =
            if closes || until_close { b"connection: close\r\n" } else { b"connection: keep-alive\r\n" };
        self.bytes.extend_from_slice(connection);
        self.end_line();
        until_close
    }

    fn end_line(&mut self) -> bool {
        self.bytes.extend_from_slice(b"\r\n");
        false
    }

    /// Takes all of the data.
    pub(super) fn data(&mut self, data: &[u8]) {
        match self.body {
            // An empty chunk would be the last one.
            _ if data.is_empty() => {}
            Body::None => {}
            Body::Plain => self.bytes.extend_from_slice(data),
            Body::Chunked => {
                write_chunk(&mut self.bytes, data);
            }
        }
    }

    pub(super) fn end<'t>(&mut self, trailers: impl Iterator<Item = (&'t [u8], &'t [u8])>) {
        if self.body == Body::Chunked {
            self.bytes.extend_from_slice(b"0\r\n");
            for (name, value) in trailers {
                self.field(name, |out| out.extend_from_slice(value));
            }
            self.bytes.extend_from_slice(b"\r\n");
        }
    }

    /// What is not sent yet.
    pub(super) fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// So many bytes were sent.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        }
    }
}

/// Appends data as one chunk (RFC 9112 §7.1).
pub(crate) fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let (mut digits, mut at, mut size) = ([0; 16], 16, data.len());
    while size > 0 {
        at -= 1;
        digits[at] = HEX[size % 16];
        size /= 16;
    }
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(status: u16, follows: Answer, is_of_1_0: bool) -> (String, bool) {
        let mut out = Out::default();
        out.begin(status);
        out.field(b"X", |out| out.extend_from_slice(b"y"));
        let until_close = out.head_done(follows, false, is_of_1_0);
        out.data(b"");
        out.data(b"a body of more than 16");
        out.end([(b"T".as_slice(), b"u".as_slice())].into_iter());
        (String::from_utf8(out.unsent().to_vec()).unwrap(), until_close)
    }

    #[test]
    fn an_answer_says_where_it_ends() {
        for (status, follows, is_of_1_0, expected, until_close) in [
            (103, Answer::Interim, false, "103 Early Hints\r\nX: y\r\n\r\n", false),
            (
                204,
                Answer::Bodyless(None),
                false,
                "204 No Content\r\nX: y\r\nconnection: keep-alive\r\n\r\n",
                false,
            ),
            (
                200,
                Answer::Bodyless(Some(7)),
                false,
                "200 OK\r\nX: y\r\ncontent-length: 7\r\nconnection: keep-alive\r\n\r\n",
                false,
            ),
            (
                299,
                Answer::Length(22),
                true,
                "299 \r\nX: y\r\ncontent-length: 22\r\nconnection: keep-alive\r\n\r\na body of more than 16",
                false,
            ),
            (
                200,
                Answer::Unknown,
                false,
                "200 OK\r\nX: y\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n\
                 16\r\na body of more than 16\r\n0\r\nT: u\r\n\r\n",
                false,
            ),
            (
                200,
                Answer::Unknown,
                true,
                "200 OK\r\nX: y\r\nconnection: close\r\n\r\na body of more than 16",
                true,
            ),
        ] {
            let expected = (format!("HTTP/1.1 {expected}"), until_close);
            assert_eq!(written(status, follows, is_of_1_0), expected, "{follows:?}");
        }
    }
}
