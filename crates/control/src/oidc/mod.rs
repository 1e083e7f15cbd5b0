//! Signing in through OpenID Connect providers, for developers and for those who run the platform.

mod account;
mod ceremony;
mod provider;
mod settings;

use std::sync::Arc;

pub use account::Admitted;
pub(crate) use account::FromProvider;
pub use ceremony::{CameBack, PendingSignIn};
use chrono::{DateTime, Utc};
use provider::Provider;
pub use settings::{BadProviders, ProviderSettings, ReadyProvider, SignsIn, read};
use tollgate_domain::OperatorRole;

use crate::{Control, Error};

/// Why somebody was not signed in. What it says in brackets is for logs.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There is no such provider.
    #[error("no such provider")]
    Unknown,
    /// Came back too late, twice, or from nowhere.
    #[error("this sign-in was not begun here, or too long ago")]
    Stale,
    /// They said no at the provider.
    #[error("declined at the provider")]
    Declined,
    /// The provider does not answer, or not as it should.
    #[error("the provider cannot be asked ({0})")]
    Unreachable(String),
    /// What the provider answered proves nothing.
    #[error("the provider's answer cannot be trusted ({0})")]
    Untrusted(String),
    /// The provider told no e-mail address that could be used.
    #[error("the provider told no e-mail address")]
    NoEmail,
    /// The account may not be used.
    #[error("this account is disabled")]
    Disabled,
    /// The provider is for operators, and nothing that it says of them gives a role.
    #[error("nothing gives this account a role")]
    NoRole,
    /// The account runs the platform, and this provider is not for those.
    #[error("this provider is not for those who run the platform")]
    NotForOperators,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<tollgate_store::Error> for Fault {
    fn from(error: tollgate_store::Error) -> Self {
        Self::Other(error.into())
    }
}

type Result<T> = std::result::Result<T, Fault>;

/// Who somebody is, as a provider has proven.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// How it calls them; never changes.
    pub subject: String,
    /// Lower case.
    pub email: Option<String>,
    /// Whether the provider vouches for the address.
    pub email_verified: bool,
    /// The role that its claims map to.
    pub role: Option<OperatorRole>,
}

/// All providers that are set up.
#[derive(Debug, Clone, Default)]
pub struct Providers(Arc<[Provider]>);

/// A provider, for a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderButton {
    /// Its name in URLs.
    pub slug: String,
    /// How it is called.
    pub name: String,
    /// Whether accounts are made through it.
    pub for_developers: bool,
}

impl Providers {
    /// These.
    #[must_use]
    pub fn new(ready: Vec<ReadyProvider>) -> Self {
        Self(ready.into_iter().map(Provider::new).collect())
    }

    fn get(&self, slug: &str) -> Result<&Provider> {
        self.0.iter().find(|provider| provider.ready.settings.slug.as_str() == slug).ok_or(Fault::Unknown)
    }
}

impl Control {
    /// What stands on the pages to sign in and up, in the order of the settings.
    #[must_use]
    pub fn provider_buttons(&self) -> Vec<ProviderButton> {
        let button = |provider: &Provider| ProviderButton {
            slug: provider.ready.settings.slug.as_str().to_owned(),
            name: provider.ready.settings.name.clone(),
            for_developers: provider.ready.is_for(SignsIn::Developers),
        };
        self.providers.0.iter().map(button).collect()
    }

    /// How each provider is set up, for whoever runs the platform; there is no secret in it.
    pub fn provider_settings(&self) -> impl Iterator<Item = &ProviderSettings> {
        self.providers.0.iter().map(|provider| &provider.ready.settings)
    }

    /// How the provider of an issuer is called here; none where it is not set up any more.
    #[must_use]
    pub fn provider_name(&self, issuer: &str) -> Option<&str> {
        let settings = self.providers.0.iter().map(|provider| &provider.ready.settings);
        settings.into_iter().find(|one| one.issuer.as_str() == issuer).map(|one| one.name.as_str())
    }

    /// Begins a sign-in: where the browser is sent, and what is kept until it comes back to `back`.
    ///
    /// # Errors
    /// `Unknown`, `Unreachable`, `Untrusted`.
    pub async fn begin_sign_in_with(
        &self,
        provider: &str,
        back: &str,
        now: DateTime<Utc>,
    ) -> Result<(String, PendingSignIn)> {
        self.counted(self.providers.get(provider)?.begin(back, now).await)
    }

    /// Ends a sign-in: whose browser came back. The answer is good once, so what was kept must be gone before.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn finish_sign_in_with(
        &self,
        pending: PendingSignIn,
        came: &CameBack,
        back: &str,
        now: DateTime<Utc>,
    ) -> Result<Identity> {
        let provider = self.providers.get(&pending.provider)?;
        self.counted(provider.finish(pending, came, back, now).await)
    }

    /// Counts and logs what is the provider's fault.
    fn counted<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(fault @ (Fault::Unreachable(_) | Fault::Untrusted(_))) = &result {
            tracing::warn!(%fault, "somebody could not sign in through a provider");
            self.figures.count_sign_in("provider", false);
        }
        result
    }
}
