//! Service tokens: how scripts sign in to the admin API.

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::{Environment, OperatorRole, TokenId, TokenScope};
use tollgate_engine::key;
use tollgate_store::{NewToken, TokenRow};
use uuid::Uuid;

use crate::actor::Scopes;
use crate::change::Subject;
use crate::services::check_name;
use crate::{Action, Actor, Control, Error, FieldFault, Result, SecretText, Who};

/// What tokens begin with, so that scanners and people tell them from API keys.
const TOKEN_PREFIX: &str = "tgadm";

/// What a token is made from.
#[derive(Debug, Clone)]
pub struct TokenInput {
    /// What it is for; shown in the audit log.
    pub name: String,
    /// What it may do.
    pub role: OperatorRole,
    /// What it is narrowed to; none is all that the role may do.
    pub scopes: Option<Vec<TokenScope>>,
    /// When it stops.
    pub expires_at: Option<DateTime<Utc>>,
}

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
        let input = TokenInput { name: name.to_owned(), role, scopes: None, expires_at };
        Ok(self.insert_token(actor, input, replace).await?.1)
    }

    /// Makes a service token; the secret is shown once.
    ///
    /// # Errors
    /// `Invalid`, or the actor may not.
    pub async fn mint_token(&self, actor: &Actor, input: TokenInput) -> Result<(TokenRow, SecretText)> {
        let mut faults = Vec::new();
        check_name(&input.name, "/name", &mut faults);
        if input.expires_at.is_some_and(|at| at <= Utc::now()) {
            faults.push(FieldFault::new("/expires_at", "an instant to come"));
        }
        if input.scopes.as_ref().is_some_and(Vec::is_empty) {
            faults
                .push(FieldFault::new("/scopes", "at least one; leave it out for all that the role may do"));
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let (id, secret) = self.insert_token(actor, input, false).await?;
        Ok((self.store.get_token(id).await?, secret))
    }

    async fn insert_token(
        &self,
        actor: &Actor,
        input: TokenInput,
        replace: bool,
    ) -> Result<(TokenId, SecretText)> {
        actor.authorize(Action::ManagePeople)?;
        actor.may_hand_out(input.scopes.as_deref())?;
        let id = TokenId::from(Uuid::now_v7());
        let minted = self.mint_text(TOKEN_PREFIX, Environment::Live)?;
        let mut change = self.change(actor).await?;
        if replace {
            change.tx.revoke_tokens_named(&input.name).await?;
        }
        let new = NewToken {
            id,
            name: &input.name,
            role: input.role,
            scopes: input.scopes.as_deref(),
            digest: &minted.digest,
            pepper_version: minted.pepper_version,
            display_prefix: &minted.display_prefix,
            expires_at: input.expires_at,
            made_by: actor.audit_name().1,
        };
        change.tx.insert_token(&new).await?;
        let details = json!({
            "name": input.name, "role": input.role, "scopes": input.scopes, "expires_at": input.expires_at
        });
        change.commit("token.create", subject(id), details).await?;
        Ok((id, SecretText::new(minted.text)))
    }

    /// Revokes a service token: the next request with it is refused. Revoking twice is no error.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn revoke_token(&self, actor: &Actor, id: TokenId) -> Result<TokenRow> {
        actor.authorize(Action::ManagePeople)?;
        let mut change = self.change(actor).await?;
        if change.tx.revoke_token(id).await? {
            change.commit("token.revoke", subject(id), json!({})).await?;
        }
        Ok(self.store.get_token(id).await?)
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
        let scopes = row.scopes().map_or(Scopes::ALL, |scopes| Scopes::of(&scopes));
        Ok(Who::Token { token_id: row.id, role: row.role, scopes })
    }
}

const fn subject(id: TokenId) -> Subject {
    Subject { kind: "token", id: id.uuid(), organization: None }
}
