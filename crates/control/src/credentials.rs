//! API keys: made, shown once, revoked.

use chrono::{DateTime, Utc};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde_json::{Value, json};
use tollgate_domain::{
    ApplicationId, CredentialId, Environment, KeyScope, OrganizationId, ProductId, Restrictions, Scope,
    ScopePart, UserId,
};
use tollgate_engine::key;
use tollgate_store::{CredentialRow, NewCredential, RouteRow, Tx};
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::services::check_name;
use crate::{Action, Actor, Control, Error, FieldFault, Result, SecretText, Who};

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
    /// What it is held to beside its plan.
    pub restrictions: Restrictions,
}

/// What to change about a key; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct CredentialPatch {
    /// Its name.
    pub name: Option<String>,
    /// When it stops; `Some(None)` is never.
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// What it may call.
    pub scopes: Option<Vec<String>>,
    /// Where it may be used from.
    pub networks: Option<Vec<String>>,
    /// On which sites' pages it may be used.
    pub origins: Option<Vec<String>>,
}

/// A key that was made elsewhere, as far as it is told.
#[derive(Debug, Clone)]
pub struct ImportedKey {
    /// The SHA-256 of its text.
    pub sha256: [u8; 32],
    /// Its first characters, 16 at most; may be empty.
    pub prefix: String,
    /// Its last four; may be empty.
    pub last4: String,
}

/// When a key stops that another one takes over from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKeyEnds {
    /// At an instant.
    At(DateTime<Utc>),
    /// So many hours after the new one is first used; until then, never.
    AfterFirstUse {
        /// Hours.
        hours: i32,
    },
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
        mut input: CredentialInput,
    ) -> Result<MintedKey> {
        let (scope, application) = self.own_application(actor, application).await?;
        self.check_key(&mut input, Vec::new()).await?;
        let mut change = self.change(actor).await?;
        if let Who::Member { user_id, .. } = actor.who {
            self.check_may_go_live(user_id, input.environment).await?;
            // Locked, so that two at once do not both see the last place.
            change.tx.lock_application(scope, application.id).await?;
            if change.tx.count_active_credentials(application.id).await? >= KEYS_MAX {
                let message = format!("an application has at most {KEYS_MAX} active keys; revoke one first");
                return Err(Error::Conflict(message));
            }
        }
        let minted =
            self.mint_key(&mut change.tx, application.organization_id, application.id, &input).await?;
        change
            .commit(
                "key.create",
                subject(minted.id, application.organization_id),
                made(application.id, &input),
            )
            .await?;
        Ok(minted)
    }

    /// Takes over a key that was made elsewhere: its text goes on working, and only its hash is ever told.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`; `Conflict` where the key is here already; or the actor may not: operators only.
    pub async fn import_credential(
        &self,
        actor: &Actor,
        application: ApplicationId,
        mut input: CredentialInput,
        imported: ImportedKey,
    ) -> Result<CredentialRow> {
        let scope = actor.authorize(Action::ManageTenants)?;
        let application = self.store.get_application(scope, application).await?;
        let mut faults = Vec::new();
        for (text, most, pointer) in [(&imported.prefix, 16, "/prefix"), (&imported.last4, 4, "/last4")] {
            let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
            if !plain || text.len() > most {
                let rule = format!("at most {most} letters, digits, '.', '_' and '-'");
                faults.push(FieldFault::new(pointer, rule));
            }
        }
        self.check_key(&mut input, faults).await?;
        let id = CredentialId::from(Uuid::now_v7());
        let version = self.peppers.current();
        let digest = self.peppers.imported_digest(version, &imported.sha256);
        let mut change = self.change(actor).await?;
        change
            .tx
            .insert_credential(&NewCredential {
                id,
                organization_id: application.organization_id,
                application_id: application.id,
                name: &input.name,
                environment: input.environment,
                display_prefix: &imported.prefix,
                display_last4: &imported.last4,
                digest: &digest.expect("the current pepper is one of the peppers"),
                pepper_version: version,
                expires_at: input.expires_at,
                sealed: None,
                imported: true,
                restrictions: &input.restrictions,
            })
            .await?;
        let mut details = made(application.id, &input);
        details["imported"] = true.into();
        change.commit("key.create", subject(id, application.organization_id), details).await?;
        Ok(self.store.get_credential(scope, id).await?)
    }

    /// Checks what a key is made from, and spells its restrictions in the one way.
    async fn check_key(&self, input: &mut CredentialInput, mut faults: Vec<FieldFault>) -> Result<()> {
        check_name(&input.name, "/name", &mut faults);
        if input.expires_at.is_some_and(|at| at <= Utc::now()) {
            faults.push(FieldFault::new("/expires_at", "an instant to come"));
        }
        if let Some(restrictions) = self.checked_restrictions(&input.restrictions, &[], &mut faults).await? {
            input.restrictions = restrictions;
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    /// Restrictions in the one spelling, whose scopes name what there is; those in `kept` may have gone since.
    async fn checked_restrictions(
        &self,
        restrictions: &Restrictions,
        kept: &[String],
        faults: &mut Vec<FieldFault>,
    ) -> Result<Option<Restrictions>> {
        let normalized = match restrictions.normalized() {
            Ok(normalized) => normalized,
            Err(wrong) => {
                faults.extend(wrong.into_iter().map(|one| FieldFault::new(one.pointer, one.reason)));
                return Ok(None);
            }
        };
        for (at, text) in normalized.scopes.iter().enumerate().filter(|(_, text)| !kept.contains(text)) {
            let Ok(scope) = text.parse::<KeyScope>() else { continue };
            let (slug, pointer) = (&scope.api, format!("/scopes/{at}"));
            let Some(api) = self.store.find_api_by_slug(slug.as_str()).await? else {
                faults.push(FieldFault::new(pointer, format!("there is no API {slug}")));
                continue;
            };
            let routes = self.store.list_routes(api.id).await?;
            let tags = |route: &RouteRow| route.tags.clone();
            let names_one = |route: &RouteRow| {
                scope.allows(slug.as_str(), &route.operation_id, tags(route).iter().map(String::as_str))
            };
            if scope.part != ScopePart::All && !routes.iter().any(names_one) {
                faults.push(FieldFault::new(pointer, format!("no operation of {slug} is called so")));
            }
        }
        Ok(Some(normalized))
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
        let before = row.restrictions();
        let wanted = Restrictions {
            scopes: patch.scopes.unwrap_or_else(|| before.scopes.clone()),
            networks: patch.networks.unwrap_or_else(|| before.networks.clone()),
            origins: patch.origins.unwrap_or_else(|| before.origins.clone()),
        };
        let mut faults = Vec::new();
        check_name(&name, "/name", &mut faults);
        let restrictions =
            self.checked_restrictions(&wanted, &before.scopes, &mut faults).await?.unwrap_or_default();
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
        if name == row.name && expires_at == row.expires_at && restrictions == before {
            return Ok(row);
        }
        change.tx.update_credential(scope, id, &name, expires_at, &restrictions).await?;
        let details = before_after(
            &json!({ "name": row.name, "expires_at": row.expires_at, "restrictions": before }),
            &json!({ "name": name, "expires_at": expires_at, "restrictions": restrictions }),
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

    /// Shows the key of a sandbox again.
    ///
    /// # Errors
    /// `NotFound`, also for live keys, which are nowhere; or the actor may not.
    pub async fn reveal_credential(&self, actor: &Actor, id: CredentialId) -> Result<SecretText> {
        let scope = actor.tenants(true)?;
        let row = self.store.get_credential(scope, id).await?;
        let sealed = self.store.get_sealed_credential(scope, id).await?;
        let text = self.open_key(id, &sealed)?;
        self.change(actor).await?.commit("key.reveal", subject(id, row.organization_id), json!({})).await?;
        Ok(text)
    }

    /// The actor's own sandbox key for samples of a product's calls, if there is one that may be looked at again. Reading
    /// documentation is not put on record; asking for a key by [`Self::reveal_credential`] is.
    ///
    /// # Errors
    /// The database failed, or the key cannot be opened.
    pub async fn sample_key(&self, actor: &Actor, product: ProductId) -> Result<Option<SecretText>> {
        let Ok(Some(organization)) = actor.tenants(true).map(Scope::organization) else { return Ok(None) };
        let Some((id, sealed)) = self.store.find_sandbox_key(organization, product).await? else {
            return Ok(None);
        };
        Ok(Some(self.open_key(id, &sealed)?))
    }

    fn open_key(&self, id: CredentialId, sealed: &[u8]) -> Result<SecretText> {
        let internal = |error: tollgate_engine::Unsealable| Error::Internal(Box::new(error));
        let text = self.peppers.open(&place(id), sealed).map_err(internal)?;
        let text = String::from_utf8(text).map_err(|error| Error::Internal(Box::new(error.utf8_error())))?;
        Ok(SecretText::new(text))
    }

    /// Makes a key that takes over from another, which goes on for a while: the same application, name, environment,
    /// restrictions and span of time.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where it is revoked, over, or replaced already; or the actor may not.
    pub async fn rotate_credential(
        &self,
        actor: &Actor,
        id: CredentialId,
        old_ends: OldKeyEnds,
    ) -> Result<MintedKey> {
        let scope = actor.tenants(true)?;
        let old = self.store.get_credential(scope, id).await?;
        let now = Utc::now();
        if old.revoked_at.is_some() || old.expires_at.is_some_and(|at| at <= now) || old.replaced_by.is_some()
        {
            return Err(Error::Conflict(
                "this key is over, or another one has taken over from it already".to_owned(),
            ));
        }
        if let Who::Member { user_id, .. } = actor.who {
            self.check_may_go_live(user_id, old.environment).await?;
        }
        let span = old.expires_at.map(|at| at - old.created_at);
        let input = CredentialInput {
            name: old.name.clone(),
            environment: old.environment,
            expires_at: span.map(|span| now + span),
            restrictions: old.restrictions(),
        };
        let mut change = self.change(actor).await?;
        let minted = self.mint_key(&mut change.tx, old.organization_id, old.application_id, &input).await?;
        let (at, hours) = match old_ends {
            OldKeyEnds::At(at) => (Some(at), None),
            OldKeyEnds::AfterFirstUse { hours } => (None, Some(hours)),
        };
        change.tx.replace_credential(id, minted.id, at, hours).await?;
        let details = json!({ "replaces": id, "old_ends_at": at, "old_ends_hours_after_first_use": hours });
        change.commit("key.rotate", subject(minted.id, old.organization_id), details).await?;
        Ok(minted)
    }

    /// Live keys wait until their owner has shown that the address is theirs: it is where warnings go.
    async fn check_may_go_live(&self, user: UserId, environment: Environment) -> Result<()> {
        if environment == Environment::Test {
            return Ok(());
        }
        match self.store.find_user(user).await? {
            Some(user) if user.email_verified_at.is_some() => Ok(()),
            _ => Err(Error::Conflict(
                "confirm your e-mail address before you make a live key; the link is in the mail that you got".to_owned(),
            )),
        }
    }

    fn sealed(&self, id: CredentialId, text: &str) -> Result<Vec<u8>> {
        let mut nonce = [0; 24];
        OsRng.try_fill_bytes(&mut nonce).map_err(|error| Error::Internal(Box::new(error)))?;
        Ok(self.peppers.seal(&place(id), &nonce, text.as_bytes()))
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
        // A sandbox has no secrets worth losing, and a lost key is the commonest question.
        let sealed = match input.environment {
            Environment::Test => Some(self.sealed(id, &minted.text)?),
            Environment::Live => None,
        };
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
            sealed: sealed.as_deref(),
            imported: false,
            restrictions: &input.restrictions,
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

pub(crate) fn place(id: CredentialId) -> String {
    format!("credentials/{id}/sealed")
}

/// What was made, for the audit log.
fn made(application: ApplicationId, input: &CredentialInput) -> Value {
    let mut details =
        json!({ "application_id": application, "name": input.name, "environment": input.environment });
    if !input.restrictions.is_empty() {
        details["restrictions"] = json!(input.restrictions);
    }
    details
}

const fn subject(id: CredentialId, organization: OrganizationId) -> Subject {
    Subject { kind: "key", id: id.uuid(), organization: Some(organization) }
}
