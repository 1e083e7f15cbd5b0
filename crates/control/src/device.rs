//! Signing a command line in (OAuth 2.0 Device Authorization Grant, RFC 8628): it shows a code, somebody who is signed in lets it
//! have a sandbox key of an application of theirs, and it fetches that.

use std::net::IpAddr;

use chrono::{TimeDelta, Utc};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde_json::json;
use tollgate_domain::{ApplicationId, Environment, Restrictions, Scope, UserId};
use tollgate_store::DeviceSignInRow;

use crate::actor::Who;
use crate::change::Subject;
use crate::links::{digest, random_token};
use crate::throttle::Subjects;
use crate::{Actor, Control, CredentialInput, Error, MintedKey, Result, SecretText};

/// How long a code can be typed and a key fetched, in seconds.
pub const DEVICE_SECONDS: i32 = 600;
/// How long a command line waits between two questions, in seconds.
pub const DEVICE_INTERVAL_SECONDS: i64 = 5;
/// Consonants: no words come out, and none is mistaken for another.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const CODE_CHARS: usize = 8;
/// How often a taken code is drawn anew.
const DRAWS_MAX: usize = 4;

/// What a command line is told at first.
#[derive(Debug)]
pub struct DeviceCodes {
    /// What it asks with.
    pub device_code: SecretText,
    /// What a person types, like `WDJB-MJHT`.
    pub user_code: String,
}

/// What a command line is told when it asks.
#[derive(Debug)]
pub enum DeviceAnswer {
    /// Nobody has decided.
    Waiting,
    /// It asks too often.
    TooSoon,
    /// Somebody said no.
    Denied,
    /// The code ended, was used, or never was.
    Over,
    /// It was let in; this is told once.
    Allowed(MintedKey),
}

/// A code as it is stored: what people add or change when they type is forgiven.
fn plain(typed: &str) -> Option<String> {
    let letters: String =
        typed.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| c.to_ascii_uppercase()).collect();
    let known = letters.len() == CODE_CHARS && letters.bytes().all(|byte| LETTERS.contains(&byte));
    known.then_some(letters)
}

fn draw() -> Result<String> {
    let mut code = String::with_capacity(CODE_CHARS);
    while code.len() < CODE_CHARS {
        let mut random = [0u8; 1];
        OsRng.try_fill_bytes(&mut random).map_err(|error| Error::Internal(Box::new(error)))?;
        // 240 is the largest multiple of 20 in a byte: every letter is as likely as any other.
        if random[0] < 240 {
            code.push(char::from(LETTERS[usize::from(random[0]) % LETTERS.len()]));
        }
    }
    Ok(code)
}

impl Control {
    /// Begins: codes for a command line that asks from this address.
    ///
    /// # Errors
    /// `TooManyTries` for an address that asks for very many; or the database is away.
    pub async fn begin_device(&self, address: Option<IpAddr>) -> Result<DeviceCodes> {
        self.check_device_starts(address).await?;
        let device_code = random_token()?;
        let from = address.map(|address| address.to_canonical().to_string()).unwrap_or_default();
        for _ in 0..DRAWS_MAX {
            let code = draw()?;
            let stored = digest(device_code.reveal());
            if self.store.insert_device_sign_in(&stored, &code, &from, DEVICE_SECONDS).await? {
                let (first, last) = code.split_at(CODE_CHARS / 2);
                return Ok(DeviceCodes { device_code, user_code: format!("{first}-{last}") });
            }
        }
        Err(Error::Busy)
    }

    /// What waits under a code that a person typed. Wrong ones are counted, so that none is found by trying.
    ///
    /// # Errors
    /// `Invalid` with `/user_code`; `TooManyTries`.
    pub async fn find_device(
        &self,
        user: UserId,
        address: Option<IpAddr>,
        typed: &str,
    ) -> Result<DeviceSignInRow> {
        let subjects = Subjects::new(&format!("device of {user}"), address);
        self.check_throttle(&subjects).await?;
        let found = match plain(typed) {
            Some(code) => self.store.find_waiting_device(&code).await?,
            None => None,
        };
        match found {
            Some(row) => Ok(row),
            None => {
                self.note_failure(&subjects).await?;
                Err(Error::invalid(
                    "/user_code",
                    "no command line waits under this code; codes end after 10 minutes",
                ))
            }
        }
    }

    /// Lets the command line behind a code have a sandbox key of an application, or turns it away.
    ///
    /// # Errors
    /// As [`Control::find_device`]; `NotFound` where the application is not the actor's; or the actor may only read.
    pub async fn decide_device(
        &self,
        actor: &Actor,
        address: Option<IpAddr>,
        typed: &str,
        application: Option<ApplicationId>,
    ) -> Result<()> {
        let Who::Member { user_id, organization_id, .. } = actor.who else { return Err(Error::Forbidden) };
        let row = self.find_device(user_id, address, typed).await?;
        if let Some(application) = application {
            let scope = actor.tenants(true)?;
            self.store.get_application(scope, application).await?;
        }
        let mut change = self.change(actor).await?;
        if !change.tx.decide_device(&row.user_code, user_id, application).await? {
            return Err(Error::invalid(
                "/user_code",
                "somebody decided on this code meanwhile, or it has ended",
            ));
        }
        let subject = Subject { kind: "user", id: user_id.uuid(), organization: Some(organization_id) };
        let action = if application.is_some() { "user.device.allow" } else { "user.device.deny" };
        change.commit(action, subject, json!({ "application_id": application, "from": row.asked_from })).await
    }

    /// Answers a command line; where it was let in, its key is made now and told once.
    ///
    /// # Errors
    /// What making a key refuses; or the database is away.
    pub async fn poll_device(&self, device_code: &str) -> Result<DeviceAnswer> {
        let digest = digest(device_code);
        let Some(row) = self.store.poll_device(&digest).await? else { return Ok(DeviceAnswer::Over) };
        let now = Utc::now();
        if row.expires_at <= now {
            return Ok(DeviceAnswer::Over);
        }
        // A second is forgiven: clocks and networks are not exact.
        let pause = TimeDelta::seconds(DEVICE_INTERVAL_SECONDS - 1);
        if row.polled_at.is_some_and(|at| now - at < pause) {
            return Ok(DeviceAnswer::TooSoon);
        }
        match (row.allowed(), row.state.as_str()) {
            (Some((user, application)), "allowed") => self.hand_out(&digest, user, application).await,
            (_, "denied") => Ok(DeviceAnswer::Denied),
            _ => Ok(DeviceAnswer::Waiting),
        }
    }

    /// Who let it in may have lost what they gave since: their rights are asked for again.
    async fn hand_out(
        &self,
        digest: &[u8; 32],
        user_id: UserId,
        application: ApplicationId,
    ) -> Result<DeviceAnswer> {
        let memberships = self.store.list_memberships(user_id).await?;
        let row = match self.store.get_application(Scope::Operator, application).await {
            Err(tollgate_store::Error::NotFound(_)) => return Ok(DeviceAnswer::Denied),
            row => row?,
        };
        let own = memberships.iter().find(|one| one.organization_id == row.organization_id);
        let user = self.store.find_user(user_id).await?.filter(|user| user.disabled_at.is_none());
        let (Some(own), Some(_)) = (own, user) else { return Ok(DeviceAnswer::Denied) };
        let who = Who::Member { user_id, organization_id: own.organization_id, role: own.role };
        let unit = self.open_unit().await?;
        let inside = unit.control();
        let mut tx = inside.store.begin().await?;
        if !tx.take_device(digest).await? {
            return Ok(DeviceAnswer::Over);
        }
        tx.commit().await?;
        let input = CredentialInput {
            name: format!("Command line, {}", Utc::now().format("%Y-%m-%d")),
            environment: Environment::Test,
            expires_at: None,
            restrictions: Restrictions::default(),
        };
        let minted = inside.create_credential(&Actor::new(who, None), application, input).await?;
        unit.commit().await?;
        Ok(DeviceAnswer::Allowed(minted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it_and_nothing_else_is_one() {
        assert_eq!(plain(" wdjb-mjht ").as_deref(), Some("WDJBMJHT"));
        assert_eq!(plain("WDJB MJHT").as_deref(), Some("WDJBMJHT"));
        for bad in ["", "WDJB-MJH", "WDJB-MJHTT", "AEIO-UAEI", "WDJB-MJH1", "ẞDJB-MJHT"] {
            assert_eq!(plain(bad), None, "{bad}");
        }
        assert!(plain(&draw().expect("random bytes")).is_some());
    }
}
