//! Watches a chunked body while it passes, and refuses the first byte that RFC 9112 §7.1 does not allow there.
//!
//! Readers differ most in chunk lines: blanks, signs, bare line feeds, what an extension may hold. One that two of them
//! could read differently goes no further.

use std::ops::Range;

use crate::head::{run_of_tokens, run_of_value};

/// The longest chunk line; nobody sends extensions, and each of them costs its reader time.
const LINE_BYTES_MAX: usize = 256;
/// The most bytes behind the last chunk, trailer fields with their ends.
const TRAILER_BYTES_MAX: usize = 8 * 1024;
/// As many as fit into 64 bits, leading zeros included.
const SIZE_DIGITS_MAX: usize = 16;

/// The body breaks a rule of its framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadChunk;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Size {
        digits: usize,
        size: u64,
    },
    Extension {
        bytes: usize,
        size: u64,
    },
    SizeLineFeed {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataReturn,
    DataLineFeed,
    /// At a line's first byte.
    Trailer,
    TrailerName,
    TrailerValue,
    TrailerLineFeed,
    LastLineFeed,
    End,
}

/// The place in a chunked body.
#[derive(Debug, Clone)]
pub struct Chunks {
    at: At,
    trailer_bytes: usize,
    /// The trailer's lines, where they are kept.
    trailer: Option<Vec<u8>>,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { at: At::Size { digits: 0, size: 0 }, trailer_bytes: 0, trailer: None }
    }
}

impl Chunks {
    /// Keeps the trailer fields for [`Chunks::trailers`]; else they are only checked.
    #[must_use]
    pub fn keeping_trailers() -> Self {
        Self { trailer: Some(Vec::new()), ..Self::default() }
    }

    /// The trailer fields of a complete body that was asked to keep them: names and values.
    pub fn trailers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let lines = self.trailer.as_deref().unwrap_or_default().split(|byte| *byte == b'\n');
        lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }

    /// Whether the body is complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.at == At::End
    }

    /// Goes through the next bytes. Says how many of them belong to the body: all, or those up to its end.
    ///
    /// # Errors
    /// A byte that may not stand where it does.
    pub fn pass(&mut self, bytes: &[u8]) -> Result<usize, BadChunk> {
        let mut passed = 0;
        while passed < bytes.len() && self.at != At::End {
            passed += self.read(&bytes[passed..])?.0;
        }
        Ok(passed)
    }

    /// Goes through the next bytes, to the end of the first run of data among them. Says how many that were, and which
    /// of them are data: the last ones, or none where all were read without meeting any, or up to the body's end.
    ///
    /// # Errors
    /// A byte that may not stand where it does.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(usize, Range<usize>), BadChunk> {
        let mut passed = 0;
        while let Some(byte) = bytes.get(passed) {
            let is_data = matches!(self.at, At::Data { .. });
            if self.at == At::End {
                break;
            }
            let begins = passed;
            passed += self.step(*byte, &bytes[passed..])?;
            if is_data {
                return Ok((passed, begins..passed));
            }
        }
        Ok((passed, passed..passed))
    }

    /// One byte, or as many as are all alike; how many.
    fn step(&mut self, byte: u8, rest: &[u8]) -> Result<usize, BadChunk> {
        let mut took = 1;
        let before = self.at;
        self.at = match (self.at, byte) {
            (At::Size { digits, size }, _) if byte.is_ascii_hexdigit() && digits < SIZE_DIGITS_MAX => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                At::Size { digits: digits + 1, size: size << 4 | digit }
            }
            (At::Size { digits: 1.., size }, b';') => At::Extension { bytes: 0, size },
            (At::Size { digits: 1.., size } | At::Extension { size, .. }, b'\r') => At::SizeLineFeed { size },
            (At::Extension { bytes, size }, _) => {
                took = run_of_value(rest);
                if took == 0 || bytes + took > LINE_BYTES_MAX {
                    return Err(BadChunk);
                }
                At::Extension { bytes: bytes + took, size }
            }
            (At::SizeLineFeed { size: 0 }, b'\n') => At::Trailer,
            (At::SizeLineFeed { size }, b'\n') => At::Data { left: size },
            (At::Data { left }, _) => {
                let here = u64::try_from(rest.len()).unwrap_or(u64::MAX).min(left);
                // No longer than `rest`.
                took = here as usize;
                if here == left { At::DataReturn } else { At::Data { left: left - here } }
            }
            (At::DataReturn, b'\r') => At::DataLineFeed,
            (At::DataLineFeed, b'\n') => At::Size { digits: 0, size: 0 },
            (At::Trailer, b'\r') => At::LastLineFeed,
            (At::LastLineFeed, b'\n') => At::End,
            (At::TrailerName, b':') => At::TrailerValue,
            (At::Trailer | At::TrailerName, _) => {
                took = run_of_tokens(rest);
                At::TrailerName
            }
            (At::TrailerValue, b'\r') => At::TrailerLineFeed,
            (At::TrailerLineFeed, b'\n') => At::Trailer,
            (At::TrailerValue, _) => {
                took = run_of_value(rest);
                At::TrailerValue
            }
            _ => return Err(BadChunk),
        };
        if matches!(self.at, At::TrailerName | At::TrailerValue | At::TrailerLineFeed) {
            self.trailer_bytes += took;
        }
        if let Some(trailer) = &mut self.trailer
            && matches!(before, At::Trailer | At::TrailerName | At::TrailerValue | At::TrailerLineFeed)
        {
            trailer.extend_from_slice(&rest[..took]);
        }
        if took == 0 || self.trailer_bytes > TRAILER_BYTES_MAX {
            return Err(BadChunk);
        }
        Ok(took)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same in one piece and byte by byte.
    fn pass(body: &[u8]) -> Result<usize, BadChunk> {
        let whole = Chunks::default().pass(body);
        let mut chunks = Chunks::default();
        let dripped = body.iter().try_fold(0, |passed, byte| Ok(passed + chunks.pass(&[*byte])?));
        assert_eq!(whole, dripped, "{}", body.escape_ascii());
        whole
    }

    #[test]
    fn a_body_ends_behind_its_trailer_and_not_before() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "5;a=b;c=\"d e\"\r\nhello\r\n000\r\n\r\n",
            "00000000000000Ff\r\n",
            "0\r\nX-Sum: 1\r\nY:\r\n\r\n",
        ] {
            let mut chunks = Chunks::default();
            assert_eq!(chunks.pass(body.as_bytes()), Ok(body.len()), "{body:?}");
            assert_eq!(chunks.is_complete(), body.ends_with("\r\n\r\n"));
            assert_eq!(pass(body.as_bytes()), Ok(body.len()));
        }
        assert_eq!(pass(b"0\r\n\r\nGET /"), Ok(5), "what follows is another message");
    }

    #[test]
    fn data_and_trailers_are_told_apart_however_the_body_comes() {
        let body = b"5;a=b\r\nhello\r\n1\r\n \r\n05\r\nworld\r\n0\r\nX-Sum:  1 2 \r\nY:\r\n\r\nGET";
        for piece in 1..body.len() {
            let mut chunks = Chunks::keeping_trailers();
            let (mut data, mut passed) = (Vec::new(), 0);
            for bytes in body.chunks(piece) {
                let mut rest = bytes;
                while !rest.is_empty() && !chunks.is_complete() {
                    let (read, range) = chunks.read(rest).unwrap();
                    data.extend_from_slice(&rest[range]);
                    rest = &rest[read..];
                    passed += read;
                }
            }
            assert_eq!((data.as_slice(), passed), (b"hello world".as_slice(), body.len() - 3), "{piece}");
            let trailers: Vec<_> = chunks.trailers().collect();
            assert_eq!(trailers, [(b"X-Sum".as_slice(), b"1 2".as_slice()), (b"Y", b"")]);
        }
    }

    #[test]
    fn what_readers_read_differently_goes_no_further() {
        let long_extension = format!("5;{}", "a".repeat(LINE_BYTES_MAX + 1));
        let long_trailer = format!("0\r\nX: {}", "a".repeat(TRAILER_BYTES_MAX));
        for body in [
            "0x5",
            "-1",
            "+5",
            " 5",
            "1_0",
            "\r\n",
            "5 \r\n",
            "5\t\r\n",
            "g",
            "5\n",
            "5;\n",
            "5;a\n",
            "5;a\rb",
            "5\rh",
            "5;a\0",
            "5;a\x7f",
            "5\r\nhello\n",
            "5\r\nhellox",
            "5\r\nhello\rx",
            "0\r\n\n",
            "0\r\n X: 1",
            "0\r\nX: 1\n",
            "0\r\nX : 1",
            "0\r\n: 1",
            "0\r\nX\r\n",
            "0\r\nX: \0",
            "0\r\n\rx",
            "00000000000000005",
            &long_extension,
            &long_trailer,
        ] {
            assert_eq!(pass(body.as_bytes()), Err(BadChunk), "{body:?}");
        }
    }
}
