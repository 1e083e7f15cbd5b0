//! Passkeys: signing in with what a device or a security key holds and its owner unlocks (WebAuthn level 3).
//!
//! Every passkey is discoverable and verifies its user, so one is two factors: it signs in without a password, and
//! takes the place of the code after one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use tollgate_domain::UserId;
use tollgate_store::{NewPasskey, PasskeyRow};
use url::{Host, Url};
use uuid::Uuid;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle,
    Username,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
};

use crate::change::{Subject, before_after};
use crate::{Actor, Control, Error, Result};

/// Of one account.
const PASSKEYS_MAX: usize = 20;
const NAME_CHARS_MAX: usize = 60;
/// A user's id.
const HANDLE_BYTES: usize = 16;

type StoredKey = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// The site that passkeys are for: they work there and nowhere else.
#[derive(Debug, Clone)]
pub struct PasskeySite {
    id: RpId,
    origin: String,
}

/// What the browser is asked, and what is kept of it until it answers; good once.
#[derive(Debug, Clone)]
pub struct PasskeyQuestion {
    /// For the browser, as WebAuthn level 3 writes it in JSON.
    pub options: Value,
    /// For the session.
    pub kept: String,
}

impl PasskeySite {
    /// The site of a portal's URL; none where it has an address instead of a name, because browsers make no passkeys there.
    #[must_use]
    pub fn of(portal_url: &str) -> Option<Self> {
        let url = Url::parse(portal_url).ok()?;
        let Some(Host::Domain(name)) = url.host() else { return None };
        let local = name == "localhost" || name.ends_with(".localhost");
        if url.scheme() != "https" && !local {
            return None;
        }
        let id = RpId::Domain(AsciiDomain::try_from(name.to_owned()).ok()?);
        Some(Self { id, origin: url.origin().ascii_serialization() })
    }
}

impl Control {
    /// Begins to register a passkey of somebody who is signed in. Whoever has a password shows it again.
    ///
    /// # Errors
    /// `Invalid` with `/password`; `Conflict` where there are too many; `TooManyTries`.
    pub async fn begin_passkey(
        &self,
        site: &PasskeySite,
        user_id: UserId,
        password: &str,
    ) -> Result<PasskeyQuestion> {
        let user = self.store.find_user(user_id).await?.ok_or(Error::NotFound("user"))?;
        if !user.password_hash.is_empty() {
            self.check_password(user_id, password).await?;
        }
        let present = self.store.list_passkeys(user_id).await?;
        if present.len() >= PASSKEYS_MAX {
            return Err(Error::Conflict(format!("an account has at most {PASSKEYS_MAX} passkeys")));
        }
        let known = present.iter().filter_map(descriptor).collect();
        let handle = handle(user_id);
        let shown = if user.name.is_empty() { &user.email } else { &user.name };
        let entity = PublicKeyCredentialUserEntity {
            name: Username::try_from(user.email.as_str()).map_err(internal)?,
            id: &handle,
            // A name that the standard does not take is left away.
            display_name: Nickname::try_from(shown.as_str()).ok(),
        };
        let mut options = PublicKeyCredentialCreationOptions::passkey(&site.id, entity, known);
        // Phones and laptops know no such policy, and browsers refuse to ask those that do not; every question of ours asks
        // for a verified user anyway.
        options.extensions.cred_protect = CredProtect::None;
        let (kept, options) = options.start_ceremony().map_err(internal)?;
        question(kept.encode().map_err(internal)?, &options)
    }

    /// Registers the passkey that the browser answered with, under a name.
    ///
    /// # Errors
    /// `Invalid` with `/credential` where the answer is none to what was asked, or with `/name`.
    pub async fn create_passkey(
        &self,
        actor: &Actor,
        site: &PasskeySite,
        user_id: UserId,
        kept: &str,
        answer: &[u8],
        name: &str,
    ) -> Result<()> {
        let name = checked_name(name)?;
        let asked = RegistrationServerState::<HANDLE_BYTES>::decode(&decoded(kept)?).map_err(|_| stale())?;
        let answer = Registration::from_json_relaxed(answer).map_err(|_| not_an_answer())?;
        let origins = [site.origin.as_str()];
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &origins,
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let made = asked.verify(&site.id, &answer, &options).map_err(|error| {
            tracing::info!(%error, "an authenticator's answer was refused");
            not_an_answer()
        })?;
        if made.user_id().as_ref() != user_id.uuid().as_bytes() {
            return Err(stale());
        }
        let id = Uuid::now_v7();
        let (Ok(static_state), Ok(dynamic_state), Ok(transports)) =
            (made.static_state().encode(), made.dynamic_state().encode(), made.transports().encode());
        let mut change = self.change(actor).await?;
        let new = NewPasskey {
            id,
            user_id,
            credential_id: made.id().inner(),
            static_state: &static_state,
            dynamic_state: &dynamic_state,
            transports: i16::from(transports),
            name,
        };
        change.tx.insert_passkey(&new).await?;
        change.commit("user.passkey.create", subject(user_id), json!({ "id": id, "name": name })).await
    }

    /// Begins a sign-in: whose it is, the passkey tells.
    ///
    /// # Errors
    /// The system has no clock.
    pub fn ask_for_passkey(site: &PasskeySite) -> Result<PasskeyQuestion> {
        let (kept, options) =
            DiscoverableCredentialRequestOptions::passkey(&site.id).start_ceremony().map_err(internal)?;
        question(kept.encode().map_err(internal)?, &options)
    }

    /// Whose passkey the browser answered with. What was kept must be gone before: it is good once.
    ///
    /// # Errors
    /// `WrongPassword` where it opens no account, whatever the reason.
    pub async fn check_passkey(&self, site: &PasskeySite, kept: &str, answer: &[u8]) -> Result<UserId> {
        let checked = self.opened_by(site, kept, answer).await;
        self.figures.count_sign_in("passkey", checked.is_ok());
        checked
    }

    async fn opened_by(&self, site: &PasskeySite, kept: &str, answer: &[u8]) -> Result<UserId> {
        let refused = |why: &dyn std::fmt::Display| {
            tracing::info!(%why, "a passkey was refused");
            Error::WrongPassword
        };
        let asked = DiscoverableAuthenticationServerState::decode(&decoded(kept)?)
            .map_err(|_| refused(&"the question cannot be read"))?;
        let answer = DiscoverableAuthentication::<HANDLE_BYTES>::from_json_relaxed(answer)
            .map_err(|error| refused(&error))?;
        let row = self.store.find_passkey(answer.raw_id().inner()).await?;
        let row = row.ok_or_else(|| refused(&"nobody's"))?;
        let handle = handle(row.user_id);
        let static_state = StaticState::<StoredKey>::decode(&row.static_state).map_err(internal)?;
        let state: [u8; 7] = row.dynamic_state.as_slice().try_into().map_err(internal)?;
        let dynamic_state = DynamicState::decode(state).map_err(internal)?;
        let mut passkey = AuthenticatedCredential::new(answer.raw_id(), &handle, static_state, dynamic_state)
            .map_err(internal)?;
        let origins = [site.origin.as_str()];
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &origins,
            error_on_unsolicited_extensions: false,
            ..AuthenticationVerificationOptions::default()
        };
        asked.verify(&site.id, &answer, &mut passkey, &options).map_err(|error| refused(&error))?;
        let Ok(after) = passkey.dynamic_state().encode();
        // Of two uses of one counter, one is a copy.
        if !self.store.use_passkey(row.id, &row.dynamic_state, &after).await? {
            return Err(refused(&"used twice at once"));
        }
        let user = self.store.find_user(row.user_id).await?.filter(|user| user.disabled_at.is_none());
        user.map(|user| user.id).ok_or_else(|| refused(&"the account is disabled"))
    }

    /// Calls a passkey otherwise.
    ///
    /// # Errors
    /// `Invalid` with `/name`, or `NotFound`.
    pub async fn rename_passkey(&self, actor: &Actor, user_id: UserId, id: Uuid, name: &str) -> Result<()> {
        let name = checked_name(name)?;
        let mut change = self.change(actor).await?;
        let before = change.tx.rename_passkey(user_id, id, name).await?;
        let details = before_after(&json!({ "name": before }), &json!({ "id": id, "name": name }));
        change.commit("user.passkey.update", subject(user_id), details).await
    }

    /// Takes a passkey away; there must be another way in.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where nothing else would open the account.
    pub async fn delete_passkey(&self, actor: &Actor, user_id: UserId, id: Uuid) -> Result<()> {
        let mut change = self.change(actor).await?;
        let user = change.tx.lock_user(user_id).await?;
        let name = change.tx.delete_passkey(user_id, id).await?;
        let others = self.store.list_passkeys(user_id).await?.len() > 1
            || !self.store.list_identities(user_id).await?.is_empty();
        if user.password_hash.is_empty() && !others {
            return Err(Error::Conflict("nothing else opens your account; set a password first".to_owned()));
        }
        change.commit("user.passkey.delete", subject(user_id), json!({ "id": id, "name": name })).await
    }
}

fn handle(user: UserId) -> UserHandle<HANDLE_BYTES> {
    let Ok(handle) = UserHandle::decode(*user.uuid().as_bytes());
    handle
}

/// What browsers are told of a passkey, so that its authenticator makes no second one.
fn descriptor(row: &PasskeyRow) -> Option<PublicKeyCredentialDescriptor<Vec<u8>>> {
    Some(PublicKeyCredentialDescriptor {
        id: CredentialId::decode(row.credential_id.clone()).ok()?,
        transports: AuthTransports::decode(u8::try_from(row.transports).ok()?).ok()?,
    })
}

fn question(kept: Vec<u8>, options: &impl serde::Serialize) -> Result<PasskeyQuestion> {
    let options = serde_json::to_value(options).map_err(internal)?;
    Ok(PasskeyQuestion { options, kept: STANDARD_NO_PAD.encode(kept) })
}

fn decoded(kept: &str) -> Result<Vec<u8>> {
    STANDARD_NO_PAD.decode(kept).map_err(|_| stale())
}

fn checked_name(name: &str) -> Result<&str> {
    let name = name.trim();
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name) } else { Err(Error::invalid("/name", "1 to 60 characters, to know it by")) }
}

fn stale() -> Error {
    Error::invalid("/credential", "this was asked too long ago, or of somebody else; try again")
}

fn not_an_answer() -> Error {
    Error::invalid("/credential", "what the browser answered is no passkey of this site; try again")
}

fn internal<E: std::fmt::Debug>(error: E) -> Error {
    Error::Internal(format!("passkeys: {error:?}").into())
}

const fn subject(user: UserId) -> Subject {
    Subject { kind: "user", id: user.uuid(), organization: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_names_over_https_and_for_this_machine() {
        for (url, works) in [
            ("https://portal.example", true),
            ("https://portal.example:8443", true),
            ("http://localhost:3000", true),
            ("http://portal.example", false),
            ("http://127.0.0.1:3000", false),
            ("https://192.0.2.7", false),
            ("https://[2001:db8::1]", false),
            ("nonsense", false),
        ] {
            assert_eq!(PasskeySite::of(url).is_some(), works, "{url}");
        }
    }
}
