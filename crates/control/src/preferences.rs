//! What people choose for themselves.

use serde_json::json;
use tollgate_domain::UserId;
use tollgate_language::Language;

use crate::change::Subject;
use crate::{Actor, Control, Result};

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
}
