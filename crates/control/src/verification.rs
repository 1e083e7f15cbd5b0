//! Whose an e-mail address is.

use serde_json::json;
use tollgate_domain::UserId;

use crate::change::Subject;
use crate::jobs::{self, Job};
use crate::links::{Purpose, digest};
use crate::throttle::Subjects;
use crate::{Action, Actor, Control, Error, Result, Who};

impl Control {
    /// Whether a link would still prove an address.
    ///
    /// # Errors
    /// The database is away.
    pub async fn verification_is_open(&self, token: &str) -> Result<bool> {
        Ok(self.store.find_account_link(&digest(token), Purpose::Verify.name()).await?.is_some())
    }

    /// Uses a link up: the address that it was sent to is its user's. Where another account had the address first and never
    /// proved it, the address is this one's from now on.
    ///
    /// # Errors
    /// `DeadLink`; or the database is away.
    pub async fn verify_email(&self, actor: &Actor, token: &str) -> Result<UserId> {
        let mut change = self.change(actor).await?;
        let user_id = change.tx.use_account_link(&digest(token), Purpose::Verify.name()).await?;
        let user_id = user_id.ok_or(Error::DeadLink)?;
        let user = change.tx.lock_user(user_id).await?;
        if let Some(owner) = user.shadow_of.map(UserId::from) {
            if change.tx.lock_user(owner).await?.email_verified_at.is_some() {
                return Err(Error::DeadLink);
            }
            change.tx.swap_shadow(user_id, owner).await?;
        }
        change.tx.verify_user(user_id).await?;
        let subject = Subject { kind: "user", id: user_id.uuid(), organization: None };
        change.commit("user.verify_email", subject, json!({})).await?;
        Ok(user_id)
    }

    /// Sends an operator one of the letters with made-up content, to see that mails leave and how they look; a few times
    /// an hour at most.
    ///
    /// # Errors
    /// `NotFound` for a letter that there is not, `TooManyTries`, or the actor does not run the platform.
    pub async fn send_sample_letter(&self, actor: &Actor, name: &str) -> Result<()> {
        actor.authorize(Action::ReadPlatform)?;
        let Who::Operator { user_id, .. } = actor.who else { return Err(Error::NotFound("mailbox")) };
        if !crate::mail::samples().iter().any(|(known, _)| known == name) {
            return Err(Error::NotFound("letter"));
        }
        let Some(user) = self.store.find_user(user_id).await? else { return Err(Error::NotFound("mailbox")) };
        self.check_mails(&Subjects::new(&user.email, None)).await?;
        let mut tx = self.store.begin().await?;
        jobs::queue(&mut tx, &Job::SampleLetter { user_id, name: name.to_owned() }).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sends the mail with the link again; a few times an hour at most.
    ///
    /// # Errors
    /// `TooManyTries`, or the database is away.
    pub async fn resend_verification(&self, user_id: UserId) -> Result<()> {
        let Some(user) = self.store.find_user(user_id).await? else { return Ok(()) };
        if user.email_verified_at.is_some() {
            return Ok(());
        }
        self.check_mails(&Subjects::new(&user.email, None)).await?;
        let mut tx = self.store.begin().await?;
        jobs::queue(&mut tx, &Job::VerifyEmail { user_id }).await?;
        tx.commit().await?;
        Ok(())
    }
}
