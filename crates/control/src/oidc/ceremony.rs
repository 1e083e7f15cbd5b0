//! Going to a provider and coming back: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0).

use std::pin::Pin;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthorizationCode, ClaimsVerificationError, Client, ClientId,
    ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IdTokenClaims, IdTokenFields, IdTokenVerifier, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, SigningError,
    StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::provider::Provider;
use super::{Fault, Identity, Result};

/// How long somebody may take at the provider.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);
/// How far clocks may be apart.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// Signatures with a key that only the provider has. Never `none`, nor one made with the secret that both have.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What must be kept with the browser until somebody comes back; good once. It holds the secret half of PKCE, so it
/// belongs where the browser cannot read it.
#[derive(Clone, Serialize, Deserialize)]
pub struct PendingSignIn {
    /// The provider's name in URLs.
    pub provider: String,
    state: String,
    nonce: String,
    verifier: String,
    since: DateTime<Utc>,
}

/// What a provider's redirect carries.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CameBack {
    /// What the browser was sent off with.
    #[serde(default)]
    pub state: String,
    /// What the identity is had for.
    #[serde(default)]
    pub code: String,
    /// Why there is none, as a word of the standard.
    #[serde(default)]
    pub error: String,
    /// Who says so (RFC 9207).
    #[serde(default)]
    pub iss: Option<String>,
}

/// Claims that are not of the standard, for roles.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct OtherClaims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for OtherClaims {}

/// Why an ID token proves nothing.
#[derive(Debug, thiserror::Error)]
enum Unproven {
    #[error("there is none")]
    Missing,
    #[error("it is signed with a key that the provider does not name")]
    UnknownKey,
    #[error("the access token beside it is of another")]
    AccessToken,
    #[error(transparent)]
    Claims(ClaimsVerificationError),
    #[error(transparent)]
    Signature(#[from] SignatureVerificationError),
    #[error(transparent)]
    Hash(#[from] SigningError),
}

impl From<ClaimsVerificationError> for Unproven {
    fn from(error: ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                Self::UnknownKey
            }
            other => Self::Claims(other),
        }
    }
}

type Claims = IdTokenClaims<OtherClaims, CoreGenderClaim>;
type Fields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Ready = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Provider {
    fn client(&self, metadata: CoreProviderMetadata, back: &str) -> Result<Ready> {
        let settings = &self.ready.settings;
        let secret = self.ready.secret.as_ref().map(|secret| ClientSecret::new(secret.reveal().to_owned()));
        let back = RedirectUrl::new(back.to_owned())
            .map_err(|error| Fault::Untrusted(format!("the portal's own URL: {error}")))?;
        let client =
            Client::from_provider_metadata(metadata, ClientId::new(settings.client_id.clone()), secret);
        Ok(client.set_redirect_uri(back))
    }

    /// Where a browser is sent, and what is kept meanwhile.
    pub(super) async fn begin(&self, back: &str, now: DateTime<Utc>) -> Result<(String, PendingSignIn)> {
        let client = self.client(self.metadata().await?, back)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let wanted = ["email", "profile"].into_iter().map(str::to_owned);
        let wanted = wanted.chain(self.ready.settings.scopes.iter().cloned()).map(Scope::new);
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(wanted)
            .set_pkce_challenge(challenge)
            .url();
        let pending = PendingSignIn {
            provider: self.ready.settings.slug.as_str().to_owned(),
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            since: now,
        };
        Ok((url.into(), pending))
    }

    /// Who came back.
    pub(super) async fn finish(
        &self,
        pending: PendingSignIn,
        came: &CameBack,
        back: &str,
        now: DateTime<Utc>,
    ) -> Result<Identity> {
        if now - pending.since > PATIENCE || !same(&pending.state, &came.state) {
            return Err(Fault::Stale);
        }
        if came.iss.as_deref().is_some_and(|iss| iss != self.ready.settings.issuer.as_str()) {
            return Err(Fault::Untrusted("the answer is of another issuer".to_owned()));
        }
        match came.error.as_str() {
            "" => {}
            "access_denied" => return Err(Fault::Declined),
            // What follows it is anybody's text, and goes nowhere.
            _ => return Err(Fault::Untrusted("the provider answered with an error".to_owned())),
        }
        let client = self.client(self.metadata().await?, back)?;
        let tokens = self.exchange(&client, pending.verifier, came.code.clone()).await?;
        let nonce = Nonce::new(pending.nonce);
        match self.identity_in(&tokens, &client, &nonce, now) {
            Err(Unproven::UnknownKey) => {
                let client = self.client(self.newer_metadata().await?, back)?;
                self.identity_in(&tokens, &client, &nonce, now)
            }
            found => found,
        }
        .map_err(|unproven| Fault::Untrusted(format!("the ID token: {unproven}")))
    }

    /// Has the code turned into tokens. Boxed, because it happens once in a sign-in and its type is a page long.
    fn exchange<'a>(
        &'a self,
        client: &'a Ready,
        verifier: String,
        code: String,
    ) -> Pin<Box<dyn Future<Output = Result<Tokens>> + Send + 'a>> {
        Box::pin(async move {
            let request = client
                .exchange_code(AuthorizationCode::new(code))
                .map_err(|_| Fault::Untrusted("the provider names no place for codes".to_owned()))?
                .set_pkce_verifier(PkceCodeVerifier::new(verifier));
            request.request_async(self.wire()).await.map_err(|error| match error {
                RequestTokenError::Request(error) => Fault::Unreachable(error.to_string()),
                RequestTokenError::ServerResponse(answer) => {
                    Fault::Untrusted(format!("the code was refused: {}", answer.error().as_ref()))
                }
                other => Fault::Untrusted(format!("the answer to the code cannot be read: {other}")),
            })
        })
    }

    /// Who the ID token is about, where it is its issuer's, for us, for this sign-in, and of now.
    fn identity_in(
        &self,
        tokens: &Tokens,
        client: &Ready,
        nonce: &Nonce,
        now: DateTime<Utc>,
    ) -> std::result::Result<Identity, Unproven> {
        let token = tokens.id_token().ok_or(Unproven::Missing)?;
        let verifier = verifier(client, now);
        let claims = token.claims(&verifier, nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let (algorithm, key) = (token.signing_alg()?, token.signing_key(&verifier)?);
            if AccessTokenHash::from_token(tokens.access_token(), algorithm, key)? != *expected {
                return Err(Unproven::AccessToken);
            }
        }
        Ok(self.identity(claims))
    }

    fn identity(&self, claims: &Claims) -> Identity {
        let settings = &self.ready.settings;
        let email = claims.email().map(|email| email.trim().to_lowercase()).filter(|email| !email.is_empty());
        Identity {
            issuer: settings.issuer.as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            email_verified: claims.email_verified().unwrap_or(false) || settings.emails_are_verified,
            email,
            role: self.ready.role_of(&claims.additional_claims().all),
        }
    }
}

fn verifier(client: &Ready, now: DateTime<Utc>) -> IdTokenVerifier<'_, CoreJsonWebKey> {
    client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now - SKEW)
        .set_issue_time_verifier_fn(move |at| {
            if at > now + SKEW { Err("it was made in the future".to_owned()) } else { Ok(()) }
        })
}

fn same(kept: &str, sent: &str) -> bool {
    kept.as_bytes().ct_eq(sent.as_bytes()).into()
}
