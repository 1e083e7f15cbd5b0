//! Grants: leave to make one call as a key whose text nobody holds, signed by who shares the peppers.
//!
//! The portal tries calls out for signed-in people and for guests. Keys are stored as digests, so it cannot send
//! one; it signs a grant for one key, one route and a few minutes instead, and the gateway takes it where a key
//! would stand. What is revoked, suspended or used up refuses a granted call like any other.

use std::fmt::Write as _;

use subtle::ConstantTimeEq;
use tollgate_domain::{ApplicationId, CredentialId, RouteId};
use uuid::Uuid;

use crate::key::Peppers;

/// What a grant begins with; no key does, for a key's third part has 49 characters.
const PREFIX: &str = "tgrelay_";
const SAID_LEN: usize = 16 * 3 + 4;
const MAC_LEN: usize = 32;

/// Leave for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The application that calls.
    pub application_id: ApplicationId,
    /// The key that the call is made and counted as.
    pub credential_id: CredentialId,
    /// The only route that it opens.
    pub route_id: RouteId,
    /// Unix seconds from which it opens nothing.
    pub expires_at_s: u32,
}

impl Grant {
    /// The text that is sent in the place of a key.
    #[must_use]
    pub fn sign(&self, peppers: &Peppers) -> String {
        let said = self.said();
        let mac = peppers.grant_mac(&said);
        let mut text = String::with_capacity(PREFIX.len() + 2 * (SAID_LEN + MAC_LEN));
        text.push_str(PREFIX);
        for byte in said.iter().chain(&mac) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Reads a grant that was signed under one of these peppers and holds at `now_s`.
    pub(crate) fn open(text: &str, peppers: &Peppers, now_s: u64) -> Option<Self> {
        let hex = text.strip_prefix(PREFIX)?.as_bytes();
        if hex.len() != 2 * (SAID_LEN + MAC_LEN) {
            return None;
        }
        let mut bytes = [0u8; SAID_LEN + MAC_LEN];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        let (said, mac) = bytes.split_at(SAID_LEN);
        let signed = peppers.grant_macs(said).any(|expected| bool::from(expected.as_slice().ct_eq(mac)));
        let id = |at: usize| said.get(at..at + 16).and_then(|id| Uuid::from_slice(id).ok());
        let grant = Self {
            application_id: id(0)?.into(),
            credential_id: id(16)?.into(),
            route_id: id(32)?.into(),
            expires_at_s: u32::from_be_bytes(said.get(48..)?.try_into().ok()?),
        };
        (signed && now_s < u64::from(grant.expires_at_s)).then_some(grant)
    }

    fn said(&self) -> [u8; SAID_LEN] {
        let mut said = [0u8; SAID_LEN];
        said[..16].copy_from_slice(self.application_id.uuid().as_bytes());
        said[16..32].copy_from_slice(self.credential_id.uuid().as_bytes());
        said[32..48].copy_from_slice(self.route_id.uuid().as_bytes());
        said[48..].copy_from_slice(&self.expires_at_s.to_be_bytes());
        said
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peppers(version: i16) -> Peppers {
        Peppers::new(vec![(version, *b"a pepper that only the tests use")]).expect("one")
    }

    fn grant() -> Grant {
        Grant {
            application_id: Uuid::from_u128(1).into(),
            credential_id: Uuid::from_u128(2).into(),
            route_id: Uuid::from_u128(3).into(),
            expires_at_s: 1_000,
        }
    }

    #[test]
    fn a_grant_reads_back_until_it_expires() {
        let text = grant().sign(&peppers(1));
        assert_eq!(Grant::open(&text, &peppers(1), 999), Some(grant()));
        assert_eq!(Grant::open(&text, &peppers(1), 1_000), None);
    }

    #[test]
    fn a_changed_foreign_or_cut_grant_opens_nothing() {
        let text = grant().sign(&peppers(1));
        for at in PREFIX.len()..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(Grant::open(&changed, &peppers(1), 0), None, "{changed}");
        }
        let other = Peppers::new(vec![(1, *b"another pepper, unknown to these")]).expect("one");
        assert_eq!(Grant::open(&text, &other, 0), None);
        for bad in ["", "tgrelay_", &text[..text.len() - 1], &format!("{text}0"), &text[1..]] {
            assert_eq!(Grant::open(bad, &peppers(1), 0), None, "{bad}");
        }
        assert!(crate::key::parse(&text).is_err(), "a grant is no key");
    }
}
