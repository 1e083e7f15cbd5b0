//! What we read of Stripe's objects.

use std::collections::HashMap;

use serde::Deserialize;

/// Anything that was made.
#[derive(Debug, Deserialize)]
pub struct Made {
    pub id: String,
}

#[derive(Debug, Deserialize)]
pub struct Page<T> {
    pub data: Vec<T>,
}

#[derive(Debug, Deserialize)]
pub struct Refusal {
    pub error: Said,
}

#[derive(Debug, Default, Deserialize)]
pub struct Said {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Invoice {
    pub id: String,
    pub status: Option<String>,
    pub currency: String,
    pub total: i64,
    pub total_excluding_tax: Option<i64>,
    pub amount_paid: i64,
    #[serde(default)]
    pub attempt_count: u64,
    pub hosted_invoice_url: Option<String>,
    #[serde(default)]
    pub metadata: HashMap<String, String>,
    /// Only where it was asked for.
    pub payments: Option<Page<InvoicePayment>>,
}

#[derive(Debug, Deserialize)]
pub struct InvoicePayment {
    pub status: Option<String>,
    pub payment: Option<PaidBy>,
}

#[derive(Debug, Deserialize)]
pub struct PaidBy {
    pub payment_intent: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Session {
    pub id: String,
    pub url: Option<String>,
    pub status: Option<String>,
    #[serde(default)]
    pub payment_status: String,
    pub mode: String,
    pub currency: Option<String>,
    pub amount_total: Option<i64>,
    pub payment_intent: Option<String>,
    pub setup_intent: Option<SetupIntent>,
}

#[derive(Debug, Deserialize)]
pub struct SetupIntent {
    pub payment_method: Option<Method>,
}

#[derive(Debug, Deserialize)]
pub struct Customer {
    pub invoice_settings: Option<InvoiceSettings>,
}

#[derive(Debug, Deserialize)]
pub struct InvoiceSettings {
    pub default_payment_method: Option<Method>,
}

#[derive(Debug, Deserialize)]
pub struct Method {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub card: Option<Card>,
}

#[derive(Debug, Deserialize)]
pub struct Card {
    pub brand: String,
    pub last4: String,
    pub exp_month: u8,
    pub exp_year: u16,
}

impl Method {
    /// For people: `Visa ending in 4242, 12/2030`.
    pub fn label(&self) -> String {
        match &self.card {
            Some(card) => {
                let mut brand = card.brand.clone();
                if let Some(first) = brand.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                format!("{brand} ending in {}, {:02}/{}", card.last4, card.exp_month, card.exp_year)
            }
            None => self.kind.replace('_', " "),
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct Link {
    pub url: String,
}

#[derive(Debug, Deserialize)]
pub struct Refund {
    pub id: String,
    pub status: Option<String>,
    #[serde(default)]
    pub failure_reason: Option<String>,
    #[serde(default)]
    pub metadata: Option<HashMap<String, String>>,
}

#[derive(Debug, Deserialize)]
pub struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub created: i64,
    pub livemode: bool,
    pub api_version: Option<String>,
    /// A connected account; ours has none.
    pub account: Option<String>,
    pub data: EventData,
}

#[derive(Debug, Deserialize)]
pub struct EventData {
    pub object: serde_json::Value,
}
