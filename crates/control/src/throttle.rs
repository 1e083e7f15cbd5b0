//! Slowing guessers down without locking owners out.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::{Control, Error, Result};

/// Failures of one e-mail from one address within [`WINDOW_MINUTES`].
const PAIR_MAX: i64 = 10;
/// Failures from one address within [`WINDOW_MINUTES`].
const ADDRESS_MAX: i64 = 100;
const WINDOW_MINUTES: i32 = 15;
/// Accounts made from one address within an hour.
const SIGN_UPS_MAX: i64 = 60;
/// Command lines that ask to be let in from one address within an hour.
const DEVICE_STARTS_MAX: i64 = 30;
/// Calls of guests from one network within an hour.
const GUEST_CALLS_MAX: i64 = 30;
/// Calls of all guests within an hour.
const ALL_GUEST_CALLS_MAX: i64 = 1_000;
/// Mails asked for to one address within an hour.
const MAILS_MAX: i64 = 5;

/// Who tries: an e-mail from an address, and the address by itself. Never the e-mail alone, so that a stranger
/// cannot lock its owner out.
pub struct Subjects {
    pair: [u8; 32],
    address: [u8; 32],
    sign_up: [u8; 32],
    mail: [u8; 32],
}

impl Subjects {
    pub fn new(email: &str, address: Option<IpAddr>) -> Self {
        let address = address.map(coarse).unwrap_or_default();
        let hash = |kind: &str, text: &str| Sha256::digest(format!("{kind}\0{address}\0{text}")).into();
        Self {
            pair: hash("pair", &email.to_lowercase()),
            address: hash("address", ""),
            sign_up: hash("sign-up", ""),
            mail: Sha256::digest(format!("mail\0{}", email.to_lowercase())).into(),
        }
    }
}

/// A guest's network, and all guests.
pub struct Guests {
    network: [u8; 32],
    all: [u8; 32],
}

impl Guests {
    pub fn new(address: Option<IpAddr>) -> Self {
        let address = address.map(coarse).unwrap_or_default();
        Self {
            network: Sha256::digest(format!("guest\0{address}\0")).into(),
            all: Sha256::digest("guests\0").into(),
        }
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
        let pair = self.store.count_attempts(&subjects.pair, WINDOW_MINUTES).await?;
        let address = self.store.count_attempts(&subjects.address, WINDOW_MINUTES).await?;
        if pair >= PAIR_MAX || address >= ADDRESS_MAX {
            return Err(Error::TooManyTries(WINDOW_MINUTES.unsigned_abs() * 60));
        }
        Ok(())
    }

    /// Each account comes with a free quota, so one address cannot make them without end.
    pub(crate) async fn check_sign_ups(&self, subjects: &Subjects) -> Result<()> {
        if self.store.count_attempts(&subjects.sign_up, 60).await? >= SIGN_UPS_MAX {
            return Err(Error::TooManyTries(3_600));
        }
        // Signing up tells whether a password opens an account, so each counts as a guess at it.
        Ok(self.store.insert_attempts(&[subjects.sign_up, subjects.pair]).await?)
    }

    /// Mails that anybody can have sent to an address, whoever asks: nobody's mailbox is filled from here.
    pub(crate) async fn check_mails(&self, subjects: &Subjects) -> Result<()> {
        if self.store.count_attempts(&subjects.mail, 60).await? >= MAILS_MAX {
            return Err(Error::TooManyTries(3_600));
        }
        Ok(self.store.insert_attempts(&[subjects.mail]).await?)
    }

    /// Each command line that waits can be guessed at, so one address cannot begin very many.
    pub(crate) async fn check_device_starts(&self, address: Option<IpAddr>) -> Result<()> {
        let address = address.map(coarse).unwrap_or_default();
        let starts = Sha256::digest(format!("device\0{address}\0")).into();
        if self.store.count_attempts(&starts, 60).await? >= DEVICE_STARTS_MAX {
            return Err(Error::TooManyTries(3_600));
        }
        Ok(self.store.insert_attempts(&[starts]).await?)
    }

    /// Takes one call from what guests have; refuses where it is used up.
    pub(crate) async fn take_guest_call(&self, guests: &Guests) -> Result<()> {
        let network = self.store.count_attempts(&guests.network, 60).await?;
        let all = self.store.count_attempts(&guests.all, 60).await?;
        if network >= GUEST_CALLS_MAX || all >= ALL_GUEST_CALLS_MAX {
            return Err(Error::TooManyTries(3_600));
        }
        Ok(self.store.insert_attempts(&[guests.network, guests.all]).await?)
    }

    pub(crate) async fn note_failure(&self, subjects: &Subjects) -> Result<()> {
        Ok(self.store.insert_attempts(&[subjects.pair, subjects.address]).await?)
    }
}
