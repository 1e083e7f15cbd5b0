//! The first admin: made through a one-time link, because no password is ever the default.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde_json::json;
use sha2::{Digest, Sha256};
use tollgate_domain::{OperatorRole, UserId};
use tollgate_store::{NewUser, SetupLinkRow};
use uuid::Uuid;

use crate::accounts::check_email;
use crate::change::Subject;
use crate::jobs::{self, Job};
use crate::links::random_token;
use crate::password_rules;
use crate::throttle::Subjects;
use crate::{Action, Actor, Control, Error, FieldFault, Result, SecretText};

/// How long a link lives.
const LINK_MINUTES: i32 = 15;
/// The same of one that was mailed.
const INVITATION_MINUTES: i32 = 3 * 24 * 60;

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
        tx.insert_setup_link(&digest(&token), LINK_MINUTES, OperatorRole::Admin, None).await?;
        tx.commit().await?;
        Ok(SecretText::new(token))
    }

    /// What a token would make of whoever opens it, as long as it is taken.
    ///
    /// # Errors
    /// `DeadLink`, or the database is away.
    pub async fn setup_link(&self, token: &str) -> Result<SetupLinkRow> {
        self.store.find_setup_link(&digest(token)).await?.ok_or(Error::DeadLink)
    }

    /// Uses a token up: makes an operator with this e-mail and password, or makes the owner of that account one.
    ///
    /// # Errors
    /// `DeadLink`; `Invalid` with `/email`, also where it is not the one that was invited, or `/password`; `WrongPassword` where the account exists and the
    /// password is not its own. The token stays usable after these.
    pub async fn redeem_setup_token(
        &self,
        actor: &Actor,
        token: &str,
        email: &str,
        password: &str,
    ) -> Result<UserId> {
        let link = self.setup_link(token).await?;
        let email = email.trim().to_lowercase();
        let mut faults = Vec::new();
        check_email(&email, &mut faults);
        if link.email.as_ref().is_some_and(|invited| *invited != email) {
            faults.push(FieldFault::new("/email", "the address that was invited"));
        }
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
        let link = change.tx.use_setup_link(&digest(token)).await?.ok_or(Error::DeadLink)?;
        let user_id = match (existing, password_hash) {
            (Some(user), _) => {
                if link.email.is_some() {
                    // The link was mailed there.
                    change.tx.verify_user(user.id).await?;
                }
                user.id
            }
            (None, hash) => {
                let id = UserId::from(Uuid::now_v7());
                let password_hash = &hash.unwrap_or_default();
                let new = NewUser { id, email: &email, password_hash, shadow_of: None, language: None };
                self.insert_person(&mut change.tx, &new).await?;
                id
            }
        };
        change.tx.insert_operator(user_id, link.role, None).await?;
        let subject = Subject { kind: "operator", id: user_id.uuid(), organization: None };
        change.commit("operator.create", subject, json!({ "role": link.role })).await?;
        Ok(user_id)
    }
}

impl Control {
    /// Asks somebody by mail to run the platform in a role.
    ///
    /// # Errors
    /// `Invalid` with `/email`; `Conflict` for whoever runs it already; `TooManyTries` for an address that gets many mails;
    /// or the actor may not.
    pub async fn invite_operator(&self, actor: &Actor, email: &str, role: OperatorRole) -> Result<()> {
        actor.authorize(Action::ManagePeople)?;
        actor.may_hand_out(None)?;
        let email = email.trim().to_lowercase();
        let mut faults = Vec::new();
        check_email(&email, &mut faults);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        if let Some(user) = self.store.find_user_by_email(&email).await?
            && self.store.find_operator(user.id).await?.is_some()
        {
            return Err(Error::invalid("/email", "whoever has this address runs the platform already"));
        }
        self.check_mails(&Subjects::new(&email, None)).await?;
        let mut change = self.change(actor).await?;
        jobs::queue(&mut change.tx, &Job::InviteOperator { email, role }).await?;
        let subject = Subject { kind: "operator", id: Uuid::nil(), organization: None };
        change.commit("operator.invite", subject, json!({ "role": role })).await
    }

    /// Takes an invitation back: its link opens nothing any more.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn revoke_operator_invitation(&self, actor: &Actor, id: Uuid) -> Result<()> {
        actor.authorize(Action::ManagePeople)?;
        let mut change = self.change(actor).await?;
        if !change.tx.delete_setup_link(id).await? {
            return Err(Error::NotFound("invitation"));
        }
        let subject = Subject { kind: "operator", id, organization: None };
        change.commit("operator.invitation.delete", subject, json!({})).await
    }

    /// Makes the link of an invitation; for the mail that is being written.
    pub(crate) async fn invitation_link(&self, email: &str, role: OperatorRole) -> Result<SecretText> {
        let token = random_token()?;
        let mut tx = self.store.begin().await?;
        tx.insert_setup_link(&digest(token.reveal()), INVITATION_MINUTES, role, Some(email)).await?;
        tx.commit().await?;
        Ok(token)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
