//! Links in mails that prove something: random, short-lived, good once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use tollgate_domain::UserId;

use crate::{Control, Error, Result, SecretText};

/// What a link is for; one for another purpose opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Proves that an address is its user's.
    Verify,
    /// Sets a new password.
    Reset,
}

impl Purpose {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
        }
    }

    /// How long the link works.
    pub const fn minutes(self) -> i32 {
        match self {
            Self::Verify => 24 * 60,
            Self::Reset => 10,
        }
    }
}

/// 256 random bits for a URL.
pub fn random_token() -> Result<SecretText> {
    let mut random = [0u8; 32];
    OsRng.try_fill_bytes(&mut random).map_err(|error| Error::Internal(Box::new(error)))?;
    Ok(SecretText::new(URL_SAFE_NO_PAD.encode(random)))
}

/// What is stored of a token.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl Control {
    /// Makes a link's token. Links of the same purpose that were sent to the user before stop working, so that one that is
    /// lost in a mailbox is worth nothing.
    pub(crate) async fn make_link(&self, user: UserId, purpose: Purpose) -> Result<SecretText> {
        let token = random_token()?;
        let mut tx = self.store.begin().await?;
        tx.insert_account_link(&digest(token.reveal()), user, purpose.name(), purpose.minutes()).await?;
        tx.commit().await?;
        Ok(token)
    }
}
