//! Changing a password, and setting a new one when it is forgotten.

use std::net::IpAddr;

use serde_json::json;
use tollgate_domain::UserId;
use tollgate_store::UserRow;

use crate::accounts::check_email;
use crate::change::Subject;
use crate::jobs::{self, Job};
use crate::links::{Purpose, digest};
use crate::password_rules;
use crate::throttle::Subjects;
use crate::{Actor, Control, Error, Result};

impl Control {
    /// The user, if this is their password: for steps that a session alone is not enough for.
    pub(crate) async fn check_password(&self, user_id: UserId, password: &str) -> Result<UserRow> {
        let user = self.store.find_user(user_id).await?.ok_or(Error::Unauthenticated)?;
        let subjects = Subjects::new(&format!("signed in as {user_id}"), None);
        self.check_throttle(&subjects).await?;
        if !self.passwords.verify(password, Some(&user.password_hash)).await? {
            self.note_failure(&subjects).await?;
            return Err(Error::invalid("/password", "this is not your password"));
        }
        Ok(user)
    }

    /// Replaces a password by another. Every session of the user ends.
    ///
    /// # Errors
    /// `Invalid` with `/password` or `/new_password`; `TooManyTries`; `Busy`.
    pub async fn change_password(
        &self,
        actor: &Actor,
        user_id: UserId,
        password: &str,
        new: &str,
    ) -> Result<()> {
        let user = self.check_password(user_id, password).await?;
        self.set_password(actor, &user, new, None).await
    }

    /// Has a link sent that sets a new password. Does and says the same for any address; what it belongs to is looked up
    /// when the mail is due.
    ///
    /// # Errors
    /// `Invalid` with `/email` for what is no address; `TooManyTries` for an address that asks for many.
    pub async fn request_password_reset(&self, email: &str, address: Option<IpAddr>) -> Result<()> {
        let email = email.trim().to_lowercase();
        let mut faults = Vec::new();
        check_email(&email, &mut faults);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let subjects = Subjects::new(&email, address);
        self.check_throttle(&subjects).await?;
        self.note_failure(&subjects).await?;
        match self.check_mails(&subjects).await {
            // Enough are on their way; whoever asks gets the answer that everybody gets.
            Err(Error::TooManyTries(_)) => return Ok(()),
            other => other?,
        }
        self.queue(&Job::ResetPassword { email }, None, None).await?;
        Ok(())
    }

    /// Whether a link would still set a password.
    ///
    /// # Errors
    /// The database is away.
    pub async fn reset_is_open(&self, token: &str) -> Result<bool> {
        Ok(self.store.find_account_link(&digest(token), Purpose::Reset.name()).await?.is_some())
    }

    /// Uses a link up and sets the password of whom it was sent to. Every session of theirs ends; that the mail arrived
    /// also shows that the address is theirs.
    ///
    /// # Errors
    /// `DeadLink`; `Invalid` with `/new_password`, after which the link still works; `Busy`.
    pub async fn reset_password(&self, actor: &Actor, token: &str, new: &str) -> Result<UserId> {
        let user = self.store.find_account_link(&digest(token), Purpose::Reset.name()).await?;
        let user = self.store.find_user(user.ok_or(Error::DeadLink)?).await?.ok_or(Error::DeadLink)?;
        self.set_password(actor, &user, new, Some(token)).await?;
        Ok(user.id)
    }

    async fn set_password(&self, actor: &Actor, user: &UserRow, new: &str, link: Option<&str>) -> Result<()> {
        let mut faults = Vec::new();
        password_rules::check_new(new, &user.email, "/new_password", &mut faults);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let hash = self.passwords.hash(new).await?;
        let mut change = self.change(actor).await?;
        if let Some(token) = link {
            // Used up inside the transaction: of two at once, the second finds it used.
            let used = change.tx.use_account_link(&digest(token), Purpose::Reset.name()).await?;
            if used != Some(user.id) {
                return Err(Error::DeadLink);
            }
            change.tx.verify_user(user.id).await?;
        }
        change.tx.update_password(user.id, &hash).await?;
        // Whoever knew the old password may have asked for another address.
        change.tx.delete_email_change(user.id).await?;
        let ended = change.tx.delete_sessions(user.id, None).await?;
        jobs::queue(&mut change.tx, &Job::PasswordChanged { user_id: user.id }).await?;
        let subject = Subject { kind: "user", id: user.id.uuid(), organization: None };
        let details = json!({ "by_mail": link.is_some(), "sessions_ended": ended });
        change.commit("user.password", subject, details).await
    }
}
