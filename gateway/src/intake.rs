//! What a caller's connection may hand on: a head once it is complete and in order, then exactly the body it announces.
//!
//! Pingora parses behind this. It never sees a byte that was not checked, nor one of the next message before the
//! present one is over: so there is nothing that the two could read differently, and requests sent ahead wait.

use tokio::io::ReadBuf;
use tollgate_engine::chunked::Chunks;
use tollgate_engine::head::{BadHead, Framing, HEAD_BYTES_MAX, HeadReader};

/// What is kept for a connection; 8 KiB keep an idle one small, and hold all but the largest heads.
const BUFFER_BYTES: usize = 8 * 1024;

/// Why nothing more is handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The head is refused.
    Head(BadHead),
    /// The body breaks its framing.
    Body,
}

/// Bytes received and not yet handed on, and where in a message they are.
#[derive(Debug)]
pub(crate) struct Intake {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Head(HeadReader),
    /// So many bytes of a head in order are still to be handed on.
    Checked {
        left: usize,
        framing: Framing,
    },
    Length {
        left: u64,
    },
    /// So many bytes of the buffer were checked and belong to the body.
    Chunked {
        chunks: Chunks,
        checked: usize,
    },
    Complete,
}

impl Default for Intake {
    fn default() -> Self {
        let stage = Stage::Head(HeadReader::default());
        Self { buffer: vec![0; BUFFER_BYTES], start: 0, end: 0, stage }
    }
}

impl Intake {
    /// Whether the head of the present message is not handed on yet.
    pub(crate) const fn is_in_head(&self) -> bool {
        matches!(self.stage, Stage::Head(_) | Stage::Checked { .. })
    }

    /// Whether the present message was handed on to its end.
    pub(crate) const fn is_complete(&self) -> bool {
        matches!(self.stage, Stage::Complete)
    }

    /// Whether bytes wait that were not handed on.
    pub(crate) const fn has_more(&self) -> bool {
        self.start < self.end
    }

    /// Whether the request line says HEAD, as long as its head is being read.
    pub(crate) const fn is_head_method(&self) -> bool {
        matches!(&self.stage, Stage::Head(reader) if reader.is_head())
    }

    /// The next message begins.
    pub(crate) fn begin_next(&mut self) {
        self.stage = Stage::Head(HeadReader::default());
        if self.buffer.len() > BUFFER_BYTES && self.end - self.start <= BUFFER_BYTES {
            let rest = self.buffer[self.start..self.end].to_vec();
            self.buffer = rest;
            (self.start, self.end) = (0, self.buffer.len());
            self.buffer.resize(BUFFER_BYTES, 0);
        }
    }

    /// How many bytes may go to the reader past the buffer, because nothing waits and they need no look.
    pub(crate) fn unwatched(&self) -> u64 {
        match self.stage {
            Stage::Length { left } if self.start == self.end => left,
            _ => 0,
        }
    }

    /// So many of the [`Intake::unwatched`] bytes went to the reader.
    pub(crate) fn went_past(&mut self, bytes: usize) {
        if let Stage::Length { left } = &mut self.stage {
            *left = left.saturating_sub(bytes as u64);
            if *left == 0 {
                self.stage = Stage::Complete;
            }
        }
    }

    /// Where received bytes are put; never empty. Say how many there are with [`Intake::received`].
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            // Only a head may ever fill it, and one of more than the maximum is refused first.
            let larger = (self.buffer.len() * 2).min(HEAD_BYTES_MAX + BUFFER_BYTES);
            self.buffer.resize(larger.max(self.end + 1), 0);
        }
        &mut self.buffer[self.end..]
    }

    /// So many bytes were put into [`Intake::space`].
    pub(crate) fn received(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Hands on what may be; false where more must be received first, or the message is over.
    pub(crate) fn hand_on(&mut self, out: &mut ReadBuf<'_>) -> Result<bool, Fault> {
        loop {
            let waiting = &self.buffer[self.start..self.end];
            match &mut self.stage {
                Stage::Head(reader) => {
                    if waiting.is_empty() {
                        return Ok(false);
                    }
                    let Some(head) = reader.read(waiting).map_err(Fault::Head)? else { return Ok(false) };
                    self.stage = Stage::Checked { left: head.bytes, framing: head.framing };
                }
                Stage::Checked { left, framing } => {
                    let handed = give(waiting, *left, out);
                    self.start += handed;
                    *left -= handed;
                    if *left == 0 {
                        self.stage = match *framing {
                            Framing::Empty => Stage::Complete,
                            Framing::Length(left) => Stage::Length { left },
                            Framing::Chunked => Stage::Chunked { chunks: Chunks::default(), checked: 0 },
                        };
                    }
                    return Ok(handed > 0);
                }
                Stage::Length { left } => {
                    let handed = give(waiting, usize::try_from(*left).unwrap_or(usize::MAX), out);
                    self.start += handed;
                    *left -= handed as u64;
                    if *left == 0 {
                        self.stage = Stage::Complete;
                    }
                    return Ok(handed > 0);
                }
                Stage::Chunked { chunks, checked } => {
                    if !chunks.is_complete() {
                        *checked += chunks.pass(&waiting[*checked..]).map_err(|_| Fault::Body)?;
                    }
                    let handed = give(waiting, *checked, out);
                    self.start += handed;
                    *checked -= handed;
                    if *checked == 0 && chunks.is_complete() {
                        self.stage = Stage::Complete;
                    }
                    return Ok(handed > 0);
                }
                Stage::Complete => return Ok(false),
            }
        }
    }
}

fn give(waiting: &[u8], most: usize, out: &mut ReadBuf<'_>) -> usize {
    let handed = waiting.len().min(most).min(out.remaining());
    out.put_slice(&waiting[..handed]);
    handed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that is handed on of what comes in in pieces of one size, and into pieces of one size.
    fn handed_on(sent: &[u8], piece: usize, into: usize) -> Result<Vec<u8>, Fault> {
        let mut intake = Intake::default();
        let mut all = Vec::new();
        for received in sent.chunks(piece) {
            intake.space()[..received.len()].copy_from_slice(received);
            intake.received(received.len());
            loop {
                let mut bytes = vec![0; into];
                let mut out = ReadBuf::new(&mut bytes);
                if !intake.hand_on(&mut out)? {
                    break;
                }
                all.extend_from_slice(out.filled());
            }
        }
        Ok(all)
    }

    #[test]
    fn one_message_is_handed_on_and_not_a_byte_of_the_next() {
        let length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
        let chunked =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n";
        let none = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for message in [length, chunked, none] {
            let sent = format!("{message}{none}");
            for (piece, into) in [(1, 1), (1, 100), (7, 3), (1_000, 1_000), (1_000, 4)] {
                assert_eq!(handed_on(sent.as_bytes(), piece, into).as_deref(), Ok(message.as_bytes()));
            }
        }
    }

    #[test]
    fn what_was_sent_ahead_comes_next() {
        let mut intake = Intake::default();
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let long = [b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec(), b"X: y\r\n".repeat(3_000)].concat();
        for _ in 0..2 {
            intake.space()[..request.len()].copy_from_slice(request);
            intake.received(request.len());
        }
        for _ in 0..2 {
            let mut bytes = [0; 100];
            let mut out = ReadBuf::new(&mut bytes);
            assert_eq!(intake.hand_on(&mut out), Ok(true));
            assert_eq!(out.filled(), request);
            assert_eq!(intake.hand_on(&mut out), Ok(false));
            assert!(intake.is_complete());
            intake.begin_next();
        }
        assert!(!intake.has_more());
        for byte in long {
            intake.space()[0] = byte;
            intake.received(1);
        }
        let mut bytes = [0; 100];
        assert_eq!(intake.hand_on(&mut ReadBuf::new(&mut bytes)), Err(Fault::Head(BadHead::TooLarge)));
    }

    #[test]
    fn nothing_of_a_refused_head_or_behind_a_broken_chunk_is_handed_on() {
        assert!(matches!(
            handed_on(b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 1_000, 10),
            Err(Fault::Head(_))
        ));
        let broken = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello";
        assert_eq!(handed_on(broken, 1_000, 10), Err(Fault::Body));
    }
}
