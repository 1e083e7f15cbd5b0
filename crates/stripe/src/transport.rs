//! One request to Stripe and its answer, or why there is none.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use stripe_client_core::{StripeMethod, StripeRequest, VERSION};
use tollgate_control::provider::{Provided, ProviderFault};
use uuid::Uuid;

use crate::answers::Refusal;
use crate::{BadSettings, Settings, Stripe};

/// How long an answer is waited for; a job has a minute for all of its calls.
const PATIENCE: Duration = Duration::from_secs(15);

impl Stripe {
    /// With these settings. Nothing is asked yet.
    ///
    /// # Errors
    /// The key is none of Stripe's, there is nothing to check events by, or no client can be made.
    pub fn new(settings: Settings) -> Result<Self, BadSettings> {
        let key = settings.secret_key.expose_secret();
        let kinds = [("sk_live_", true), ("rk_live_", true), ("sk_test_", false), ("rk_test_", false)];
        let live = kinds.iter().find(|(prefix, _)| key.starts_with(prefix)).map(|(_, live)| *live);
        let live = live.ok_or_else(|| {
            BadSettings("the Stripe key begins with sk_live_, rk_live_, sk_test_ or rk_test_".to_owned())
        })?;
        if settings.webhook_secrets.is_empty() {
            return Err(BadSettings(
                "Stripe's events cannot be checked without their secret (whsec_…)".to_owned(),
            ));
        }
        // Whoever was first chose the same: there is one provider of TLS in this program.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("Tollgate/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| BadSettings(error.to_string()))?;
        Ok(Self { settings, live, client })
    }

    pub(crate) const fn is_live(&self) -> bool {
        self.live
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Asks for something; with a key, the same request makes the same thing once.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        key: Option<Uuid>,
        request: &impl StripeRequest,
    ) -> Provided<T> {
        let written = request.build();
        let method = match written.method {
            StripeMethod::Get => reqwest::Method::GET,
            StripeMethod::Post => reqwest::Method::POST,
            StripeMethod::Delete => reqwest::Method::DELETE,
        };
        let query = written.query.filter(|query| !query.is_empty());
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        let url = format!("{}/v1{}{query}", self.settings.api_url.trim_end_matches('/'), written.path);
        let mut out = self
            .client
            .request(method, url)
            .bearer_auth(self.settings.secret_key.expose_secret())
            // Requests are written in async-stripe's version of the interface, and so are answers.
            .header("Stripe-Version", VERSION.as_str());
        if let Some(key) = key {
            out = out.header("Idempotency-Key", key.to_string());
        }
        if let Some(body) = written.body {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            out = out.header(CONTENT_TYPE, form).body(body);
        }
        let unreachable = |error: reqwest::Error| ProviderFault::Unavailable(error.without_url().to_string());
        let answer = out.send().await.map_err(unreachable)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(unreachable)?;
        if !(200..300).contains(&status) {
            return Err(refused(status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| {
            // It was done, and what it says is lost: the same key says it again to a version that can read it.
            ProviderFault::Unavailable(format!("its answer cannot be read: {error}"))
        })
    }
}

/// What an answer other than 2xx means.
fn refused(status: u16, body: &[u8]) -> ProviderFault {
    let said = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.error).unwrap_or_default();
    let text = said.message.unwrap_or_else(|| format!("status {status}"));
    match (status, said.kind.as_deref()) {
        (402, _) | (_, Some("card_error")) => ProviderFault::Declined(text),
        // A key that is wrong or too narrow is put right by an operator; until then nothing is given up.
        (401 | 403, _) => {
            tracing::error!(status, "Stripe does not accept our key for this");
            ProviderFault::Unavailable("it does not accept our key".to_owned())
        }
        (409 | 424 | 429 | 500.., _) => ProviderFault::Unavailable(text),
        _ => ProviderFault::Refused(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let card = br#"{"error":{"type":"card_error","message":"Your card was declined."}}"#;
        assert_eq!(refused(402, card), ProviderFault::Declined("Your card was declined.".to_owned()));
        let bad = br#"{"error":{"type":"invalid_request_error","message":"No such customer"}}"#;
        assert_eq!(refused(400, bad), ProviderFault::Refused("No such customer".to_owned()));
        for status in [401, 403, 409, 429, 500, 503] {
            assert!(matches!(refused(status, b"<html>"), ProviderFault::Unavailable(_)), "{status}");
        }
    }
}
