//! The records of a saved configuration, one after the other, each with its length before it; 0 ends them.

use std::io::{self, Read};

use serde::de::DeserializeOwned;

/// Reads records whose checksum was found to hold; what is none is an error, whatever the bytes.
pub(super) struct Records<R> {
    file: R,
    record: Vec<u8>,
}

impl<R: Read> Records<R> {
    pub(super) const fn new(file: R) -> Self {
        Self { file, record: Vec::new() }
    }

    /// None at the end.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let mut length = [0; 4];
        self.file.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length == 0 {
            return Ok(None);
        }
        self.record.clear();
        // As much as there is: a length that is wrong takes no memory.
        (&mut self.file).take(u64::from(length)).read_to_end(&mut self.record)?;
        if self.record.len() < length as usize {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        postcard::from_bytes(&self.record).map(Some).map_err(io::Error::other)
    }
}
