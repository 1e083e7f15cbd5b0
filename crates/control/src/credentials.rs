//! API keys: made, shown once, revoked.

use chrono::{DateTime, Utc};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde_json::json;
use tollgate_domain::{ApplicationId, CredentialId, Environment, OrganizationId};
use tollgate_engine::key;
use tollgate_store::{CredentialRow, NewCredential, Tx};
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::services::check_name;
use crate::{Actor, Control, Error, FieldFault, Result, SecretText, Who};

/// Active keys that members may make for one application; operators may make more.
const KEYS_MAX: usize = 50;

/// What a key is made from.
#[derive(Debug, Clone)]
pub struct CredentialInput {
    /// Its name.
    pub name: String,
    /// Live or test.
    pub environment: Environment,
    /// When it stops.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What to change about a key; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct CredentialPatch {
    /// Its name.
    pub name: Option<String>,
    /// When it stops; `Some(None)` is never.
    pub expires_at: Option<Option<DateTime<Utc>>>,
}

/// A key that was just made. The secret is shown once and is nowhere else.
#[derive(Debug, Clone)]
pub struct MintedKey {
    /// Its id.
    pub id: CredentialId,
    /// The key itself.
    pub secret: SecretText,
}

impl Control {
    /// Makes a key for an application.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, or the actor may not.
    pub async fn create_credential(
        &self,
        actor: &Actor,
        application: ApplicationId,
        input: CredentialInput,
    ) -> Result<MintedKey> {
        let (scope, application) = self.own_application(actor, application).await?;
        let mut faults = Vec::new();
        check_name(&input.name, "/name", &mut faults);
        if input.expires_at.is_some_and(|at| at <= Utc::now()) {
            faults.push(FieldFault::new("/expires_at", "an instant to come"));
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let mut change = self.change(actor).await?;
        if matches!(actor.who, Who::Member { .. }) {
            // Locked, so that two at once do not both see the last place.
            change.tx.lock_application(scope, application.id).await?;
            if change.tx.count_active_credentials(application.id).await? >= KEYS_MAX {
                let message = format!("an application has at most {KEYS_MAX} active keys; revoke one first");
                return Err(Error::Conflict(message));
            }
        }
        let minted =
            self.mint_key(&mut change.tx, application.organization_id, application.id, &input).await?;
        let details =
            json!({ "application_id": application.id, "name": input.name, "environment": input.environment });
        change.commit("key.create", subject(minted.id, application.organization_id), details).await?;
        Ok(minted)
    }

    /// Renames a key.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, or the actor may not.
    pub async fn rename_credential(
        &self,
        actor: &Actor,
        id: CredentialId,
        name: &str,
    ) -> Result<CredentialRow> {
        let patch = CredentialPatch { name: Some(name.to_owned()), ..CredentialPatch::default() };
        self.update_credential(actor, id, None, patch).await
    }

    /// Changes a key; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`; `Conflict` where a key that is over would live again; or the actor may
    /// not.
    pub async fn update_credential(
        &self,
        actor: &Actor,
        id: CredentialId,
        expected: Option<i64>,
        patch: CredentialPatch,
    ) -> Result<CredentialRow> {
        let scope = actor.tenants(true)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_credential(scope, id).await?;
        check_version(expected, row.version)?;
        let name = patch.name.unwrap_or_else(|| row.name.clone());
        let expires_at = patch.expires_at.unwrap_or(row.expires_at);
        let mut faults = Vec::new();
        check_name(&name, "/name", &mut faults);
        if expires_at != row.expires_at {
            if expires_at.is_some_and(|at| at <= Utc::now()) {
                faults.push(FieldFault::new(
                    "/expires_at",
                    "an instant to come; revoke the key to stop it now",
                ));
            }
            if row.revoked_at.is_some() || row.expires_at.is_some_and(|at| at <= Utc::now()) {
                return Err(Error::Conflict(
                    "the key is over and does not come back; make a new one".to_owned(),
                ));
            }
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        if name == row.name && expires_at == row.expires_at {
            return Ok(row);
        }
        change.tx.update_credential(scope, id, &name, expires_at).await?;
        let details = before_after(
            &json!({ "name": row.name, "expires_at": row.expires_at }),
            &json!({ "name": name, "expires_at": expires_at }),
        );
        change.commit("key.update", subject(id, row.organization_id), details).await?;
        Ok(self.store.get_credential(scope, id).await?)
    }

    /// Revokes a key: calls with it fail as soon as the gateways hear of it. Revoking twice is no error.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn revoke_credential(&self, actor: &Actor, id: CredentialId) -> Result<CredentialRow> {
        let scope = actor.tenants(true)?;
        let row = self.store.get_credential(scope, id).await?;
        let mut change = self.change(actor).await?;
        if change.tx.revoke_credential(scope, id).await? {
            change.commit("key.revoke", subject(id, row.organization_id), json!({})).await?;
        }
        Ok(self.store.get_credential(scope, id).await?)
    }

    /// Whether a key text is known and active; used for a key that is kept in a file of its own.
    ///
    /// # Errors
    /// The database is away.
    pub async fn find_active_key(&self, text: &str) -> Result<Option<CredentialRow>> {
        if key::parse(text).is_err() {
            return Ok(None);
        }
        for version in self.peppers.versions() {
            let Some(digest) = self.peppers.digest(version, text) else { continue };
            if let Some(row) = self.store.find_credential_by_digest(&digest).await? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Makes a key inside an open change.
    pub(crate) async fn mint_key(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        application: ApplicationId,
        input: &CredentialInput,
    ) -> Result<MintedKey> {
        let id = CredentialId::from(Uuid::now_v7());
        let minted = self.mint_text(&self.settings.key_prefix, input.environment)?;
        tx.insert_credential(&NewCredential {
            id,
            organization_id: organization,
            application_id: application,
            name: &input.name,
            environment: input.environment,
            display_prefix: &minted.display_prefix,
            display_last4: &minted.display_last4,
            digest: &minted.digest,
            pepper_version: minted.pepper_version,
            expires_at: input.expires_at,
        })
        .await?;
        Ok(MintedKey { id, secret: SecretText::new(minted.text) })
    }

    pub(crate) fn mint_text(&self, prefix: &str, environment: Environment) -> Result<MintedText> {
        let mut random = [0u8; 32];
        OsRng.try_fill_bytes(&mut random).map_err(|error| Error::Internal(Box::new(error)))?;
        let text = key::mint(prefix, environment, &random);
        let (display_prefix, display_last4) = {
            let parsed = key::parse(&text).map_err(|error| Error::Internal(Box::new(error)))?;
            key::display_parts(&parsed)
        };
        let pepper_version = self.peppers.current();
        let digest =
            self.peppers.digest(pepper_version, &text).expect("the current pepper is one of the peppers");
        Ok(MintedText { text, display_prefix, display_last4, digest, pepper_version })
    }
}

/// A fresh key text and what is stored of it.
pub struct MintedText {
    pub text: String,
    pub display_prefix: String,
    pub display_last4: String,
    pub digest: [u8; 32],
    pub pepper_version: i16,
}

const fn subject(id: CredentialId, organization: OrganizationId) -> Subject {
    Subject { kind: "key", id: id.uuid(), organization: Some(organization) }
}
