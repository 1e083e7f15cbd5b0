//! Which providers people may sign in through, as a file of whoever runs the platform says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use openidconnect::IssuerUrl;
use serde::Deserialize;
use tollgate_domain::{OperatorRole, Slug};

use crate::{Reachable, SecretText};

/// Whom a provider signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignsIn {
    /// People who use APIs; accounts are made at their first sign-in.
    Developers,
    /// People who run the platform, by the role that a claim maps to.
    Operators,
}

/// A provider as it stands in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// Its name in URLs of the portal: `/signin/with/{slug}`.
    pub slug: Slug,
    /// How buttons call it.
    pub name: String,
    /// Its issuer, exactly as its discovery document has it.
    pub issuer: IssuerUrl,
    /// What it calls this portal.
    pub client_id: String,
    /// File with what this portal proves itself with; without one, PKCE alone protects the code.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// Whom it signs in.
    #[serde(rename = "for")]
    pub signs_in: Vec<SignsIn>,
    /// The claim that roles of operators follow from: its name, or a path like `realm_access.roles`.
    #[serde(default)]
    pub role_claim: Option<String>,
    /// Which value of the claim gives which role; of several, the role that may most.
    #[serde(default)]
    pub roles: BTreeMap<String, OperatorRole>,
    /// What is asked for beside `openid`, `email` and `profile`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether every address that it tells belongs to whoever it signs in: right for the directory of a company.
    #[serde(default)]
    pub emails_are_verified: bool,
    /// Networks that it may be in though they are not public, between commas; http is for these alone.
    #[serde(default)]
    pub networks: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    providers: Vec<ProviderSettings>,
}

/// A provider that is set up, with its secret.
#[derive(Debug, Clone)]
pub struct ReadyProvider {
    pub(super) settings: ProviderSettings,
    pub(super) secret: Option<SecretText>,
    pub(super) networks: Reachable,
}

/// Why nobody can sign in as the file says.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {what}")]
pub struct BadProviders {
    place: String,
    what: String,
}

impl BadProviders {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

/// Reads the file; paths in it count from where it is.
///
/// # Errors
/// It cannot be read, or says what cannot be; the place is named.
pub fn read(path: &Path) -> Result<Vec<ReadyProvider>, BadProviders> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| BadProviders::new(&shown, error.to_string()))?;
    let file: File =
        serde_json::from_str(&text).map_err(|error| BadProviders::new(&shown, error.to_string()))?;
    let mut ready: Vec<ReadyProvider> = Vec::new();
    for (number, settings) in file.providers.into_iter().enumerate() {
        let at = |field: &str| format!("{shown}: providers[{number}].{field}");
        if ready.iter().any(|other| other.settings.slug == settings.slug) {
            return Err(BadProviders::new(at("slug"), "another provider has it"));
        }
        ready.push(check(settings, path.parent().unwrap_or(Path::new("")), at)?);
    }
    Ok(ready)
}

fn check(
    settings: ProviderSettings,
    directory: &Path,
    at: impl Fn(&str) -> String,
) -> Result<ReadyProvider, BadProviders> {
    let networks: Reachable =
        settings.networks.parse().map_err(|error: tollgate_domain::InvalidNetwork| {
            BadProviders::new(at("networks"), error.to_string())
        })?;
    if networks.check(settings.issuer.as_str()).is_err() {
        let what = "https to a public address, or an address in one of the provider's `networks`";
        return Err(BadProviders::new(at("issuer"), what));
    }
    if !(1..=60).contains(&settings.name.trim().chars().count()) {
        return Err(BadProviders::new(at("name"), "1 to 60 characters"));
    }
    if settings.client_id.trim().is_empty() {
        return Err(BadProviders::new(at("client_id"), "what the provider calls this portal"));
    }
    if settings.signs_in.is_empty() {
        return Err(BadProviders::new(at("for"), "\"developers\", \"operators\" or both"));
    }
    let operators = settings.signs_in.contains(&SignsIn::Operators);
    if operators != (settings.role_claim.is_some() && !settings.roles.is_empty()) {
        let what = "with `roles`: where the provider is for operators, and only there";
        return Err(BadProviders::new(at("role_claim"), what));
    }
    let secret = match &settings.client_secret_file {
        Some(file) => Some(secret(&directory.join(file)).map_err(|what| {
            BadProviders::new(at("client_secret_file"), format!("{}: {what}", file.display()))
        })?),
        None => None,
    };
    Ok(ReadyProvider { settings, secret, networks })
}

/// A secret in a file that nobody else may read.
fn secret(path: &Path) -> Result<SecretText, String> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.permissions().mode() & 0o007 != 0 {
        return Err("everybody on this machine may read it; chmod 600".to_owned());
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        text => Ok(SecretText::new(text.to_owned())),
    }
}

impl ReadyProvider {
    pub(super) fn is_for(&self, who: SignsIn) -> bool {
        self.settings.signs_in.contains(&who)
    }

    /// The role that claims map to: of several, the one that may most.
    pub(super) fn role_of(
        &self,
        claims: &serde_json::Map<String, serde_json::Value>,
    ) -> Option<OperatorRole> {
        let claim = self.settings.role_claim.as_deref()?;
        let value = claims.get(claim).or_else(|| {
            let (first, rest) = claim.split_once('.')?;
            rest.split('.').try_fold(claims.get(first)?, |value, key| value.get(key))
        })?;
        let values: Vec<&str> = match value {
            serde_json::Value::Array(values) => values.iter().filter_map(|value| value.as_str()).collect(),
            serde_json::Value::String(text) => vec![text],
            _ => Vec::new(),
        };
        let roles: Vec<OperatorRole> =
            values.iter().filter_map(|value| self.settings.roles.get(*value)).copied().collect();
        // The order of who may most.
        use OperatorRole::{Admin, Auditor, Finance, Publisher, Support};
        [Admin, Publisher, Finance, Support, Auditor].into_iter().find(|role| roles.contains(role))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn provider(changes: serde_json::Value) -> Result<ReadyProvider, BadProviders> {
        let mut value = json!({ "slug": "work", "name": "Work", "issuer": "https://sso.example.com",
            "client_id": "tollgate", "for": ["developers"] });
        for (key, changed) in changes.as_object().expect("an object") {
            value[key] = changed.clone();
        }
        let settings =
            serde_json::from_value(value).map_err(|error| BadProviders::new("", error.to_string()))?;
        check(settings, Path::new("/"), |field| format!("providers[0].{field}"))
    }

    #[test]
    fn what_a_file_says_wrongly_is_named_by_its_place() {
        assert!(provider(json!({})).is_ok());
        for (changes, place) in [
            (json!({ "issuer": "http://sso.example.com" }), "issuer"),
            (json!({ "issuer": "https://10.0.0.7" }), "issuer"),
            (json!({ "name": "" }), "name"),
            (json!({ "client_id": " " }), "client_id"),
            (json!({ "for": [] }), "for"),
            (json!({ "for": ["operators"] }), "role_claim"),
            (json!({ "role_claim": "groups", "roles": { "a": "admin" } }), "role_claim"),
            (json!({ "networks": "everywhere" }), "networks"),
            (json!({ "client_secret_file": "/nowhere/at/all" }), "client_secret_file"),
            (json!({ "client_secret": "in the open" }), "unknown field"),
            (json!({ "for": ["operators"], "role_claim": "g", "roles": { "a": "king" } }), "king"),
        ] {
            let fault = provider(changes.clone()).expect_err("it is refused").to_string();
            assert!(fault.contains(place), "{changes}: {fault}");
        }
        assert!(provider(json!({ "issuer": "http://10.0.0.7", "networks": "10.0.0.0/8" })).is_ok());
    }

    #[test]
    fn of_several_roles_the_one_that_may_most_is_given() {
        let ready = provider(json!({ "for": ["operators"], "role_claim": "realm_access.roles",
            "roles": { "boss": "admin", "desk": "support", "api": "publisher" } }))
        .expect("it can be set up");
        let role = |claims: serde_json::Value| ready.role_of(claims.as_object().expect("an object"));
        assert_eq!(
            role(json!({ "realm_access": { "roles": ["desk", "api"] } })),
            Some(OperatorRole::Publisher)
        );
        assert_eq!(role(json!({ "realm_access.roles": "boss" })), Some(OperatorRole::Admin));
        for nothing in [
            json!({}),
            json!({ "realm_access": "boss" }),
            json!({ "realm_access": { "roles": ["Boss", 7] } }),
            json!({ "realm_access": { "roles": { "boss": true } } }),
        ] {
            assert_eq!(role(nothing.clone()), None, "{nothing}");
        }
    }
}
