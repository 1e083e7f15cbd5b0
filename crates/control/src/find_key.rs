//! Finding a key by its whole text, for operators who were sent one.

use tollgate_engine::key;
use tollgate_store::CredentialRow;

use crate::{Action, Actor, Control, Result};

impl Control {
    /// The key with this text, revoked ones too; none where the text is no key or not one of ours. The text goes no further
    /// than its hash.
    ///
    /// # Errors
    /// The actor may not see all tenants, or the database is away.
    pub async fn find_key(&self, actor: &Actor, text: &str) -> Result<Option<CredentialRow>> {
        let scope = actor.authorize(Action::ReadPlatform)?;
        if key::parse(text).is_err() {
            return Ok(None);
        }
        for version in self.peppers.versions() {
            let Some(digest) = self.peppers.digest(version, text) else { continue };
            if let Some(id) = self.store.find_credential_id(scope, &digest).await? {
                return Ok(Some(self.store.get_credential(scope, id).await?));
            }
        }
        Ok(None)
    }
}
