//! Watches a chunked body while it passes, and refuses the first byte that RFC 9112 §7.1 does not allow there.
//!
//! Readers differ most in chunk lines: blanks, signs, bare line feeds, what an extension may hold. One that two of them
//! could read differently goes no further.

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
#[derive(Debug, Clone, Copy)]
pub struct Chunks {
    at: At,
    trailer_bytes: usize,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { at: At::Size { digits: 0, size: 0 }, trailer_bytes: 0 }
    }
}

impl Chunks {
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
        while let Some(byte) = bytes.get(passed) {
            if self.at == At::End {
                break;
            }
            passed += self.step(*byte, &bytes[passed..])?;
        }
        Ok(passed)
    }

    /// One byte, or as many as are all alike; how many.
    fn step(&mut self, byte: u8, rest: &[u8]) -> Result<usize, BadChunk> {
        let mut took = 1;
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
