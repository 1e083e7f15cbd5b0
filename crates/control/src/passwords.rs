//! Passwords: argon2id with 64 MiB and three passes, a few at a time.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::Semaphore;

use crate::{Error, Result};

use crate::password_rules::PASSWORD_CHARS_MAX;

/// How many may wait for a slot before others are told to come back.
const QUEUE_MAX: usize = 50;

/// Hashes and checks passwords off the async threads. A hash takes 64 MiB, so the slots bound the memory that a
/// flood of sign-ins can take.
pub struct Passwords {
    argon2: Argon2<'static>,
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Checked where a user is unknown, so that the answer takes as long.
    decoy: String,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("slots", &self.slots.available_permits()).finish_non_exhaustive()
    }
}

impl Passwords {
    pub fn new(slots: usize) -> Self {
        let params = Params::new(64 * 1024, 3, 1, None).expect("the parameters are within argon2's bounds");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = argon2
            .hash_password(b"nobody has this password")
            .map(|hash| hash.to_string())
            .expect("hashing a constant works where the system has random numbers");
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { argon2, slots: semaphore(slots.max(1)), queue: semaphore(QUEUE_MAX), decoy }
    }

    pub async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.run(move |argon2| {
            argon2
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
                .map_err(|error| Error::Internal(error.to_string().into()))
        })
        .await
    }

    /// Hashes under the salt and the parameters of another hash: equal to it where the password is the same, and else good
    /// to be compared together with it, at the price of one.
    pub async fn hash_beside(&self, password: &str, stored: Option<&str>) -> Result<String> {
        // Who signs in elsewhere has no hash here.
        let stored = stored.filter(|hash| hash.starts_with('$')).unwrap_or(&self.decoy).to_owned();
        // Longer ones are never stored, so hashing them would only be work for a stranger.
        let password: String = password.chars().take(PASSWORD_CHARS_MAX + 1).collect();
        self.run(move |_| {
            let fault = |error: argon2::password_hash::phc::Error| Error::Internal(error.to_string().into());
            let hash = PasswordHash::new(&stored).map_err(fault)?;
            let broken = |error: argon2::password_hash::Error| Error::Internal(error.to_string().into());
            let params = Params::try_from(&hash).map_err(broken)?;
            let salt = hash.salt.ok_or_else(|| Error::Internal("a stored hash has no salt".into()))?;
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            argon2
                .hash_password_with_salt(password.as_bytes(), salt.as_ref())
                .map(|hash| hash.to_string())
                .map_err(broken)
        })
        .await
    }

    /// Checks a password; with no stored hash it does the same work and says no.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        // Longer ones are never stored, so hashing them would only be work for a stranger.
        let password: String = password.chars().take(PASSWORD_CHARS_MAX + 1).collect();
        self.run(move |argon2| {
            let hash =
                PasswordHash::new(&stored).map_err(|error| Error::Internal(error.to_string().into()))?;
            Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Argon2<'static>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| Error::Busy)?;
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| Error::Busy)?;
        let argon2 = self.argon2.clone();
        // The permits go with the work, not with whoever waits for it: a caller that hangs up does not stop a hash.
        let work = move || {
            let _held = (place, slot);
            work(argon2)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(Box::new(error)))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_caller_that_hangs_up_keeps_its_slot_until_the_work_is_done() {
        let passwords = Passwords::new(1);
        let (started, has_started) = std::sync::mpsc::channel();
        let (finish, may_finish) = std::sync::mpsc::channel::<()>();
        let work = passwords.run(move |_| {
            started.send(()).map_err(|error| Error::Internal(Box::new(error)))?;
            may_finish.recv().map_err(|error| Error::Internal(Box::new(error)))
        });
        // Polled once, then dropped, as when a connection closes.
        assert!(tokio::time::timeout(std::time::Duration::ZERO, work).await.is_err());
        has_started.recv().expect("the work began");
        assert_eq!(passwords.slots.available_permits(), 0);
        finish.send(()).expect("the work still waits");
        let _slot = passwords.slots.acquire().await.expect("the slot comes back");
    }

    #[tokio::test]
    async fn hashes_beside_one_another_are_compared_at_the_price_of_one() {
        let passwords = Passwords::new(1);
        let first = passwords.hash("plain lamp seven boats").await.expect("hashes");
        let beside = |password| passwords.hash_beside(password, Some(&first));
        assert_eq!(beside("plain lamp seven boats").await.expect("hashes"), first);
        let other = beside("four blue lanterns over water").await.expect("hashes");
        assert!(passwords.verify("four blue lanterns over water", Some(&other)).await.expect("verifies"));
        assert!(!passwords.verify("plain lamp seven boats", Some(&other)).await.expect("verifies"));
        assert_ne!(passwords.hash_beside("plain lamp seven boats", None).await.expect("hashes"), first);
    }

    #[tokio::test]
    async fn a_hash_verifies_only_its_own_password() {
        let passwords = Passwords::new(1);
        let hash = passwords.hash("plain lamp seven boats").await.expect("hashes");
        assert!(hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{hash}");
        assert!(passwords.verify("plain lamp seven boats", Some(&hash)).await.expect("verifies"));
        assert!(!passwords.verify("plain lamp seven boat", Some(&hash)).await.expect("verifies"));
        assert!(!passwords.verify("nobody has this password", None).await.expect("verifies"));
    }
}
