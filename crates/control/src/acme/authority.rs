//! The authority itself: our account with it, and one order from its begin to the certificate.

use std::path::Path;
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use tollgate_domain::{Challenge, ChallengeKind};

/// Why nothing was issued, in words for whoever ordered it.
#[derive(Debug, thiserror::Error)]
pub(super) enum AcmeFault {
    /// The authority said no, or could not be asked.
    #[error("{0}")]
    Authority(String),
    /// It does not offer the way that was chosen.
    #[error("the authority offers no {kind} challenge for {host}")]
    NoSuchChallenge {
        /// For which host.
        host: String,
        /// Which way.
        kind: ChallengeKind,
    },
    /// It looked, and found something else.
    #[error("the authority did not find what it looked for: {0}")]
    NotProven(String),
}

impl From<instant_acme::Error> for AcmeFault {
    fn from(error: instant_acme::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            let words = inner.to_string();
            if !text.contains(&words) {
                text = format!("{text}: {words}");
            }
            cause = inner.source();
        }
        Self::Authority(text)
    }
}

/// How the authority is waited for.
const PATIENCE: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(250))
    .backoff(1.5)
    .timeout(Duration::from_secs(20));

fn builder(roots: Option<&Path>) -> Result<instant_acme::AccountBuilder, AcmeFault> {
    Ok(match roots {
        Some(file) => Account::builder_with_root(file)?,
        None => Account::builder()?,
    })
}

/// Makes an account; what it is known by afterwards is a secret.
pub(super) async fn register(
    directory: &str,
    contacts: &[String],
    roots: Option<&Path>,
) -> Result<(Account, Vec<u8>), AcmeFault> {
    let contacts: Vec<String> = contacts.iter().map(|contact| format!("mailto:{contact}")).collect();
    let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contacts, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder(roots)?.create(&new, directory.to_owned(), None).await?;
    let secret = serde_json::to_vec(&credentials).map_err(|error| AcmeFault::Authority(error.to_string()))?;
    Ok((account, secret))
}

/// Finds the account again.
pub(super) async fn recall(secret: &[u8], roots: Option<&Path>) -> Result<Account, AcmeFault> {
    let credentials: AccountCredentials =
        serde_json::from_slice(secret).map_err(|error| AcmeFault::Authority(error.to_string()))?;
    Ok(builder(roots)?.from_credentials(credentials).await?)
}

/// An order that was begun.
pub(super) struct Begun {
    order: Order,
    kind: ChallengeKind,
    /// What is to be answered to the authority; nothing where it believes us already.
    pub(super) challenges: Vec<Challenge>,
}

/// Asks for a certificate for these hosts.
pub(super) async fn begin(
    account: &Account,
    names: &[String],
    kind: ChallengeKind,
) -> Result<Begun, AcmeFault> {
    let identifiers: Vec<Identifier> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let mut challenges = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let host = authorization.identifier().to_string();
        let challenge = authorization
            .challenge(offered(kind))
            .ok_or_else(|| AcmeFault::NoSuchChallenge { host: host.clone(), kind })?;
        challenges.push(Challenge {
            host: host.to_ascii_lowercase(),
            kind,
            token: challenge.token.clone(),
            key_authorization: challenge.key_authorization().as_str().to_owned(),
        });
    }
    Ok(Begun { order, kind, challenges })
}

fn offered(kind: ChallengeKind) -> ChallengeType {
    match kind {
        ChallengeKind::Http01 => ChallengeType::Http01,
        ChallengeKind::TlsAlpn01 => ChallengeType::TlsAlpn01,
    }
}

impl Begun {
    /// Every gateway answers: lets the authority look, and fetches the chain with its new key, both in PEM.
    pub(super) async fn finish(mut self) -> Result<(String, String), AcmeFault> {
        let mut authorizations = self.order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status != AuthorizationStatus::Valid
                && let Some(mut challenge) = authorization.challenge(offered(self.kind))
            {
                challenge.set_ready().await?;
            }
        }
        if self.order.poll_ready(&PATIENCE).await? != OrderStatus::Ready {
            return Err(AcmeFault::NotProven(self.why_not().await));
        }
        let key = self.order.finalize().await?;
        let chain = self.order.poll_certificate(&PATIENCE).await?;
        Ok((chain, key))
    }

    /// What the authority says about the hosts that it does not believe to be ours.
    async fn why_not(&mut self) -> String {
        let mut said = Vec::new();
        let mut authorizations = self.order.authorizations();
        while let Some(Ok(mut authorization)) = authorizations.next().await {
            let Ok(state) = authorization.refresh().await else { continue };
            let host = state.identifier().to_string();
            let faults = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
            said.extend(faults.map(|fault| format!("{host}: {fault}")));
        }
        if said.is_empty() { "it does not say why".to_owned() } else { said.join("; ") }
    }
}
