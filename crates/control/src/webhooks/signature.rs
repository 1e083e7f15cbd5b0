//! Secrets of webhooks and what is signed with them (Standard Webhooks 1.0).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::Sha256;

use crate::{Error, Result};

/// As the specification recommends: 24 to 64.
const SECRET_BYTES: usize = 32;
const PREFIX: &str = "whsec_";

/// What deliveries to one webhook are signed with.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    /// A new one.
    pub(super) fn draw() -> Result<Self> {
        let mut bytes = vec![0; SECRET_BYTES];
        OsRng.try_fill_bytes(&mut bytes).map_err(|error| Error::Internal(Box::new(error)))?;
        Ok(Self(bytes))
    }

    pub(super) const fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As its owner copies it.
    pub(super) fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// `v1,…` over id, time and body.
    pub(super) fn sign(&self, id: &str, at: DateTime<Utc>, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{}.", at.timestamp()).as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn a_signature_is_that_of_the_standard() {
        let bytes = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let at = DateTime::from_timestamp(1_614_265_330, 0).expect("an instant");
        let signature =
            Secret::of(bytes).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_drawn_anew_and_written_as_the_standard_says() {
        let (one, two) = (Secret::draw().expect("random"), Secret::draw().expect("random"));
        assert!(one != two && one.text().starts_with("whsec_") && one.text().len() == 6 + 44);
    }
}
