//! Certificates that an authority issues when asked (ACME, RFC 8555): who we are to it, and what is ordered.

mod authority;
mod order;

pub(crate) use order::CREDENTIALS_PLACE;
use serde_json::{Value, json};
use tollgate_domain::{CertificateId, CertificateSource, ChallengeKind, Slug};
use tollgate_store::{AcmeAccountRow, CertificateRow};
use uuid::Uuid;

use crate::certificates::{audit, row, subject};
use crate::change::{Subject, before_after, check_version};
use crate::jobs::{Job, queue};
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// Where Let's Encrypt says what it can do.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const CONTACTS_MAX: usize = 5;
const DIRECTORY_CHARS_MAX: usize = 500;
const NAMES_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 253;
const LABEL_CHARS_MAX: usize = 63;

/// Who we are to a certificate authority.
#[derive(Debug, Clone)]
pub struct AcmeAccountInput {
    /// Where the authority says what it can do (RFC 8555 §7.1.1); https.
    pub directory: String,
    /// Mail addresses that it may write to.
    pub contacts: Vec<String>,
    /// Whether its terms of service are agreed to. Without that nothing is ordered.
    pub terms_agreed: bool,
}

/// A certificate to be issued.
#[derive(Debug, Clone)]
pub struct OrderInput {
    /// Its name in URLs.
    pub slug: Slug,
    /// The hosts that it is to be for.
    pub names: Vec<String>,
    /// How it is proven that they are ours.
    pub challenge: ChallengeKind,
    /// Whether it is presented to callers who name no host, or one that no certificate is for.
    pub is_default: bool,
}

impl Control {
    /// Says who we are to the authority, and agrees to its terms; with `expected`, only where that is the version. The
    /// account itself is made with the first order.
    ///
    /// # Errors
    /// `VersionMismatch`; `Invalid` where the terms are not agreed to, or an address is none; or the actor may not.
    pub async fn put_acme_account(
        &self,
        actor: &Actor,
        expected: Option<i64>,
        input: AcmeAccountInput,
    ) -> Result<AcmeAccountRow> {
        actor.authorize(Action::WritePlatform)?;
        let input = checked_account(input)?;
        let mut change = self.change(actor).await?;
        let before = change.tx.reads().find_acme_account().await?;
        check_version(expected, before.as_ref().map_or(0, |row| row.version))?;
        change.tx.put_acme_account(&input.directory, &input.contacts).await?;
        let after = json!({ "directory": input.directory, "contacts": input.contacts, "terms_agreed": true });
        let before = before.map_or(
            Value::Null,
            |row| json!({ "directory": row.directory, "contacts": row.contacts, "terms_agreed": true }),
        );
        let subject = Subject { kind: "acme_account", id: Uuid::nil(), organization: None };
        change.commit("acme_account.update", subject, before_after(&before, &after)).await?;
        self.store.find_acme_account().await?.ok_or(Error::NotFound("acme account"))
    }

    /// Orders a certificate. It is issued within a minute or so, and renewed by itself from then on.
    ///
    /// # Errors
    /// `Invalid` where a name is none that an authority certifies, or nobody agreed to the authority's terms; or the actor
    /// may not.
    pub async fn order_certificate(&self, actor: &Actor, input: OrderInput) -> Result<CertificateRow> {
        actor.authorize(Action::Publish)?;
        let names = checked_names(&input.names)?;
        if self.store.find_acme_account().await?.is_none() {
            let why = "cannot be ordered: no certificate authority is set up, and nobody agreed to its terms";
            return Err(Error::Invalid(vec![FieldFault::new("/acme", why)]));
        }
        let id = CertificateId::from(Uuid::now_v7());
        let mut change = self.change(actor).await?;
        let new = row(id, &input.slug, (CertificateSource::Acme, &names), None, input.is_default);
        change.tx.insert_certificate(&new).await?;
        change.tx.insert_order(id, &names, input.challenge).await?;
        queue(&mut change.tx, &Job::OrderCertificate { certificate_id: id }).await?;
        change.commit("certificate.create", subject(id), audit(&new)).await?;
        Ok(self.store.get_certificate(id).await?)
    }

    /// Orders a certificate again now, whether it is due or not.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where no authority issues it; or the actor may not.
    pub async fn renew_certificate(&self, actor: &Actor, id: CertificateId) -> Result<CertificateRow> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        change.tx.lock_certificate(id).await?;
        if !change.tx.hasten_order(id).await? {
            return Err(Error::Conflict("it was brought by somebody; no authority renews it".to_owned()));
        }
        queue(&mut change.tx, &Job::OrderCertificate { certificate_id: id }).await?;
        change.commit("certificate.renew", subject(id), json!({})).await?;
        Ok(self.store.get_certificate(id).await?)
    }
}

fn checked_account(input: AcmeAccountInput) -> Result<AcmeAccountInput> {
    let mut faults = Vec::new();
    let directory = input.directory.trim().to_owned();
    let host = directory.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    if host.is_none_or(str::is_empty)
        || directory.len() > DIRECTORY_CHARS_MAX
        || directory.contains(|char: char| !char.is_ascii_graphic())
    {
        faults.push(FieldFault::new("/directory", "is no https URL"));
    }
    if input.contacts.len() > CONTACTS_MAX {
        faults.push(FieldFault::new("/contacts", format!("are more than {CONTACTS_MAX}")));
    }
    let mut contacts = Vec::new();
    for (at, contact) in input.contacts.iter().enumerate() {
        let contact = contact.trim();
        let is_address = contact.len() <= 254
            && contact.chars().all(|char| char.is_ascii_graphic() && !",?&%".contains(char))
            && contact.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.'));
        if is_address {
            contacts.push(contact.to_owned());
        } else {
            faults.push(FieldFault::new(format!("/contacts/{at}"), "is no mail address"));
        }
    }
    if !input.terms_agreed {
        let why = "must be agreed to: an authority issues nothing without";
        faults.push(FieldFault::new("/terms_agreed", why));
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    Ok(AcmeAccountInput { directory, contacts, terms_agreed: true })
}

/// Hosts in lower case, each once.
fn checked_names(names: &[String]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut checked: Vec<String> = Vec::new();
    if names.is_empty() || names.len() > NAMES_MAX {
        faults.push(FieldFault::new("/acme/names", format!("must be 1 to {NAMES_MAX} hosts")));
    }
    for (at, name) in names.iter().enumerate().take(NAMES_MAX) {
        let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
        match name_fault(&name) {
            Some(why) => faults.push(FieldFault::new(format!("/acme/names/{at}"), why)),
            None if checked.contains(&name) => {}
            None => checked.push(name),
        }
    }
    if faults.is_empty() { Ok(checked) } else { Err(Error::Invalid(faults)) }
}

fn name_fault(name: &str) -> Option<&'static str> {
    if name.contains('*') {
        return Some("is a wildcard, which can only be proven in the DNS; bring a certificate for it");
    }
    let is_label = |label: &str| {
        (1..=LABEL_CHARS_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels = || name.split('.');
    let is_host = name.len() <= NAME_CHARS_MAX && labels().count() >= 2 && labels().all(is_label);
    let is_number = labels().next_back().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    (!is_host || is_number).then_some("is no host name in the DNS, like api.example.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_that_an_authority_can_reach_are_ordered() {
        let ordered =
            checked_names(&["API.example.com.".into(), "api.example.com".into(), "b.example".into()]);
        assert_eq!(ordered.expect("they are hosts"), ["api.example.com", "b.example"]);
        for bad in
            ["", "localhost", "*.example.com", "127.0.0.1", "a_b.example", "-a.example", "a..b", "[::1]"]
        {
            assert!(checked_names(&[bad.to_owned()]).is_err(), "{bad}");
        }
        assert!(checked_names(&[]).is_err());
    }

    #[test]
    fn without_the_terms_there_is_no_account() {
        let input = |terms_agreed, directory: &str, contact: &str| AcmeAccountInput {
            directory: directory.into(),
            contacts: vec![contact.into()],
            terms_agreed,
        };
        assert!(checked_account(input(true, LETS_ENCRYPT, "ops@example.com")).is_ok());
        for bad in [
            input(false, LETS_ENCRYPT, "ops@example.com"),
            input(true, "http://ca.example/directory", "ops@example.com"),
            input(true, "https://", "ops@example.com"),
            input(true, LETS_ENCRYPT, "nobody"),
        ] {
            assert!(checked_account(bad).is_err());
        }
    }
}
