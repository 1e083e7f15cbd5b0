//! Money in integer minor units with an ISO 4217 code; never a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Period;

/// An ISO 4217 currency code, upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// A text that is no currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three capital letters (ISO 4217), like EUR")]
pub struct InvalidCurrency;

impl Currency {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many digits stand after the decimal point (ISO 4217 table A.1).
    #[must_use]
    pub fn minor_digits(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF"
            | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        let bytes: [u8; 3] = text.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes)).ok_or(InvalidCurrency)
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(text: String) -> Result<Self, InvalidCurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// A sum of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Minor units: cents, yen, fils.
    pub minor: u64,
    /// The currency of `minor`.
    pub currency: Currency,
}

impl fmt::Display for Amount {
    /// `29.00 EUR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits();
        let unit = 10u64.pow(digits);
        write!(f, "{}", self.minor / unit)?;
        if digits > 0 {
            write!(f, ".{:0width$}", self.minor % unit, width = digits as usize)?;
        }
        write!(f, " {}", self.currency.as_str())
    }
}

/// What a plan costs per period. Zero is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Minor units: cents, yen, fils.
    pub minor: u64,
    /// The currency of `minor`.
    pub currency: Currency,
    /// How often it is due.
    pub per: Period,
}

impl Price {
    /// What is due each time.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        Amount { minor: self.minor, currency: self.currency }
    }
}

impl fmt::Display for Price {
    /// `29.00 EUR per month`, or `free`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.minor == 0 {
            return f.write_str("free");
        }
        write!(f, "{} per {}", self.amount(), self.per.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_written_with_the_digits_of_its_currency() {
        let price = |minor, code: &str| {
            Price { minor, currency: code.parse().expect("a code"), per: Period::Month }.to_string()
        };
        assert_eq!(price(2905, "EUR"), "29.05 EUR per month");
        assert_eq!(price(2905, "JPY"), "2905 JPY per month");
        assert_eq!(price(2905, "KWD"), "2.905 KWD per month");
        assert_eq!(price(0, "EUR"), "free");
        assert!("eur".parse::<Currency>().is_err());
    }
}
