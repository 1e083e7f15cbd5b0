//! Sessions as rows that only the browser's cookie can open.
//!
//! The session's id is in the cookie and nowhere else: the table has its hash to find the row by, and a payload that
//! is sealed under a key made from the id. So a copy of the database shows neither a session that could be used nor
//! the key that a developer has not looked at yet.

use std::fmt;

use async_trait::async_trait;
use chacha20poly1305::aead::{Aead, Generate, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use chrono::DateTime;
use sha2::{Digest, Sha256};
use tollgate_store::Store;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

use crate::session::owner_of;

const NONCE_BYTES: usize = 12;

/// The table of sessions.
#[derive(Clone)]
pub struct SessionRows(pub Store);

impl fmt::Debug for SessionRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionRows")
    }
}

/// What the row of a session is found by.
pub fn digest(id: Id) -> [u8; 32] {
    Sha256::digest(id.0.to_be_bytes()).into()
}

/// Another hash of the id than the one that the row is found by.
fn seal_of(id: Id) -> ChaCha20Poly1305 {
    let key = Sha256::new().chain_update(b"session payload").chain_update(id.0.to_be_bytes()).finalize();
    ChaCha20Poly1305::new(&key)
}

fn sealed(record: &Record) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    let nonce = Nonce::generate();
    let payload = seal_of(record.id)
        .encrypt(&nonce, plain.as_slice())
        .map_err(|error| Error::Encode(error.to_string()))?;
    Ok([nonce.as_slice(), &payload].concat())
}

/// What was sealed for this id; none for a row that is not whole or not this id's.
fn opened(id: Id, row: &[u8]) -> Option<Vec<u8>> {
    let (nonce, payload) = row.split_first_chunk::<NONCE_BYTES>()?;
    seal_of(id).decrypt(&(*nonce).into(), payload).ok()
}

fn ends(record: &Record) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(record.expiry_date.unix_timestamp(), 0).unwrap_or_default()
}

fn backend(error: tollgate_store::Error) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for SessionRows {
    async fn create(&self, record: &mut Record) -> Result<()> {
        loop {
            let (payload, owner) = (sealed(record)?, owner_of(record));
            if self
                .0
                .insert_session(&digest(record.id), &payload, owner.as_ref(), ends(record))
                .await
                .map_err(backend)?
            {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let (payload, owner) = (sealed(record)?, owner_of(record));
        // An update only: a request that was under way while another one signed out does not bring the session back.
        self.0
            .update_session(&digest(record.id), &payload, owner.as_ref(), ends(record))
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(row) = self.0.find_session(&digest(*id)).await.map_err(backend)? else { return Ok(None) };
        let Some(plain) = opened(*id, &row.payload) else { return Ok(None) };
        let data = serde_json::from_slice(&plain).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date = time::OffsetDateTime::from_unix_timestamp(row.expires_at.timestamp())
            .map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0.delete_session(&digest(*id)).await.map_err(backend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_opens_only_for_the_cookie_that_it_belongs_to() {
        let mut record =
            Record { id: Id(7), data: Default::default(), expiry_date: time::OffsetDateTime::UNIX_EPOCH };
        record.data.insert("secret".to_owned(), "tg_live_abc".into());
        let row = sealed(&record).unwrap();
        assert!(!row.windows(7).any(|part| part == b"tg_live"), "the row shows nothing");
        assert_ne!(row, sealed(&record).unwrap(), "two rows never look alike");
        assert_eq!(opened(Id(7), &row).unwrap(), br#"{"secret":"tg_live_abc"}"#);
        assert!(opened(Id(8), &row).is_none());
        assert!(opened(Id(7), &row[..row.len() - 1]).is_none());
        assert!(opened(Id(7), &[]).is_none());
    }
}
