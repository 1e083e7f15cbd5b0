//! Certificates that gateways present to callers who speak TLS. Their keys come in and never go out.

use chrono::{DateTime, Utc};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde_json::{Value, json};
use tollgate_certificates::{Facts, Fault, Field};
use tollgate_domain::{Certificate, CertificateId, CertificateSource, Slug};
use tollgate_engine::NONCE_BYTES;
use tollgate_store::{CertificateRow, NewCertificate};
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::{Action, Actor, Control, Error, FieldFault, Result, SecretText};

/// A certificate that somebody brings.
#[derive(Debug, Clone)]
pub struct CertificateInput {
    /// Its name in URLs.
    pub slug: Slug,
    /// PEM, the server's own certificate first, then those that signed it.
    pub chain: String,
    /// Its private key in PEM, without a passphrase.
    pub private_key: SecretText,
    /// Whether it is presented to callers who name no host, or one that no certificate is for.
    pub is_default: bool,
}

/// What to change about a certificate; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct CertificatePatch {
    /// Its name in URLs.
    pub slug: Option<Slug>,
    /// A new chain; without a new key it must be for the present one.
    pub chain: Option<String>,
    /// A new private key; it must be that of the chain.
    pub private_key: Option<SecretText>,
    /// Whether it is presented where no other fits.
    pub is_default: Option<bool>,
}

/// A certificate that was checked, with its key sealed.
struct Checked {
    chain: String,
    key_sealed: Vec<u8>,
    facts: Facts,
}

impl Control {
    /// Adds a certificate.
    ///
    /// # Errors
    /// `Invalid` where it is expired, weak, nameless or not the key's; or the actor may not.
    pub async fn create_certificate(&self, actor: &Actor, input: CertificateInput) -> Result<CertificateRow> {
        actor.authorize(Action::Publish)?;
        let id = CertificateId::from(Uuid::now_v7());
        let checked = self.checked(id, input.chain, input.private_key.reveal())?;
        let mut change = self.change(actor).await?;
        let new = row(id, &input.slug, CertificateSource::Upload, &checked, input.is_default);
        change.tx.insert_certificate(&new).await?;
        change.commit("certificate.create", subject(id), audit(&new)).await?;
        Ok(self.store.get_certificate(id).await?)
    }

    /// Changes or replaces a certificate; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn update_certificate(
        &self,
        actor: &Actor,
        id: CertificateId,
        expected: Option<i64>,
        patch: CertificatePatch,
    ) -> Result<CertificateRow> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let (before, key_sealed) = change.tx.lock_certificate(id).await?;
        check_version(expected, before.version)?;
        let kept = Checked { chain: before.chain.clone(), key_sealed, facts: facts_of(&before) };
        let checked = match (patch.chain, patch.private_key) {
            (None, None) => kept,
            (chain, key) => {
                let chain = chain.unwrap_or(kept.chain);
                match key {
                    Some(key) => self.checked(id, chain, key.reveal())?,
                    None => self.checked(id, chain, &self.opened(id, &kept.key_sealed)?)?,
                }
            }
        };
        let slug = patch.slug.as_ref().unwrap_or(&before.slug);
        let is_default = patch.is_default.unwrap_or(before.is_default);
        let new = row(id, slug, before.source, &checked, is_default);
        let was = Checked { chain: before.chain.clone(), key_sealed: Vec::new(), facts: facts_of(&before) };
        let (old, now) = (audit(&row(id, &before.slug, before.source, &was, before.is_default)), audit(&new));
        if old == now && checked.chain == before.chain {
            return Ok(before);
        }
        change.tx.update_certificate(&new).await?;
        change.commit("certificate.update", subject(id), before_after(&old, &now)).await?;
        Ok(self.store.get_certificate(id).await?)
    }

    /// Removes a certificate; callers of its hosts get the default one, or none. With `expected`, only where that is its
    /// version.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, or the actor may not.
    pub async fn delete_certificate(
        &self,
        actor: &Actor,
        id: CertificateId,
        expected: Option<i64>,
    ) -> Result<()> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let (row, _) = change.tx.lock_certificate(id).await?;
        check_version(expected, row.version)?;
        change.tx.delete_certificate(id).await?;
        let before = json!({ "slug": row.slug, "names": row.names, "fingerprint": row.fingerprint });
        change.commit("certificate.delete", subject(id), json!({ "before": before })).await
    }

    fn checked(&self, id: CertificateId, chain: String, key: &str) -> Result<Checked> {
        let (_, facts) = tollgate_certificates::read(&chain, key, Utc::now().timestamp())
            .map_err(|faults| Error::Invalid(faults.into_iter().map(field_fault).collect()))?;
        let mut nonce = [0; NONCE_BYTES];
        OsRng.try_fill_bytes(&mut nonce).map_err(|error| Error::Internal(Box::new(error)))?;
        let key_sealed = self.peppers.seal(&Certificate::key_place(id), &nonce, key.as_bytes());
        Ok(Checked { chain, key_sealed, facts })
    }

    fn opened(&self, id: CertificateId, key_sealed: &[u8]) -> Result<String> {
        let key = self.peppers.open(&Certificate::key_place(id), key_sealed);
        let key = key.map_err(|error| Error::Internal(Box::new(error)))?;
        String::from_utf8(key).map_err(|error| Error::Internal(Box::new(error.utf8_error())))
    }
}

fn field_fault(fault: Fault) -> FieldFault {
    let pointer = match fault.field {
        Field::Chain => "/chain",
        Field::Key => "/private_key",
    };
    FieldFault::new(pointer, fault.message)
}

fn facts_of(row: &CertificateRow) -> Facts {
    Facts {
        names: row.names.clone(),
        fingerprint: row.fingerprint.clone(),
        issuer: row.issuer.clone(),
        not_before: row.valid_from.timestamp(),
        not_after: row.valid_until.timestamp(),
    }
}

fn row<'a>(
    id: CertificateId,
    slug: &'a Slug,
    source: CertificateSource,
    checked: &'a Checked,
    is_default: bool,
) -> NewCertificate<'a> {
    let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let Checked { chain, key_sealed, facts } = checked;
    NewCertificate {
        id,
        slug,
        source,
        names: &facts.names,
        chain,
        key_sealed,
        fingerprint: &facts.fingerprint,
        issuer: &facts.issuer,
        valid_from: time(facts.not_before),
        valid_until: time(facts.not_after),
        is_default,
    }
}

/// What stands in the audit log: everything but the key.
fn audit(row: &NewCertificate<'_>) -> Value {
    json!({
        "slug": row.slug, "source": row.source, "names": row.names, "fingerprint": row.fingerprint,
        "issuer": row.issuer, "valid_from": row.valid_from, "valid_until": row.valid_until,
        "is_default": row.is_default,
    })
}

const fn subject(id: CertificateId) -> Subject {
    Subject { kind: "certificate", id: id.uuid(), organization: None }
}
