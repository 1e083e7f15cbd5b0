//! A provider as it is known at the moment: its discovery document and its keys, fetched guarded and kept for an hour.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use openidconnect::core::{CoreJsonWebKeySet, CoreProviderMetadata};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{Client, header};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::settings::ReadyProvider;
use super::{Fault, Result};
use crate::webhooks::{Reachable, guarded_client};

/// For as long discovery document and keys are taken from memory.
const FRESH: Duration = Duration::from_secs(3_600);
/// For as long they are good while the provider does not answer.
const STALE: Duration = Duration::from_secs(24 * 3_600);
/// Keys that are not known are asked for so often at most.
const KEYS_AT_MOST_EVERY: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 512 * 1024;

/// One provider. What it said last is shared by all who sign in.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) ready: ReadyProvider,
    wire: Wire,
    known: Mutex<Option<Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    metadata: CoreProviderMetadata,
    at: Instant,
}

/// The way to a provider: https to public addresses, http into its named networks alone, never redirected.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    reachable: Arc<Reachable>,
    encrypted: Option<Client>,
    plain: Option<Client>,
}

/// An answer that did not come.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoAnswer(String);

impl Wire {
    fn new(networks: Reachable) -> Self {
        let reachable = Arc::new(networks);
        let client = |is_plain| {
            guarded_client(&reachable, is_plain, "sign-in", PATIENCE)
                .inspect_err(|error| tracing::error!(%error, "nobody can sign in through providers: there is no client"))
                .ok()
        };
        let (encrypted, plain) = (client(false), client(true));
        Self { reachable, encrypted, plain }
    }

    /// Asks once.
    async fn ask(&self, request: HttpRequest) -> std::result::Result<HttpResponse, NoAnswer> {
        let refused = |what: &str| NoAnswer(format!("{}: {what}", request.uri()));
        // What a discovery document names is no more trusted than any other address.
        let address = self.reachable.check(&request.uri().to_string());
        let url = address.map_err(|_| {
            refused("neither https to a public address nor in a network that the provider's `networks` name")
        })?;
        let client = if url.scheme() == "https" { &self.encrypted } else { &self.plain };
        let client = client.as_ref().ok_or_else(|| refused("there is no client"))?;
        let shown = url.host_str().unwrap_or_default().to_owned();
        let failed = |error: reqwest::Error| {
            let what =
                if error.is_timeout() { "no answer within 10 s" } else { "no connection, or it broke" };
            tracing::debug!(%error, "a provider did not answer");
            NoAnswer(format!("{shown}: {what}"))
        };
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut response = client.execute(request).await.map_err(failed)?;
        let mut answer = HttpResponse::new(Vec::new());
        *answer.status_mut() = response.status();
        if let Some(kind) = response.headers().get(header::CONTENT_TYPE) {
            answer.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
        }
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if answer.body().len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(NoAnswer(format!("{shown}: an answer above {ANSWER_BYTES_MAX} bytes")));
            }
            answer.body_mut().extend_from_slice(&chunk);
        }
        Ok(answer)
    }

    async fn read<T: DeserializeOwned>(&self, url: &str) -> Result<T> {
        let mut request = HttpRequest::new(Vec::new());
        *request.uri_mut() = url.parse().map_err(|_| Fault::Unreachable(format!("{url} is no URL")))?;
        request.headers_mut().insert(header::ACCEPT, header::HeaderValue::from_static("application/json"));
        let answer = self.ask(request).await.map_err(|error| Fault::Unreachable(error.to_string()))?;
        if !answer.status().is_success() {
            return Err(Fault::Unreachable(format!("{url} answered {}", answer.status())));
        }
        serde_json::from_slice(answer.body())
            .map_err(|error| Fault::Unreachable(format!("{url} cannot be read: {error}")))
    }
}

impl<'w> AsyncHttpClient<'w> for Wire {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<HttpResponse, NoAnswer>> + Send + 'w>>;

    fn call(&'w self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

impl Provider {
    pub(super) fn new(ready: ReadyProvider) -> Self {
        Self { wire: Wire::new(ready.networks.clone()), ready, known: Mutex::default() }
    }

    pub(super) const fn wire(&self) -> &Wire {
        &self.wire
    }

    /// What it says of itself, with its keys.
    pub(super) async fn metadata(&self) -> Result<CoreProviderMetadata> {
        self.known_within(FRESH).await
    }

    /// The same after it signed with a key that is not known: it may have new ones.
    pub(super) async fn newer_metadata(&self) -> Result<CoreProviderMetadata> {
        self.known_within(KEYS_AT_MOST_EVERY).await
    }

    /// Of many who come at once one asks, and the others wait for it.
    async fn known_within(&self, age: Duration) -> Result<CoreProviderMetadata> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.at.elapsed() < age) {
            return Ok(known.metadata.clone());
        }
        match self.discover().await {
            Ok(metadata) => {
                *known = Some(Known { metadata: metadata.clone(), at: Instant::now() });
                Ok(metadata)
            }
            Err(fault) => {
                let stale = known.as_ref().filter(|known| known.at.elapsed() < STALE);
                let Some(stale) = stale else { return Err(fault) };
                tracing::warn!(provider = %self.ready.settings.slug, %fault, "what a provider said earlier is used on");
                Ok(stale.metadata.clone())
            }
        }
    }

    async fn discover(&self) -> Result<CoreProviderMetadata> {
        let issuer = &self.ready.settings.issuer;
        let place = format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/'));
        let metadata: CoreProviderMetadata = self.wire.read(&place).await?;
        // Else one provider could speak for another (OpenID Connect Discovery 1.0, section 4.3).
        if metadata.issuer() != issuer {
            let other = metadata.issuer().as_str();
            return Err(Fault::Untrusted(format!(
                "{place} is of the issuer {other}, not {}",
                issuer.as_str()
            )));
        }
        let keys: CoreJsonWebKeySet = self.wire.read(metadata.jwks_uri().as_str()).await?;
        Ok(metadata.set_jwks(keys))
    }
}
