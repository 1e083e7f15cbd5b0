//! What a gateway knows of WebSocket (RFC 6455): whether a handshake is in order, and where a frame ends.
//!
//! Frames pass as they are, whatever they hold; only where one ends must be known, for a closing frame of our own may
//! stand nowhere else.

/// The only version there is.
pub const VERSION: &str = "13";
/// `Sec-WebSocket-Key`: sixteen bytes in base 64.
const KEY_LETTERS: usize = 24;

/// What is wrong with a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadHandshake {
    /// No `Sec-WebSocket-Key`, more than one, or not sixteen bytes in base 64.
    Key,
    /// No `Sec-WebSocket-Version`, or another than [`VERSION`].
    Version,
}

/// Checks a handshake by all its keys and versions.
///
/// # Errors
/// The first rule of RFC 6455 §4.2.1 that it breaks.
pub fn check_handshake<'h>(
    keys: impl IntoIterator<Item = &'h [u8]>,
    versions: impl IntoIterator<Item = &'h [u8]>,
) -> Result<(), BadHandshake> {
    let (mut keys, mut versions) = (keys.into_iter(), versions.into_iter());
    if versions.next() != Some(VERSION.as_bytes()) || versions.next().is_some() {
        return Err(BadHandshake::Version);
    }
    match (keys.next(), keys.next()) {
        (Some(key), None) if is_key(key) => Ok(()),
        _ => Err(BadHandshake::Key),
    }
}

/// Sixteen bytes leave two letters' worth of bits over: the last letter is one of four, and two `=` follow.
fn is_key(key: &[u8]) -> bool {
    key.len() == KEY_LETTERS
        && key.ends_with(b"==")
        && key[..KEY_LETTERS - 2].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
        && matches!(key[KEY_LETTERS - 3], b'A' | b'Q' | b'g' | b'w')
}

/// Why a tunnel is closed by the gateway (RFC 6455 §7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// The gateway goes, or nothing was heard for long.
    GoingAway,
    /// The caller may no longer call.
    PolicyViolation,
}

impl CloseCode {
    /// A closing frame of a server.
    #[must_use]
    pub const fn frame(self) -> [u8; 4] {
        let code: u16 = match self {
            Self::GoingAway => 1001,
            Self::PolicyViolation => 1008,
        };
        let [high, low] = code.to_be_bytes();
        [0x88, 2, high, low]
    }
}

/// Follows the frames of one direction.
#[derive(Debug, Clone, Default)]
pub struct Frames {
    /// The present frame's head as far as it came.
    head: [u8; 14],
    came: usize,
    /// What is to come of its payload.
    payload: u64,
    /// Whether a closing frame passed.
    closed: bool,
}

impl Frames {
    /// Goes through the next bytes.
    pub fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let here = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
                self.payload -= here as u64;
                bytes = &bytes[here..];
                continue;
            }
            self.head[self.came] = bytes[0];
            self.came += 1;
            bytes = &bytes[1..];
            if let Some(payload) = self.payload_length() {
                self.closed |= self.head[0] & 0x0f == 8;
                self.payload = payload;
                self.came = 0;
            }
        }
    }

    /// Whether a frame of our own may follow: the last one is over, and none of them was a closing one.
    #[must_use]
    pub const fn is_between(&self) -> bool {
        self.came == 0 && self.payload == 0 && !self.closed
    }

    /// Once the head is complete (RFC 6455 §5.2).
    fn payload_length(&self) -> Option<u64> {
        if self.came < 2 {
            return None;
        }
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        let (bytes, length) = match self.head[1] & 0x7f {
            126 => (4, u64::from(u16::from_be_bytes([self.head[2], self.head[3]]))),
            127 => {
                let mut length = [0; 8];
                length.copy_from_slice(&self.head[2..10]);
                (10, u64::from_be_bytes(length))
            }
            length => (2, u64::from(length)),
        };
        (self.came == bytes + mask).then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_has_one_key_of_sixteen_bytes_and_the_one_version() {
        let check = |keys: &[&str], versions: &[&str]| {
            check_handshake(keys.iter().map(|it| it.as_bytes()), versions.iter().map(|it| it.as_bytes()))
        };
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        assert_eq!(check(&[key], &["13"]), Ok(()));
        for versions in [&[][..], &["8"], &["13", "13"], &["13, 8"]] {
            assert_eq!(check(&[key], versions), Err(BadHandshake::Version), "{versions:?}");
        }
        for keys in [
            &[][..],
            &[key, key],
            &[""],
            &["dGhlIHNhbXBsZSBub25jZQ"],
            &["dGhlIHNhbXBsZSBub25jZR=="],
            &["dGhl IHNhbXBsZSBub25jQ=="],
            &["dGhlIHNhbXBsZSBub25jZXh4"],
        ] {
            assert_eq!(check(keys, &["13"]), Err(BadHandshake::Key), "{keys:?}");
        }
    }

    #[test]
    fn where_a_frame_ends_is_known_however_it_comes() {
        let mut stream = vec![0x82, 0];
        let mut ends = vec![2];
        for (size, masked) in [(5usize, true), (125, false), (126, true), (70_000, false), (70_000, true)] {
            let mask = if masked { 0x80 } else { 0 };
            stream.push(0x01);
            match size {
                0..126 => stream.push(mask | size as u8),
                126..65_536 => {
                    stream.push(mask | 126);
                    stream.extend((size as u16).to_be_bytes());
                }
                _ => {
                    stream.push(mask | 127);
                    stream.extend((size as u64).to_be_bytes());
                }
            }
            stream.extend(std::iter::repeat_n(0x88, size + if masked { 4 } else { 0 }));
            ends.push(stream.len());
        }
        let mut frames = Frames::default();
        let mut seen = Vec::new();
        for (at, byte) in stream.iter().enumerate() {
            frames.pass(&[*byte]);
            if frames.is_between() {
                seen.push(at + 1);
            }
        }
        assert_eq!(seen, ends);
        let mut whole = Frames::default();
        whole.pass(&stream);
        assert!(whole.is_between());
        whole.pass(&CloseCode::GoingAway.frame());
        assert!(!whole.is_between(), "nothing follows a closing frame");
    }
}
