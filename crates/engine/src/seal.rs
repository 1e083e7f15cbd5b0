//! Secrets at rest: sealed so that the database alone opens nothing, and no row can be swapped for another.
//!
//! XChaCha20-Poly1305 under a key derived from the current pepper; what it is for (table, row, column) is authenticated
//! with it. A sealed text names the pepper's version, so that those sealed before a rotation still open.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

use crate::Peppers;

/// Random bytes that every sealing needs; long enough to be drawn without counting.
pub const NONCE_BYTES: usize = 24;
const VERSION_BYTES: usize = 2;

/// A sealed text that does not open: of an unknown pepper, damaged, or put in another's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret does not open: it is damaged, belongs to another row, or its pepper is missing")]
pub struct Unsealable;

impl Peppers {
    /// Seals `secret` for one place, like `certificates/<id>/private_key`. `nonce` is random and used once.
    #[must_use]
    pub fn seal(&self, place: &str, nonce: &[u8; NONCE_BYTES], secret: &[u8]) -> Vec<u8> {
        let version = self.current();
        let key = self.sealing_key(version).expect("the current version is known");
        let payload = Payload { msg: secret, aad: place.as_bytes() };
        let sealed = XChaCha20Poly1305::new(&Key::from(key))
            .encrypt(&XNonce::from(*nonce), payload)
            .expect("texts far below 256 GiB can be sealed");
        [&version.to_be_bytes()[..], nonce, &sealed].concat()
    }

    /// Opens what was sealed for the same place.
    ///
    /// # Errors
    /// [`Unsealable`], without saying why.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (version, rest) = sealed.split_first_chunk::<VERSION_BYTES>().ok_or(Unsealable)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Unsealable)?;
        let key = self.sealing_key(i16::from_be_bytes(*version)).ok_or(Unsealable)?;
        XChaCha20Poly1305::new(&Key::from(key))
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: place.as_bytes() })
            .map_err(|_| Unsealable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: [u8; 32] = *b"the first of two peppers, 32 by.";
    const SECOND: [u8; 32] = *b"the other of two peppers, 32 by.";

    #[test]
    fn a_sealed_secret_opens_only_in_its_place_and_whole() {
        let peppers = Peppers::new(vec![(1, FIRST)]).unwrap();
        let sealed = peppers.seal("certificates/a/private_key", &[7; NONCE_BYTES], b"secret");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(peppers.open("certificates/a/private_key", &sealed).as_deref(), Ok(&b"secret"[..]));
        assert_eq!(peppers.open("certificates/b/private_key", &sealed), Err(Unsealable));
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(peppers.open("certificates/a/private_key", &damaged), Err(Unsealable), "byte {at}");
            assert_eq!(peppers.open("certificates/a/private_key", &sealed[..at]), Err(Unsealable));
        }
    }

    #[test]
    fn what_was_sealed_before_a_rotation_opens_after_it_and_nothing_without_the_pepper() {
        let before = Peppers::new(vec![(1, FIRST)]).unwrap();
        let after = Peppers::new(vec![(1, FIRST), (2, SECOND)]).unwrap();
        let sealed = before.seal("t/r/c", &[1; NONCE_BYTES], b"x");
        assert_eq!(after.open("t/r/c", &sealed).as_deref(), Ok(&b"x"[..]));
        assert_eq!(before.open("t/r/c", &after.seal("t/r/c", &[1; NONCE_BYTES], b"x")), Err(Unsealable));
    }
}
