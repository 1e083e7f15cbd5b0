//! What people choose for themselves.

use serde_json::json;
use tollgate_domain::{MailTopic, UserId};
use tollgate_language::Language;

use crate::actor::Who;
use crate::change::Subject;
use crate::{Actor, Control, Error, Result};

impl Control {
    /// Notes what a person reads in: their pages and mails are written in it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn choose_language(&self, actor: &Actor, id: UserId, language: Language) -> Result<()> {
        let mut change = self.change(actor).await?;
        change.tx.update_language(id, language.tag()).await?;
        let subject = Subject { kind: "user", id: id.uuid(), organization: None };
        change.commit("user.choose_language", subject, json!({ "language": language.tag() })).await
    }

    /// Notes which mails a member does without. Mails about the safety of an account always go out.
    ///
    /// # Errors
    /// `Forbidden` for who is no member, or the database is away.
    pub async fn choose_mails(&self, actor: &Actor, muted: &[MailTopic]) -> Result<()> {
        let Who::Member { user_id, organization_id, .. } = actor.who else { return Err(Error::Forbidden) };
        let mut change = self.change(actor).await?;
        change.tx.put_muted(organization_id, user_id, muted).await?;
        let subject = Subject { kind: "user", id: user_id.uuid(), organization: Some(organization_id) };
        change.commit("user.choose_mails", subject, json!({ "muted": muted })).await
    }
}
