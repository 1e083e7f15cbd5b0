//! A caller that writes frames by hand, and may write wrong ones.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;
pub const END_STREAM: u8 = 0x1;
pub const END_HEADERS: u8 = 0x4;
/// RFC 9113 §7
pub const PROTOCOL_ERROR: u32 = 1;
pub const REFUSED_STREAM: u32 = 7;
pub const ENHANCE_YOUR_CALM: u32 = 11;

const STATIC_STATUS: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];

#[derive(Debug, Clone)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    fn number(&self, at: usize) -> u32 {
        self.payload[at..at + 4].try_into().map(u32::from_be_bytes).expect("four bytes")
    }
}

/// What became of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Status(u16),
    Reset(u32),
    GoAway(u32),
    Closed,
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A block of fields, each literal and never indexed.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| literal(name.as_bytes(), value.as_bytes())).collect()
}

pub fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = vec![0x10];
    for text in [name, value] {
        match text.len() {
            short @ 0..127 => out.push(u8::try_from(short).unwrap()),
            long => {
                out.push(127);
                let mut rest = long - 127;
                while rest >= 128 {
                    out.push(u8::try_from(rest % 128).unwrap() | 128);
                    rest /= 128;
                }
                out.push(u8::try_from(rest).unwrap());
            }
        }
        out.extend_from_slice(text);
    }
    out
}

/// The fields of a good GET.
pub fn get<'f>(key: &'f str, more: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let mut fields = vec![
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "api.example"),
        (":path", "/v1/items"),
        ("x-api-key", key),
    ];
    fields.extend_from_slice(more);
    fields
}

pub struct Raw {
    pub stream: TcpStream,
}

impl Raw {
    /// Connects, and says nothing.
    pub async fn silent(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.expect("the gateway accepts") }
    }

    /// Connects, with preface and settings.
    pub async fn connect(address: SocketAddr) -> Self {
        let mut raw = Self::silent(address).await;
        raw.send(PREFACE).await;
        raw.send(&frame(SETTINGS, 0, 0, &[])).await;
        raw
    }

    /// Whether the bytes could be sent.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    pub async fn request(&mut self, stream: u32, flags: u8, fields: &[(&str, &str)]) -> bool {
        self.send(&frame(HEADERS, flags | END_HEADERS, stream, &block(fields))).await
    }

    /// The next frame; none at the end.
    pub async fn frame(&mut self) -> Option<Frame> {
        let read = async {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).await.ok()?;
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            Some(Frame { kind: head[3], flags: head[4], stream, payload })
        };
        tokio::time::timeout(Duration::from_secs(30), read).await.expect("something in time")
    }

    /// What becomes of a stream.
    pub async fn seen(&mut self, stream: u32) -> Seen {
        while let Some(frame) = self.frame().await {
            match frame.kind {
                HEADERS if frame.stream == stream => return Seen::Status(status(&frame.payload)),
                RST_STREAM if frame.stream == stream => return Seen::Reset(frame.number(0)),
                GOAWAY => return Seen::GoAway(frame.number(4)),
                _ => {}
            }
        }
        Seen::Closed
    }

    /// What becomes of a stream that was begun before the connection was told to end.
    pub async fn seen_after_goaway(&mut self, stream: u32) -> Seen {
        loop {
            match self.seen(stream).await {
                Seen::GoAway(0) => {}
                other => return other,
            }
        }
    }

    /// Reads to the end of the connection; the reason of the last GOAWAY, and what came of the others.
    pub async fn farewell(&mut self) -> Option<u32> {
        let mut reason = None;
        while let Some(frame) = self.frame().await {
            if frame.kind == GOAWAY {
                reason = Some(frame.number(4));
            }
        }
        reason
    }

    /// Sends so many frames, as far as the gateway takes them, and reads to the end that it makes of the connection: its
    /// reason. Panics where it makes none: everything was sent by then, so it is not waited for.
    pub async fn flood(&mut self, times: u32, mut next: impl FnMut(u32) -> Vec<u8>) -> Option<u32> {
        let all: Vec<u8> = (0..times).flat_map(&mut next).collect();
        let (mut reading, mut writing) = self.stream.split();
        let mut said = Vec::new();
        let write = async {
            // It may have enough before all is sent.
            let _ = writing.write_all(&all).await;
        };
        // What it says is read meanwhile: it must not be kept from writing.
        let both = async { tokio::join!(write, reading.read_to_end(&mut said)).1 };
        let ended = tokio::time::timeout(Duration::from_secs(20), both).await;
        // A connection that is closed on unread bytes may be reset before its reason is read.
        let _ = ended.expect("the gateway has enough");
        goodbye(&said)
    }
}

/// The reason of the last GOAWAY among frames.
fn goodbye(mut frames: &[u8]) -> Option<u32> {
    let mut reason = None;
    while let Some((head, rest)) = frames.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        if head[3] == GOAWAY {
            reason = Some(u32::from_be_bytes(payload[4..8].try_into().expect("four bytes")));
        }
        frames = rest;
    }
    reason
}

/// The status of an answer whose block begins with it, on a connection whose first answer it is.
fn status(block: &[u8]) -> u16 {
    // A size update of the table may come first.
    let block = if block[0] & 0xe0 == 0x20 { &block[1..] } else { block };
    match block[0] {
        index @ 0x88..=0x8e => STATIC_STATUS[usize::from(index - 0x88)],
        _ if block[1] & 0x80 == 0 => std::str::from_utf8(&block[2..5]).unwrap().parse().unwrap(),
        _ => huffman_digits(&block[2..2 + usize::from(block[1] & 0x7f)]),
    }
}

/// Digits are all that a status has: 0 to 2 in five bits, the others in six (RFC 7541, appendix B).
fn huffman_digits(bytes: &[u8]) -> u16 {
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let (mut at, mut number) = (0, 0);
    for _ in 0..3 {
        let five = u16::from_str_radix(&bits[at..at + 5], 2).unwrap();
        let digit = if five < 3 {
            at += 5;
            five
        } else {
            let six = u16::from_str_radix(&bits[at..at + 6], 2).unwrap();
            at += 6;
            six - 0b01_1001 + 3
        };
        number = number * 10 + digit;
    }
    number
}
