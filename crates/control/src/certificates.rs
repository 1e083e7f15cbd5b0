//! Certificates that gateways present to callers who speak TLS. Their keys come in and never go out.

use chrono::{DateTime, Utc};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde_json::{Value, json};
use tollgate_certificates::{Facts, Fault, Field};
use tollgate_domain::{Certificate, CertificateId, CertificateSource, Slug};
use tollgate_engine::NONCE_BYTES;
use tollgate_store::{CertificateRow, NewCertificate, NewIssued};
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
pub(crate) struct Checked {
    pub(crate) chain: String,
    key_sealed: Vec<u8>,
    pub(crate) facts: Facts,
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
        let source = (CertificateSource::Upload, checked.facts.names.as_slice());
        let new = row(id, &input.slug, source, Some(&checked), input.is_default);
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
        let kept = kept_of(&before, key_sealed);
        let checked = match (patch.chain, patch.private_key) {
            (None, None) => kept,
            _ if before.source == CertificateSource::Acme => return Err(kept_by_authority()),
            (chain, key) => {
                let kept = kept.ok_or_else(kept_by_authority)?;
                let chain = chain.unwrap_or(kept.chain);
                Some(match key {
                    Some(key) => self.checked(id, chain, key.reveal())?,
                    None => self.checked(id, chain, &self.opened(id, &kept.key_sealed)?)?,
                })
            }
        };
        let slug = patch.slug.as_ref().unwrap_or(&before.slug);
        let is_default = patch.is_default.unwrap_or(before.is_default);
        let names = checked.as_ref().map_or(&before.names, |checked| &checked.facts.names);
        let new = row(id, slug, (before.source, names), checked.as_ref(), is_default);
        let was = kept_of(&before, Some(Vec::new()));
        let was = row(id, &before.slug, (before.source, &before.names), was.as_ref(), before.is_default);
        let (old, now) = (audit(&was), audit(&new));
        let chain = |row: &NewCertificate<'_>| row.issued.as_ref().map(|issued| issued.chain.to_owned());
        if old == now && chain(&new) == chain(&was) {
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
        let before = json!({ "slug": row.slug, "names": row.names });
        change.commit("certificate.delete", subject(id), json!({ "before": before })).await
    }

    pub(crate) fn checked(&self, id: CertificateId, chain: String, key: &str) -> Result<Checked> {
        let (_, facts) = tollgate_certificates::read(&chain, key, Utc::now().timestamp())
            .map_err(|faults| Error::Invalid(faults.into_iter().map(field_fault).collect()))?;
        let key_sealed = self.seal_for(&Certificate::key_place(id), key.as_bytes())?;
        Ok(Checked { chain, key_sealed, facts })
    }

    /// Seals a secret for one place, under the current pepper.
    pub(crate) fn seal_for(&self, place: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        OsRng.try_fill_bytes(&mut nonce).map_err(|error| Error::Internal(Box::new(error)))?;
        Ok(self.peppers.seal(place, &nonce, secret))
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

/// A certificate as it is stored, with its sealed key; none where it is not issued yet.
fn kept_of(row: &CertificateRow, key_sealed: Option<Vec<u8>>) -> Option<Checked> {
    let issued = row.issued.0.as_ref()?;
    let facts = Facts {
        names: row.names.clone(),
        fingerprint: issued.fingerprint.clone(),
        issuer: issued.issuer.clone(),
        not_before: issued.valid_from.timestamp(),
        not_after: issued.valid_until.timestamp(),
    };
    Some(Checked { chain: issued.chain.clone(), key_sealed: key_sealed?, facts })
}

fn kept_by_authority() -> Error {
    let why = "is issued by its authority; add a certificate of your own, or order this one again";
    Error::Invalid(vec![FieldFault::new("/chain", why)])
}

pub(crate) fn row<'a>(
    id: CertificateId,
    slug: &'a Slug,
    (source, names): (CertificateSource, &'a [String]),
    checked: Option<&'a Checked>,
    is_default: bool,
) -> NewCertificate<'a> {
    let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let issued = checked.map(|Checked { chain, key_sealed, facts }| NewIssued {
        chain,
        key_sealed,
        fingerprint: &facts.fingerprint,
        issuer: &facts.issuer,
        valid_from: time(facts.not_before),
        valid_until: time(facts.not_after),
    });
    NewCertificate { id, slug, source, names, issued, is_default }
}

/// What stands in the audit log: everything but the key.
pub(crate) fn audit(row: &NewCertificate<'_>) -> Value {
    let issued = row.issued.as_ref();
    json!({
        "slug": row.slug, "source": row.source, "names": row.names,
        "fingerprint": issued.map(|it| it.fingerprint), "issuer": issued.map(|it| it.issuer),
        "valid_from": issued.map(|it| it.valid_from), "valid_until": issued.map(|it| it.valid_until),
        "is_default": row.is_default,
    })
}

pub(crate) const fn subject(id: CertificateId) -> Subject {
    Subject { kind: "certificate", id: id.uuid(), organization: None }
}
