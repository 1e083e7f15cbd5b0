//! Another e-mail address for an account: asked for with the password, and theirs once the new one is confirmed.

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::UserId;
use uuid::Uuid;

use crate::accounts::check_email;
use crate::change::Subject;
use crate::jobs::worker::Failure;
use crate::jobs::{self, Job, reads};
use crate::links::{digest, random_token};
use crate::mail::{self, Post};
use crate::throttle::Subjects;
use crate::{Actor, Control, Error, Result};

/// How long a link works.
const HOURS: i32 = 24;

const fn subject(user: UserId) -> Subject {
    Subject { kind: "user", id: user.uuid(), organization: None }
}

impl Control {
    /// Asks for another address: a link goes to the new one, a warning to the present one. Says the same whether the new one
    /// has an account or not. `code` is of the second factor, where there is one.
    ///
    /// # Errors
    /// `Invalid` with `/email`, `/password` or `/code`; `Conflict` while the present address is not confirmed; `TooManyTries`.
    pub async fn request_email_change(
        &self,
        actor: &Actor,
        user_id: UserId,
        email: &str,
        (password, code): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<()> {
        let email = email.trim().to_lowercase();
        let mut faults = Vec::new();
        check_email(&email, &mut faults);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let user = self.check_password(user_id, password).await?;
        self.check_second_factor(user_id, code, now).await?;
        if user.email == email {
            return Err(Error::invalid("/email", "this is your address already"));
        }
        if user.email_verified_at.is_none() || user.shadow_of.is_some() {
            return Err(Error::Conflict("confirm your present e-mail address first".to_owned()));
        }
        self.check_mails(&Subjects::new(&user.email, None)).await?;
        let mut change = self.change(actor).await?;
        change.tx.put_email_change(user_id, &email, HOURS).await?;
        jobs::queue(&mut change.tx, &Job::ConfirmEmailChange { user_id }).await?;
        jobs::queue(&mut change.tx, &Job::EmailChangeAsked { user_id }).await?;
        change.commit("user.ask_email", subject(user_id), json!({ "to": email })).await
    }

    /// The address that a link would give its account.
    ///
    /// # Errors
    /// `DeadLink`, or the database is away.
    pub async fn wanted_email(&self, token: &str) -> Result<String> {
        self.store.find_email_change_by_link(&digest(token)).await?.ok_or(Error::DeadLink)
    }

    /// Uses a link up: the account has the new address from now on, and the old one is told. Returns whose it is.
    ///
    /// # Errors
    /// `DeadLink`, also where another account has got the address meanwhile; or the database is away.
    pub async fn confirm_email_change(&self, actor: &Actor, token: &str) -> Result<(UserId, String)> {
        let mut change = self.change(actor).await?;
        let used = change.tx.use_email_change(&digest(token)).await?;
        let (user_id, email) = used.ok_or(Error::DeadLink)?;
        let before = change.tx.lock_user(user_id).await?;
        let owner = change.tx.reads().find_user_by_email(&email).await?;
        if before.disabled_at.is_some() || owner.is_some_and(|owner| owner.id != user_id) {
            return Err(Error::DeadLink);
        }
        change.tx.update_email(user_id, &email).await?;
        let told = Job::EmailChanged { user_id, before: before.email.clone() };
        jobs::queue(&mut change.tx, &told).await?;
        let details = json!({ "before": before.email, "after": email });
        change.commit("user.email", subject(user_id), details).await?;
        Ok((user_id, email))
    }

    /// Sends the link to the address that is to be confirmed; not where somebody else has it.
    pub(crate) async fn send_email_confirmation(
        &self,
        id: Uuid,
        user_id: UserId,
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some(user) = self.store.find_user(user_id).await? else { return Ok(()) };
        let Some(email) = self.store.find_email_change(user_id).await? else { return Ok(()) };
        if user.disabled_at.is_some() || self.store.find_user_by_email(&email).await?.is_some() {
            return Ok(());
        }
        let token = random_token()?;
        self.store.link_email_change(user_id, &digest(token.reveal())).await?;
        let link = format!("{}/email/{}", post.url(), token.reveal());
        Ok(post.send(id, &email, &mail::confirm_new_email(reads(&user), &email, &link)).await?)
    }

    /// Tells the present address that another one was asked for.
    pub(crate) async fn send_email_change_asked(
        &self,
        id: Uuid,
        user_id: UserId,
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some(user) = self.store.find_user(user_id).await? else { return Ok(()) };
        let Some(email) = self.store.find_email_change(user_id).await? else { return Ok(()) };
        let link = format!("{}/password/forgotten", post.url());
        Ok(post.send(id, &user.email, &mail::email_change_asked(reads(&user), &email, &link)).await?)
    }

    /// Tells the address that was left where its account went.
    pub(crate) async fn send_email_changed(
        &self,
        id: Uuid,
        user_id: UserId,
        before: &str,
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some(user) = self.store.find_user(user_id).await? else { return Ok(()) };
        let link = format!("{}/signin", post.url());
        Ok(post.send(id, before, &mail::email_changed(reads(&user), &user.email, &link)).await?)
    }
}
