//! The payment provider Stripe: what we ask of it, and what it says to us.
//!
//! Requests are written by async-stripe; answers are read by the few fields that we need, so that a field that Stripe
//! adds, or leaves out, elsewhere in an object breaks nothing.

mod answers;
mod provider;
mod signature;
mod transport;

use secrecy::SecretString;

/// Where Stripe's interface is.
pub const API_URL: &str = "https://api.stripe.com";

/// What is needed to speak to Stripe.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A secret or restricted key: `sk_…` or `rk_…`.
    pub secret_key: SecretString,
    /// What events are signed with (`whsec_…`); two while one is being replaced.
    pub webhook_secrets: Vec<SecretString>,
    /// Where the interface is; [`API_URL`] but for tests.
    pub api_url: String,
    /// Whether Stripe adds taxes to invoices.
    pub tax: bool,
}

/// Stripe, as a payment provider.
#[derive(Debug)]
pub struct Stripe {
    settings: Settings,
    /// Whether the key is for real money.
    live: bool,
    client: reqwest::Client,
}

/// Settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSettings(pub String);

impl std::fmt::Display for BadSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadSettings {}
