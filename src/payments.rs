//! How bills are paid: by hand, or through Stripe where a key is given.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use tollgate_stripe::Settings;

/// A secret or restricted key of Stripe.
pub const KEY_VARIABLE: &str = "TOLLGATE_STRIPE_KEY";
/// What Stripe signs its events with.
pub const WEBHOOK_SECRET_VARIABLE: &str = "TOLLGATE_STRIPE_WEBHOOK_SECRET";

/// Payments. Keys come by files or by environment: a flag could be read by others on the machine.
#[derive(Debug, Clone, Args)]
pub struct PaymentFlags {
    /// File with a secret or restricted key of Stripe; without one, invoices are paid by hand.
    #[arg(long, env = "TOLLGATE_STRIPE_KEY_FILE", value_name = "FILE")]
    pub stripe_key_file: Option<PathBuf>,
    /// File with the secret that Stripe signs events with; two, one a line, while it is replaced.
    #[arg(long, env = "TOLLGATE_STRIPE_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    pub stripe_webhook_secret_file: Option<PathBuf>,
    /// Let Stripe Tax put taxes on invoices.
    #[arg(long, env = "TOLLGATE_STRIPE_TAX")]
    pub stripe_tax: bool,
    /// Where Stripe's interface is; elsewhere for tests only.
    #[arg(long, env = "TOLLGATE_STRIPE_URL", default_value = tollgate_stripe::API_URL, value_name = "URL")]
    pub stripe_url: String,
}

impl PaymentFlags {
    /// What is needed to speak to Stripe; none where no key is given.
    ///
    /// # Errors
    /// A file cannot be read, or the key is there without the secret of its events.
    pub fn stripe(&self) -> anyhow::Result<Option<Settings>> {
        let Some(key) = given(self.stripe_key_file.as_ref(), KEY_VARIABLE)? else { return Ok(None) };
        let Some(secrets) = given(self.stripe_webhook_secret_file.as_ref(), WEBHOOK_SECRET_VARIABLE)? else {
            bail!(
                "a Stripe key needs {WEBHOOK_SECRET_VARIABLE} (or _FILE) beside it: the guide «connect Stripe» tells where it is"
            );
        };
        let url = self.stripe_url.trim_end_matches('/');
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        // It stands in a header of every page.
        if !host.is_some_and(|host| {
            host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
        }) {
            bail!("TOLLGATE_STRIPE_URL is no origin: {url}");
        }
        let words = secrets.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty());
        Ok(Some(Settings {
            secret_key: key.trim().into(),
            webhook_secrets: words.map(Into::into).collect(),
            api_url: url.to_owned(),
            tax: self.stripe_tax,
        }))
    }
}

/// A secret from a file, or else from the environment.
fn given(file: Option<&PathBuf>, variable: &str) -> anyhow::Result<Option<String>> {
    match file {
        Some(file) => {
            let text = std::fs::read_to_string(file);
            text.with_context(|| format!("the file {} cannot be read", file.display())).map(Some)
        }
        None => Ok(std::env::var(variable).ok().filter(|text| !text.trim().is_empty())),
    }
}
