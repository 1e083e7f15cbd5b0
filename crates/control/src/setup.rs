//! The first admin: made through a one-time link, because no password is ever the default.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde_json::json;
use sha2::{Digest, Sha256};
use tollgate_domain::{OperatorRole, UserId};
use tollgate_store::NewUser;
use uuid::Uuid;

use crate::accounts::check_email;
use crate::change::Subject;
use crate::password_rules;
use crate::{Action, Actor, Control, Error, Result, SecretText};

/// How long a link lives.
const LINK_MINUTES: i32 = 15;

impl Control {
    /// Makes a one-time token that makes an admin; valid for 15 minutes.
    ///
    /// # Errors
    /// The database is away, or the actor may not.
    pub async fn create_setup_token(&self, actor: &Actor) -> Result<SecretText> {
        actor.authorize(Action::ManagePeople)?;
        let mut random = [0u8; 32];
        OsRng.try_fill_bytes(&mut random).map_err(|error| Error::Internal(Box::new(error)))?;
        let token = URL_SAFE_NO_PAD.encode(random);
        let mut tx = self.store.begin().await?;
        tx.insert_setup_link(&digest(&token), LINK_MINUTES).await?;
        tx.commit().await?;
        Ok(SecretText::new(token))
    }

    /// Whether a token would still be taken.
    ///
    /// # Errors
    /// The database is away.
    pub async fn setup_token_is_open(&self, token: &str) -> Result<bool> {
        Ok(self.store.setup_link_is_open(&digest(token)).await?)
    }

    /// Uses a token up: makes an admin with this e-mail and password, or makes the owner of that account one.
    ///
    /// # Errors
    /// `DeadLink`; `Invalid` with `/email` or `/password`; `WrongPassword` where the account exists and the
    /// password is not its own. The token stays usable after these.
    pub async fn redeem_setup_token(
        &self,
        actor: &Actor,
        token: &str,
        email: &str,
        password: &str,
    ) -> Result<UserId> {
        if !self.setup_token_is_open(token).await? {
            return Err(Error::DeadLink);
        }
        let email = email.trim().to_lowercase();
        let mut faults = Vec::new();
        check_email(&email, &mut faults);
        let existing = self.store.find_user_by_email(&email).await?;
        if existing.is_none() {
            password_rules::check_new(password, &email, "/password", &mut faults);
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let password_hash = match &existing {
            Some(user) if self.passwords.verify(password, Some(&user.password_hash)).await? => None,
            Some(_) => return Err(Error::WrongPassword),
            None => Some(self.passwords.hash(password).await?),
        };
        let mut change = self.change(actor).await?;
        // Used up inside the transaction: of two at once, the second finds it used.
        if !change.tx.use_setup_link(&digest(token)).await? {
            return Err(Error::DeadLink);
        }
        let user_id = match (existing, password_hash) {
            (Some(user), _) => user.id,
            (None, hash) => {
                let id = UserId::from(Uuid::now_v7());
                let password_hash = &hash.unwrap_or_default();
                let new = NewUser { id, email: &email, password_hash, shadow_of: None };
                self.insert_person(&mut change.tx, &new).await?;
                id
            }
        };
        change.tx.insert_operator(user_id, OperatorRole::Admin, None).await?;
        let subject = Subject { kind: "operator", id: user_id.uuid(), organization: None };
        change.commit("operator.create", subject, json!({ "role": OperatorRole::Admin })).await?;
        Ok(user_id)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
