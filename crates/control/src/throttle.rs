//! Slowing guessers down without locking owners out.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::{Control, Error, Result};

/// Failures of one e-mail from one address within [`WINDOW_MINUTES`].
const PAIR_MAX: i64 = 10;
/// Failures from one address within [`WINDOW_MINUTES`].
const ADDRESS_MAX: i64 = 100;
const WINDOW_MINUTES: i32 = 15;

/// Who tries: an e-mail from an address, and the address by itself. Never the e-mail alone, so that a stranger
/// cannot lock its owner out.
pub struct Subjects {
    pair: [u8; 32],
    address: [u8; 32],
}

impl Subjects {
    pub fn new(email: &str, address: Option<IpAddr>) -> Self {
        let address = address.map(coarse).unwrap_or_default();
        let hash = |kind: &str, text: &str| Sha256::digest(format!("{kind}\0{address}\0{text}")).into();
        Self { pair: hash("pair", &email.to_lowercase()), address: hash("address", "") }
    }
}

/// One network: an IPv4 address, or an IPv6 /64, which one subscriber has for themselves.
fn coarse(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{:x?}", &v6.segments()[..4]),
    }
}

impl Control {
    pub(crate) async fn check_throttle(&self, subjects: &Subjects) -> Result<()> {
        let pair = self.store.count_failed_sign_ins(&subjects.pair, WINDOW_MINUTES).await?;
        let address = self.store.count_failed_sign_ins(&subjects.address, WINDOW_MINUTES).await?;
        if pair >= PAIR_MAX || address >= ADDRESS_MAX {
            return Err(Error::TooManyTries(WINDOW_MINUTES.unsigned_abs() * 60));
        }
        Ok(())
    }

    pub(crate) async fn note_failure(&self, subjects: &Subjects) -> Result<()> {
        Ok(self.store.insert_failed_sign_in(&[subjects.pair, subjects.address]).await?)
    }
}
