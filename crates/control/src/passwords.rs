//! Passwords: argon2id with 64 MiB and three passes, a few at a time.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::Semaphore;

use crate::{Error, FieldFault, Result};

/// The shortest password, in characters (NIST SP 800-63B-4: 15 where it is the only factor).
pub const PASSWORD_CHARS_MIN: usize = 15;
/// The longest, so that hashing has a bound.
pub const PASSWORD_CHARS_MAX: usize = 128;

/// How many may wait for a slot before others are told to come back.
const QUEUE_MAX: usize = 50;

/// Long passwords that guessers try first.
const WELL_KNOWN: &[&str] = &[
    "correct horse battery staple",
    "correcthorsebatterystaple",
    "passwordpassword",
    "password12345678",
    "passw0rdpassw0rd",
    "qwertyuiopasdfgh",
    "qwertyuiopasdfghjkl",
    "1q2w3e4r5t6y7u8i",
    "iloveyouiloveyou",
    "thisismypassword",
    "administratoradministrator",
];

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

/// The rules for a new password. No composition rules: length and not being guessable from what is known.
pub fn check_new(password: &str, email: &str, faults: &mut Vec<FieldFault>) {
    let mut refuse = |message: String| faults.push(FieldFault::new("/password", message));
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN {
        return refuse(format!(
            "at least {PASSWORD_CHARS_MIN} characters; three or four random words are good"
        ));
    }
    if chars > PASSWORD_CHARS_MAX {
        return refuse(format!("at most {PASSWORD_CHARS_MAX} characters"));
    }
    let lower = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    let stripped = lower.replace("tollgate", "").replace("password", "").replace(local, "");
    let mut distinct: Vec<char> = stripped.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if WELL_KNOWN.contains(&lower.as_str()) || distinct.len() < 5 || is_sequence(&lower) {
        refuse("this password is easy to guess; take three or four random words".to_owned());
    }
}

/// Whether nearly every character follows its neighbour, as in `123456789012345` or `abcdefghijklmno`.
fn is_sequence(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let steps = chars.windows(2).filter(|pair| u32::from(pair[1]).abs_diff(u32::from(pair[0])) <= 1).count();
    steps * 10 >= chars.len().saturating_sub(1) * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_passwords_are_refused() {
        let faults_of = |password: &str| {
            let mut faults = Vec::new();
            check_new(password, "maria@example.com", &mut faults);
            faults.len()
        };
        for bad in [
            "fourteen chars",
            "aaaaaaaaaaaaaaaaaa",
            "123456789012345",
            "abcdefghijklmnopq",
            "Correct Horse Battery Staple",
            "mariamariamariamaria",
            "tollgatetollgatetollgate",
            &"long ".repeat(30),
        ] {
            assert_eq!(faults_of(bad), 1, "{bad}");
        }
        for good in [
            "plain lamp seven boats",
            " leading space is kept ",
            "ünïcödé pässwörter",
            &"x7".repeat(8).replace("x7x7", "x7qz b"),
        ] {
            assert_eq!(faults_of(good), 0, "{good}");
        }
    }

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
    async fn a_hash_verifies_only_its_own_password() {
        let passwords = Passwords::new(1);
        let hash = passwords.hash("plain lamp seven boats").await.expect("hashes");
        assert!(hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{hash}");
        assert!(passwords.verify("plain lamp seven boats", Some(&hash)).await.expect("verifies"));
        assert!(!passwords.verify("plain lamp seven boat", Some(&hash)).await.expect("verifies"));
        assert!(!passwords.verify("nobody has this password", None).await.expect("verifies"));
    }
}
