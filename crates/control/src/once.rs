//! Writes that happen once, however often they are sent: the answer is kept in the transaction that made it.

use chacha20poly1305::aead::{Aead, Generate, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};

use crate::{Actor, Control, Error, Result};

const NONCE_BYTES: usize = 12;

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// The asker's: do it inside the unit, then [`Control::keep_answer`].
    Mine,
    /// Another request with the same key is at it.
    UnderWay,
    /// The key was used for another request.
    Other,
    /// It was done, with this answer.
    Done(Vec<u8>),
}

impl Control {
    /// Asks for the turn to do what a key stands for. Only inside a unit of work, which holds the turn until it ends.
    /// `request` is a SHA-256 of what is asked for.
    ///
    /// # Errors
    /// The database is away.
    pub async fn claim_once(&self, actor: &Actor, key: &str, request: &[u8; 32]) -> Result<Once> {
        let digests: Vec<[u8; 32]> =
            self.peppers.versions().filter_map(|version| self.key_digest(version, key)).collect();
        let actor = actor.audit_name().1.unwrap_or_default();
        let newest = self.key_digest(self.peppers.current(), key).ok_or(Error::Unavailable)?;
        let (first, of_actor) = (&newest[..8], &actor.as_bytes()[8..]);
        let lock: [u8; 8] = std::array::from_fn(|at| first[at] ^ of_actor[at]);
        if !self.store.lock_idempotency_key(i64::from_be_bytes(lock)).await? {
            return Ok(Once::UnderWay);
        }
        let Some(kept) = self.store.find_kept_answer(actor, &digests).await? else { return Ok(Once::Mine) };
        if kept.request != request {
            return Ok(Once::Other);
        }
        let opened =
            self.peppers.versions().find_map(|version| self.opened_answer(version, key, &kept.answer));
        // An answer that cannot be opened was kept under a pepper that is gone.
        Ok(opened.map_or(Once::Other, Once::Done))
    }

    /// Keeps the answer of what was done in this unit.
    ///
    /// # Errors
    /// The database is away.
    pub async fn keep_answer(
        &self,
        actor: &Actor,
        key: &str,
        request: &[u8; 32],
        answer: &[u8],
    ) -> Result<()> {
        let version = self.peppers.current();
        let digest = self.key_digest(version, key).ok_or(Error::Unavailable)?;
        let nonce = Nonce::generate();
        let sealed = self
            .seal_of(version, key)
            .and_then(|seal| seal.encrypt(&nonce, answer).ok())
            .ok_or(Error::Unavailable)?;
        let actor = actor.audit_name().1.unwrap_or_default();
        let answer = [nonce.as_slice(), &sealed].concat();
        Ok(self.store.keep_answer(actor, &digest, request, &answer).await?)
    }

    fn key_digest(&self, version: i16, key: &str) -> Option<[u8; 32]> {
        self.peppers.digest(version, &format!("idempotency key {key}"))
    }

    /// Made from the key as it was sent, which is kept nowhere: the database alone opens no answer.
    fn seal_of(&self, version: i16, key: &str) -> Option<ChaCha20Poly1305> {
        let secret = self.peppers.digest(version, &format!("idempotent answer {key}"))?;
        Some(ChaCha20Poly1305::new(&secret.into()))
    }

    fn opened_answer(&self, version: i16, key: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, payload) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.seal_of(version, key)?.decrypt(&(*nonce).into(), payload).ok()
    }
}
