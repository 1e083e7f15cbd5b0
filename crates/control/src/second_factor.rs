//! The second factor: time-based one-time passwords (RFC 6238), and recovery codes for when the phone is lost.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde_json::json;
use sha1::Sha1;
use subtle::ConstantTimeEq;
use tollgate_domain::UserId;

use crate::change::Subject;
use crate::throttle::Subjects;
use crate::{Actor, Control, Error, Result, SecretText};

/// 160 bits, as RFC 4226 recommends for HMAC-SHA-1.
const SECRET_BYTES: usize = 20;
const STEP_SECONDS: i64 = 30;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Without the letters and digits that are mistaken for one another.
const CODE_LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
const CODES: usize = 10;
const CODE_LEN: usize = 10;

/// A secret that somebody is about to take into their authenticator.
#[derive(Debug, Clone)]
pub struct NewFactor {
    /// Base32, to be typed.
    pub secret: SecretText,
    /// `otpauth://` for a QR code.
    pub url: SecretText,
}

/// Writes bytes as base32 without padding (RFC 4648).
fn base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(BASE32[((held >> bits) & 31) as usize]));
        }
    }
    out
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.bytes() {
        let digit = BASE32.iter().position(|letter| *letter == byte)?;
        held = ((held << 5) | digit as u32) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
        }
    }
    Some(out)
}

/// The six digits of a step (RFC 4226, section 5.3).
fn code_of(secret: &[u8], step: i64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes([digest[at] & 0x7f, digest[at + 1], digest[at + 2], digest[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// The step that a code is of: the current one, or a neighbour, for clocks that are off by half a minute.
fn step_of(secret: &[u8], code: &str, now: DateTime<Utc>) -> Option<i64> {
    let current = now.timestamp() / STEP_SECONDS;
    [current, current - 1, current + 1]
        .into_iter()
        .find(|step| bool::from(code_of(secret, *step).as_bytes().ct_eq(code.as_bytes())))
}

pub(crate) fn place(user: UserId) -> String {
    format!("second_factors/{user}/sealed")
}

impl Control {
    /// Draws a secret for somebody's authenticator. Nothing is kept: it counts once a code of it was shown.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn draw_second_factor(email: &str, site: &str) -> Result<NewFactor> {
        let mut random = [0u8; SECRET_BYTES];
        OsRng.try_fill_bytes(&mut random).map_err(|error| Error::Internal(Box::new(error)))?;
        let secret = base32(&random);
        Ok(Self::known_second_factor(&secret, email, site))
    }

    /// The same secret again, while it has not been confirmed.
    #[must_use]
    pub fn known_second_factor(secret: &str, email: &str, site: &str) -> NewFactor {
        let encoded = |text: &str| {
            text.bytes().fold(String::new(), |out, byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    out + &char::from(byte).to_string()
                }
                other => out + &format!("%{other:02X}"),
            })
        };
        let (site, email) = (encoded(site), encoded(email));
        let url = format!("otpauth://totp/{site}:{email}?secret={secret}&issuer={site}");
        NewFactor { secret: SecretText::new(secret.to_owned()), url: SecretText::new(url) }
    }

    /// Sets the second factor up, once a code of it and the password are right; returns the recovery codes, to be shown
    /// once.
    ///
    /// # Errors
    /// `Invalid` with `/code` or `/password`; `Conflict` while the address is not confirmed; `TooManyTries`.
    pub async fn confirm_second_factor(
        &self,
        actor: &Actor,
        user_id: UserId,
        secret: &str,
        code: &str,
        password: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<SecretText>> {
        let user = self.check_password(user_id, password).await?;
        if user.email_verified_at.is_none() {
            // Else whoever claims an address first could lock its owner out of it.
            return Err(Error::Conflict("confirm your e-mail address first".to_owned()));
        }
        let secret = unbase32(secret).filter(|bytes| bytes.len() == SECRET_BYTES).ok_or(Error::DeadLink)?;
        let Some(step) = step_of(&secret, code.trim(), now) else {
            return Err(Error::invalid("/code", "the six digits that the authenticator shows now"));
        };
        let mut nonce = [0; 24];
        OsRng.try_fill_bytes(&mut nonce).map_err(|error| Error::Internal(Box::new(error)))?;
        let sealed = self.peppers.seal(&place(user_id), &nonce, &secret);
        let (codes, digests) = self.draw_recovery_codes()?;
        let mut change = self.change(actor).await?;
        change.tx.insert_second_factor(user_id, &sealed, step).await?;
        change.tx.replace_recovery_codes(user_id, &digests, self.peppers.current()).await?;
        change.commit("user.second_factor.create", subject(user_id), json!({})).await?;
        Ok(codes)
    }

    /// New recovery codes in place of the old ones.
    ///
    /// # Errors
    /// `Invalid` with `/password`; `NotFound` without a second factor.
    pub async fn renew_recovery_codes(
        &self,
        actor: &Actor,
        user_id: UserId,
        password: &str,
    ) -> Result<Vec<SecretText>> {
        self.check_password(user_id, password).await?;
        self.store.find_second_factor(user_id).await?.ok_or(Error::NotFound("second factor"))?;
        let (codes, digests) = self.draw_recovery_codes()?;
        let mut change = self.change(actor).await?;
        change.tx.replace_recovery_codes(user_id, &digests, self.peppers.current()).await?;
        change.commit("user.recovery_codes.renew", subject(user_id), json!({})).await?;
        Ok(codes)
    }

    /// Takes the second factor away.
    ///
    /// # Errors
    /// `Invalid` with `/password`.
    pub async fn remove_second_factor(&self, actor: &Actor, user_id: UserId, password: &str) -> Result<()> {
        self.check_password(user_id, password).await?;
        let mut change = self.change(actor).await?;
        if change.tx.delete_second_factor(user_id).await? {
            change.commit("user.second_factor.delete", subject(user_id), json!({})).await?;
        }
        Ok(())
    }

    /// Whether somebody who knows the password also has the second factor: the code of now, or a recovery code. Each is
    /// good once.
    ///
    /// # Errors
    /// `Invalid` with `/code`; `TooManyTries`.
    pub async fn check_second_factor(&self, user_id: UserId, code: &str, now: DateTime<Utc>) -> Result<()> {
        let Some(factor) = self.store.find_second_factor(user_id).await? else { return Ok(()) };
        // Counted for the user alone: only who knows the password gets here.
        let subjects = Subjects::new(&format!("second factor of {user_id}"), None);
        self.check_throttle(&subjects).await?;
        let typed: String =
            code.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_lowercase();
        let secret = self.peppers.open(&place(user_id), &factor.sealed);
        let secret = secret.map_err(|error| Error::Internal(Box::new(error)))?;
        let right = match step_of(&secret, &typed, now) {
            Some(step) => self.store.take_factor_step(user_id, step).await?,
            None => self.take_recovery_code(user_id, &typed).await?,
        };
        if right {
            return Ok(());
        }
        self.note_failure(&subjects).await?;
        Err(Error::invalid("/code", "this code is wrong or was used; wait for the next one"))
    }

    async fn take_recovery_code(&self, user_id: UserId, typed: &str) -> Result<bool> {
        for version in self.peppers.versions() {
            if let Some(digest) = self.peppers.digest(version, &code_text(typed))
                && self.store.take_recovery_code(user_id, &digest).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn draw_recovery_codes(&self) -> Result<(Vec<SecretText>, Vec<[u8; 32]>)> {
        let mut random = [0u8; CODES * CODE_LEN];
        OsRng.try_fill_bytes(&mut random).map_err(|error| Error::Internal(Box::new(error)))?;
        let version = self.peppers.current();
        let drawn = random.chunks(CODE_LEN).map(|bytes| {
            let code: String =
                bytes.iter().map(|byte| char::from(CODE_LETTERS[usize::from(byte & 31)])).collect();
            let digest = self
                .peppers
                .digest(version, &code_text(&code))
                .expect("the current pepper is one of the peppers");
            (SecretText::new(format!("{}-{}", &code[..5], &code[5..])), digest)
        });
        Ok(drawn.unzip())
    }
}

/// What is hashed of a recovery code: nothing else that is hashed under the pepper begins like it.
fn code_text(code: &str) -> String {
    format!("recovery code {code}")
}

const fn subject(user: UserId) -> Subject {
    Subject { kind: "user", id: user.uuid(), organization: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of eight digits.
        let secret = b"12345678901234567890";
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(code_of(secret, seconds / STEP_SECONDS), code, "{seconds}");
        }
        assert_eq!(base32(secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(unbase32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").as_deref(), Some(&secret[..]));
        assert_eq!(unbase32("not base 32!"), None);
    }

    #[test]
    fn a_clock_may_be_off_by_half_a_minute_and_no_more() {
        let secret = b"12345678901234567890";
        let at = |seconds: i64| DateTime::from_timestamp(1_111_111_100 + seconds, 0).expect("an instant");
        let code = code_of(secret, 1_111_111_100 / STEP_SECONDS);
        for (seconds, taken) in [(0, true), (30, true), (-30, true), (61, false), (-61, false)] {
            assert_eq!(step_of(secret, &code, at(seconds)).is_some(), taken, "{seconds}");
        }
        assert_eq!(step_of(secret, "", at(0)), None);
    }
}
