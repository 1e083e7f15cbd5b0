//! What a caller's connection may hand on: a head once it is complete and in order, then exactly the body it announces.
//!
//! The head stays where it came until its call is over, and is read in place. Bytes behind the body belong to the next
//! request and wait.

use tollgate_engine::chunked::Chunks;
use tollgate_engine::head::{BadHead, Framing, HEAD_BYTES_MAX, HeadReader};

/// What is kept for a connection; 8 KiB keep an idle one small, and hold all but the largest heads.
const BUFFER_BYTES: usize = 8 * 1024;
/// What large bodies are read into, so that they take fewer reads.
const BODY_BYTES: usize = 32 * 1024;

/// The body breaks its framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadBody;

/// What of the body comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// So many bytes of [`Intake::waiting`].
    Data(usize),
    /// More must be received first.
    More,
    /// The body is over.
    End,
}

/// Bytes received, and where in a request they are.
#[derive(Debug)]
pub(crate) struct Intake {
    buffer: Vec<u8>,
    reader: HeadReader,
    /// Bytes of the present head once it is complete; they stand first.
    head: usize,
    /// What was received and is not dealt with.
    start: usize,
    end: usize,
    framing: Framing,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Head,
    Length {
        left: u64,
    },
    /// So many waiting bytes are data.
    Chunked {
        chunks: Box<Chunks>,
        data: usize,
    },
    Complete,
    /// Another protocol: whatever comes.
    Switched,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            buffer: vec![0; BUFFER_BYTES],
            reader: HeadReader::default(),
            head: 0,
            start: 0,
            end: 0,
            framing: Framing::Empty,
            stage: Stage::Head,
        }
    }
}

impl Intake {
    /// The reader of the present head, and the bytes it read; also of one that is not complete.
    pub(crate) fn head(&self) -> (&HeadReader, &[u8]) {
        let bytes = if matches!(self.stage, Stage::Head) { self.end } else { self.head };
        (&self.reader, &self.buffer[..bytes])
    }

    /// How the present body ends.
    pub(crate) const fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the present request was taken to its end.
    pub(crate) const fn is_complete(&self) -> bool {
        matches!(self.stage, Stage::Complete)
    }

    /// Whether bytes wait that were not dealt with.
    pub(crate) const fn has_more(&self) -> bool {
        self.start < self.end
    }

    /// Received and not dealt with.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The next request begins.
    pub(crate) fn begin_next(&mut self) {
        self.reader.reset();
        self.stage = Stage::Head;
        self.head = 0;
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.buffer.len() > BUFFER_BYTES && self.end <= BUFFER_BYTES {
            self.buffer.truncate(BUFFER_BYTES);
            self.buffer.shrink_to_fit();
        }
    }

    /// From now on whatever comes is data.
    pub(crate) fn switch(&mut self) {
        self.stage = Stage::Switched;
        let room = self.head + BUFFER_BYTES;
        if room > self.buffer.len() {
            self.buffer.resize(room, 0);
        }
    }

    /// Whether the head is complete.
    pub(crate) fn read_head(&mut self) -> Result<bool, BadHead> {
        if self.end == 0 {
            return Ok(false);
        }
        let Some(head) = self.reader.read(&self.buffer[..self.end])? else { return Ok(false) };
        self.head = head.bytes;
        self.start = head.bytes;
        self.framing = head.framing;
        let wanted = match head.framing {
            Framing::Empty => {
                self.stage = Stage::Complete;
                0
            }
            Framing::Length(left) => {
                self.stage = Stage::Length { left };
                usize::try_from(left).unwrap_or(BODY_BYTES)
            }
            Framing::Chunked => {
                self.stage = Stage::Chunked { chunks: Box::default(), data: 0 };
                BUFFER_BYTES / 2
            }
        };
        let room = self.head + wanted.min(BODY_BYTES);
        if room > self.buffer.len() {
            self.buffer.resize(room, 0);
        }
        Ok(true)
    }

    /// Where received bytes are put; empty where nothing may come before what waits is dealt with. Say how many there
    /// are with [`Intake::received`].
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.start > self.head {
            self.buffer.copy_within(self.start..self.end, self.head);
            (self.start, self.end) = (self.head, self.head + self.end - self.start);
        }
        if self.end == self.buffer.len() && matches!(self.stage, Stage::Head) {
            // One of more than the maximum is refused before it fills this.
            let larger = (self.buffer.len() * 2).min(HEAD_BYTES_MAX + BUFFER_BYTES);
            self.buffer.resize(larger.max(self.end + 1), 0);
        }
        &mut self.buffer[self.end..]
    }

    /// So many bytes were put into [`Intake::space`].
    pub(crate) fn received(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Looks for what comes next of the body.
    pub(crate) fn next(&mut self) -> Result<Next, BadBody> {
        match &mut self.stage {
            Stage::Length { left } => {
                let here = (self.end - self.start).min(usize::try_from(*left).unwrap_or(usize::MAX));
                Ok(if here == 0 { Next::More } else { Next::Data(here) })
            }
            Stage::Chunked { chunks, data } => {
                while *data == 0 && self.start < self.end && !chunks.is_complete() {
                    let waiting = &self.buffer[self.start..self.end];
                    let (read, range) = chunks.read(waiting).map_err(|_| BadBody)?;
                    *data = range.len();
                    self.start += read - range.len();
                }
                if *data > 0 {
                    return Ok(Next::Data(*data));
                }
                if chunks.is_complete() {
                    self.stage = Stage::Complete;
                    return Ok(Next::End);
                }
                Ok(Next::More)
            }
            Stage::Switched if self.start < self.end => Ok(Next::Data(self.end - self.start)),
            Stage::Switched => Ok(Next::More),
            Stage::Complete | Stage::Head => Ok(Next::End),
        }
    }

    /// So many bytes of data were dealt with.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.start += bytes;
        match &mut self.stage {
            Stage::Length { left } => {
                *left -= bytes as u64;
                if *left == 0 {
                    self.stage = Stage::Complete;
                }
            }
            Stage::Chunked { data, .. } => *data -= bytes,
            Stage::Head | Stage::Complete | Stage::Switched => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(intake: &mut Intake, mut bytes: &[u8]) -> usize {
        let space = intake.space();
        let fits = space.len().min(bytes.len());
        bytes = &bytes[..fits];
        space[..fits].copy_from_slice(bytes);
        intake.received(fits);
        fits
    }

    /// The body of the first request of what comes in in pieces of one size, taken in pieces of another; and what is
    /// left for the next.
    fn body_of(sent: &[u8], piece: usize, taken: usize) -> Result<(Vec<u8>, Vec<u8>), BadBody> {
        let (mut intake, mut body, mut rest) = (Intake::default(), Vec::new(), sent);
        let mut head = false;
        loop {
            while head || intake.read_head().unwrap() {
                head = true;
                match intake.next()? {
                    Next::Data(bytes) => {
                        let bytes = bytes.min(taken);
                        body.extend_from_slice(&intake.waiting()[..bytes]);
                        intake.took(bytes);
                    }
                    Next::More => break,
                    Next::End => {
                        assert!(intake.is_complete());
                        let (reader, head) = intake.head();
                        assert_eq!(reader.target(head), b"/t");
                        intake.begin_next();
                        return Ok((body, [intake.waiting(), rest].concat()));
                    }
                }
            }
            let received = receive(&mut intake, &rest[..rest.len().min(piece)]);
            rest = &rest[received..];
        }
    }

    #[test]
    fn one_body_is_handed_on_and_not_a_byte_of_the_next_request() {
        let length = "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
        let chunked = "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                       2;x\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n";
        let none = "GET /t HTTP/1.1\r\nHost: a\r\n\r\n";
        for (message, body) in [(length, "hello"), (chunked, "hello"), (none, "")] {
            let sent = format!("{message}{none}");
            for (piece, taken) in [(1, 1), (1, 100), (7, 3), (1_000, 1_000), (1_000, 4)] {
                let (got, left) = body_of(sent.as_bytes(), piece, taken).unwrap();
                assert_eq!(
                    (got.as_slice(), left.as_slice()),
                    (body.as_bytes(), none.as_bytes()),
                    "{message}"
                );
            }
        }
    }

    #[test]
    fn a_large_body_passes_through_a_small_buffer() {
        let body = vec![b'x'; 200_000];
        let head = format!("POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        let sent = [head.as_bytes(), &body].concat();
        assert_eq!(body_of(&sent, 100_000, 100_000).unwrap().0, body);
    }

    #[test]
    fn a_head_grows_up_to_its_maximum_and_shrinks_again() {
        let mut intake = Intake::default();
        let long = [b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec(), b"X: y\r\n".repeat(3_000)].concat();
        let refused = long.iter().find_map(|byte| {
            receive(&mut intake, &[*byte]);
            intake.read_head().err()
        });
        assert_eq!(refused, Some(BadHead::TooLarge));
        intake.start = intake.end;
        intake.begin_next();
        assert_eq!(intake.buffer.len(), BUFFER_BYTES);
    }

    #[test]
    fn nothing_behind_a_broken_chunk_is_handed_on() {
        let broken = b"POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello";
        assert_eq!(body_of(broken, 1_000, 10), Err(BadBody));
    }
}
