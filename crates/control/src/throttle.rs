//! Slowing guessers down without locking owners out.

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use tollgate_domain::UserId;
use uuid::Uuid;

use crate::{Control, Error, Result};

/// Failures of one e-mail from one address within [`WINDOW_MINUTES`].
const PAIR_MAX: i64 = 10;
/// Failures from one address within [`WINDOW_MINUTES`].
const ADDRESS_MAX: i64 = 100;
const WINDOW_MINUTES: i32 = 15;
/// Failures at one account from wherever within an hour (NIST SP 800-63B-4, section 3.2.2: at most a hundred in a row).
const ACCOUNT_MAX: i64 = 100;
/// Once there were so many, one try in so many seconds is looked at of all that come from networks which the account's owner
/// never signed in from.
const TURN_SECONDS: u32 = 60;
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

/// Who tries: an e-mail from an address, the address by itself, and the e-mail by itself. The last never closes an
/// account, so that strangers cannot lock its owner out: it slows down those who come from elsewhere than its owner does.
pub struct Subjects {
    pair: [u8; 32],
    account: [u8; 32],
    turn: [u8; 32],
    address: [u8; 32],
    sign_up: [u8; 32],
    mail: [u8; 32],
    network: String,
}

impl Subjects {
    pub fn new(email: &str, address: Option<IpAddr>) -> Self {
        let network = address.map(coarse).unwrap_or_default();
        let hash = |kind: &str, text: &str| Sha256::digest(format!("{kind}\0{network}\0{text}")).into();
        Self {
            pair: hash("pair", &email.to_lowercase()),
            account: Sha256::digest(format!("account\0{}", email.to_lowercase())).into(),
            turn: Sha256::digest(format!("turn\0{}", email.to_lowercase())).into(),
            address: hash("address", ""),
            sign_up: hash("sign-up", ""),
            mail: Sha256::digest(format!("mail\0{}", email.to_lowercase())).into(),
            network,
        }
    }

    /// The network they come from as one of a user's.
    fn network_of(&self, user: UserId) -> [u8; 32] {
        Sha256::digest(format!("known\0{}\0{user}", self.network)).into()
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

    /// A guess at an account's password, from wherever. Where very many failed, whoever comes from a network that its owner has
    /// signed in from before is let through as ever, and all others together wait for their turn. Other ways in (a passkey,
    /// a provider, a new password by mail) are not touched.
    pub(crate) async fn check_guess(&self, subjects: &Subjects, owner: Option<UserId>) -> Result<()> {
        self.check_throttle(subjects).await?;
        // Who has no account is looked for like everybody else.
        let owner = owner.unwrap_or_else(|| UserId::from(Uuid::nil()));
        if self.store.count_attempts(&subjects.account, 60).await? < ACCOUNT_MAX
            || self.store.is_known_network(owner, &subjects.network_of(owner)).await?
            || self.store.take_one_attempt(&subjects.turn, TURN_SECONDS).await?
        {
            return Ok(());
        }
        Err(Error::TooManyTries(TURN_SECONDS))
    }

    /// A guess that was wrong.
    pub(crate) async fn note_wrong_guess(&self, subjects: &Subjects) -> Result<()> {
        Ok(self.store.insert_attempts(&[subjects.pair, subjects.address, subjects.account]).await?)
    }

    /// A guess that was right: its network is this user's from now on.
    pub(crate) async fn note_right_guess(&self, subjects: &Subjects, user: UserId) -> Result<()> {
        Ok(self.store.put_known_network(user, &subjects.network_of(user)).await?)
    }

    /// Each account comes with a free quota, so one address cannot make them without end.
    pub(crate) async fn check_sign_ups(&self, subjects: &Subjects) -> Result<()> {
        if self.store.count_attempts(&subjects.sign_up, 60).await? >= SIGN_UPS_MAX {
            return Err(Error::TooManyTries(3_600));
        }
        // Signing up tells whether a password opens an account, so each counts as a guess at it.
        Ok(self.store.insert_attempts(&[subjects.sign_up, subjects.pair, subjects.account]).await?)
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
