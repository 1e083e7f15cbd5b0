//! What the double tells: events, signed as Stripe signs them.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Desk, STRIPE_WEBHOOK_SECRET, Shared, locked};

/// An event on its way: its signature and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripeMessage {
    /// The value of `Stripe-Signature`.
    pub signature: String,
    /// The body.
    pub body: Vec<u8>,
}

impl StripeMessage {
    pub(super) fn of(event: &Value, now: DateTime<Utc>) -> Self {
        Self::signed(event.to_string().into_bytes(), STRIPE_WEBHOOK_SECRET, now)
    }

    /// Any text, signed under any secret at any time: for forgeries.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    pub fn signed(body: Vec<u8>, secret: &str, at: DateTime<Utc>) -> Self {
        let at = at.timestamp();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(format!("{at}.").as_bytes());
        mac.update(&body);
        let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { signature: format!("t={at},v1={digits}"), body }
    }

    /// Its kind, like `invoice.paid`.
    #[must_use]
    pub fn kind(&self) -> String {
        let event: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        event["type"].as_str().unwrap_or_default().to_owned()
    }
}

impl Desk {
    /// Notes that something happened to an object.
    pub(super) fn tell(&mut self, kind: &str, object: &Value) {
        let event = json!({
            "id": self.id("evt"),
            "object": "event",
            "type": kind,
            "created": self.now().timestamp(),
            "livemode": false,
            "api_version": "2026-09-30.endive",
            "data": { "object": object },
        });
        self.undelivered.push(event);
    }
}

/// Delivers what waits, where an address was given.
pub async fn deliver(desk: &Shared) {
    let (hook, now, events) = {
        let mut desk = locked(desk);
        let Some(hook) = desk.hook.clone() else { return };
        (hook, desk.now(), std::mem::take(&mut desk.undelivered))
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::spawn(async move {
        let client = reqwest::Client::new();
        for event in events {
            let message = StripeMessage::of(&event, now);
            let request = client.post(&hook).header("Stripe-Signature", message.signature).body(message.body);
            let _ = request.send().await;
        }
    });
}
