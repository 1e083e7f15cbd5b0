//! Money in a body: integer minor units, never a float.

use serde::{Deserialize, Serialize};
use tollgate_domain::{Currency, Period, Price};
use utoipa::ToSchema;

/// What a plan costs. Zero is free.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Price, example = json!({ "minor": 2900, "currency": "EUR", "per": "month" }))]
pub struct PriceBody {
    /// Minor units of the currency: 2900 with EUR is 29.00, with JPY 2,900.
    #[schema(maximum = 100_000_000_000_u64)]
    pub minor: u64,
    /// ISO 4217, upper case.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    pub currency: Currency,
    /// How often it is due; today always `month`.
    #[schema(value_type = super::Period)]
    pub per: Period,
}

impl From<PriceBody> for Price {
    fn from(PriceBody { minor, currency, per }: PriceBody) -> Self {
        Self { minor, currency, per }
    }
}

impl From<Price> for PriceBody {
    fn from(Price { minor, currency, per }: Price) -> Self {
        Self { minor, currency, per }
    }
}
