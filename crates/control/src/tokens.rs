//! Service tokens: how scripts sign in to the admin API.

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::{Environment, OperatorRole, TokenId};
use tollgate_engine::key;
use tollgate_store::NewToken;
use uuid::Uuid;

use crate::change::Subject;
use crate::{Action, Actor, Control, Error, Result, SecretText, Who};

/// What tokens begin with, so that scanners and people tell them from API keys.
const TOKEN_PREFIX: &str = "tgadm";

impl Control {
    /// Makes a service token. With `replace`, every earlier token of that name stops.
    ///
    /// # Errors
    /// `Invalid`, or the actor may not.
    pub async fn create_token(
        &self,
        actor: &Actor,
        name: &str,
        role: OperatorRole,
        expires_at: Option<DateTime<Utc>>,
        replace: bool,
    ) -> Result<SecretText> {
        actor.authorize(Action::WritePlatform)?;
        let id = TokenId::from(Uuid::now_v7());
        let minted = self.mint_text(TOKEN_PREFIX, Environment::Live)?;
        let mut change = self.change(actor).await?;
        if replace {
            change.tx.revoke_tokens_named(name).await?;
        }
        change
            .tx
            .insert_token(&NewToken {
                id,
                name,
                role,
                digest: &minted.digest,
                pepper_version: minted.pepper_version,
                display_prefix: &minted.display_prefix,
                expires_at,
            })
            .await?;
        let subject = Subject { kind: "token", id: id.uuid(), organization: None };
        change.commit("token.create", subject, json!({ "name": name, "role": role })).await?;
        Ok(SecretText::new(minted.text))
    }

    /// Who a service token is.
    ///
    /// # Errors
    /// `Unauthenticated` for a token that is malformed, unknown, revoked or expired.
    pub async fn authenticate_token(&self, text: &str) -> Result<Who> {
        key::parse(text).map_err(|_| Error::Unauthenticated)?;
        let digests: Vec<[u8; 32]> =
            self.peppers.versions().filter_map(|version| self.peppers.digest(version, text)).collect();
        let row = self.store.find_token(&digests).await?.ok_or(Error::Unauthenticated)?;
        Ok(Who::Token { token_id: row.id, role: row.role })
    }
}
