//! Finding a key by its whole text, for operators who were sent one.

use sha2::{Digest, Sha256};
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
        let sha256: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let own = self.peppers.versions().filter(|_| key::parse(text).is_ok());
        let own = own.filter_map(|version| self.peppers.digest(version, text));
        let imported = self.peppers.versions().filter_map(|it| self.peppers.imported_digest(it, &sha256));
        for digest in own.chain(imported) {
            if let Some(id) = self.store.find_credential_id(scope, &digest).await? {
                return Ok(Some(self.store.get_credential(scope, id).await?));
            }
        }
        Ok(None)
    }
}
