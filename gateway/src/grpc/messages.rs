//! The frames of gRPC's messages, read as they pass: five bytes before each say whether it is compressed and how long it
//! is. Nothing is kept of a message.

use crate::downstream::Downstream;

const HEAD_BYTES: usize = 5;

/// A message that is not handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadMessage {
    /// It says that it is compressed, and nothing says how.
    Compressed,
    /// It is longer than allowed.
    TooLarge {
        /// So many bytes are.
        bytes_max: u64,
    },
}

/// Where a stream of messages stands.
#[derive(Debug)]
pub(crate) struct Messages {
    head: [u8; HEAD_BYTES],
    /// How much of a head is here.
    have: usize,
    /// What is to come of a message.
    left: usize,
    most: u64,
    has_encoding: bool,
}

impl Messages {
    /// Of a call that begins; `most` is how long one may be.
    pub(crate) fn of<D: Downstream>(caller: &D, most: u64) -> Self {
        let encoding = super::value(caller, b"grpc-encoding");
        let has_encoding = encoding.is_some_and(|name| !name.eq_ignore_ascii_case(b"identity"));
        Self { head: [0; HEAD_BYTES], have: 0, left: 0, most, has_encoding }
    }

    /// Looks at what comes next.
    pub(crate) fn pass(&mut self, mut bytes: &[u8]) -> Result<(), BadMessage> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let here = self.left.min(bytes.len());
                self.left -= here;
                bytes = &bytes[here..];
                continue;
            }
            let here = (HEAD_BYTES - self.have).min(bytes.len());
            self.head[self.have..self.have + here].copy_from_slice(&bytes[..here]);
            self.have += here;
            bytes = &bytes[here..];
            if self.have == HEAD_BYTES {
                self.begin()?;
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), BadMessage> {
        let [flag, length @ ..] = self.head;
        let length = u32::from_be_bytes(length);
        // 0 is plain, 1 compressed; nothing else is a message of a caller.
        if flag > 1 || (flag == 1 && !self.has_encoding) {
            return Err(BadMessage::Compressed);
        }
        if u64::from(length) > self.most {
            return Err(BadMessage::TooLarge { bytes_max: self.most });
        }
        self.have = 0;
        self.left = length as usize;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(has_encoding: bool) -> Messages {
        Messages { head: [0; HEAD_BYTES], have: 0, left: 0, most: 10, has_encoding }
    }

    fn message(flag: u8, length: u8) -> Vec<u8> {
        let mut bytes = vec![flag, 0, 0, 0, length];
        bytes.extend(std::iter::repeat_n(0xff, length.into()));
        bytes
    }

    #[test]
    fn each_message_is_measured_alone_however_the_bytes_are_cut() {
        let all = [message(0, 10), message(0, 0), message(0, 3), message(0, 10)].concat();
        for size in 1..=all.len() {
            let mut messages = fresh(false);
            assert!(all.chunks(size).all(|piece| messages.pass(piece).is_ok()), "{size}");
            assert_eq!((messages.have, messages.left), (0, 0));
            let worse = [all.clone(), message(0, 11)].concat();
            let mut messages = fresh(false);
            let found = worse.chunks(size).find_map(|piece| messages.pass(piece).err());
            assert_eq!(found, Some(BadMessage::TooLarge { bytes_max: 10 }), "{size}");
        }
    }

    #[test]
    fn a_compressed_one_needs_an_encoding_and_no_other_flag_is_known() {
        assert_eq!(fresh(false).pass(&message(1, 2)), Err(BadMessage::Compressed));
        assert_eq!(fresh(true).pass(&message(1, 2)), Ok(()));
        assert_eq!(fresh(true).pass(&message(2, 2)), Err(BadMessage::Compressed));
        assert_eq!(fresh(true).pass(&message(0x80, 2)), Err(BadMessage::Compressed));
    }
}
