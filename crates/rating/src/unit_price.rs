//! Prices smaller than the smallest coin.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// So many parts of a minor unit are told apart: twelve decimals, as Stripe's `unit_amount_decimal` has.
const PARTS: u64 = 1_000_000_000_000;
const DECIMALS: usize = 12;
/// 100,000.00 of a currency with two decimals; so that any count of units times a price fits into 128 bits.
const MINOR_MAX: u64 = 10_000_000;

/// The price of one unit in minor units, written as a decimal: `0.25` with EUR is a quarter of a cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitPrice(u64);

/// A text that is no unit price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a unit price is a decimal like 0.25, in minor units, with at most 12 decimals and at most 10000000")]
pub struct InvalidUnitPrice;

impl UnitPrice {
    /// Reads a price in the currency's main unit, which has so many decimals: `0.002` euros are `0.2` cents.
    ///
    /// # Errors
    /// It is no such price.
    pub fn from_major(text: &str, decimals: u32) -> Result<Self, InvalidUnitPrice> {
        let (whole, parts) = text.split_once('.').unwrap_or((text, "0"));
        if whole.is_empty() || parts.is_empty() || !text.is_ascii() {
            return Err(InvalidUnitPrice);
        }
        let padded = format!("{parts:0<width$}", width = decimals as usize + 1);
        let (shifted, parts) = padded.split_at(decimals as usize);
        let whole = format!("{whole}{shifted}");
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        format!("{whole}.{parts}").parse()
    }

    /// In the currency's main unit, which has so many decimals: `0.2` cents are `0.002` euros.
    #[must_use]
    pub fn in_major(self, decimals: u32) -> String {
        let places = DECIMALS + decimals as usize;
        let digits = format!("{:0width$}", self.0, width = places + 1);
        let (whole, parts) = digits.split_at(digits.len() - places);
        let shown = parts.trim_end_matches('0').len().max(decimals as usize);
        if shown == 0 { whole.to_owned() } else { format!("{whole}.{}", &parts[..shown]) }
    }

    /// What some units cost, in parts of a minor unit.
    pub(crate) const fn times(self, units: u64) -> Parts {
        Parts(self.0 as u128 * units as u128)
    }
}

/// An exact amount, before it is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Parts(pub(crate) u128);

impl Parts {
    pub(crate) const fn of_minor(minor: u64) -> Self {
        Self(minor as u128 * PARTS as u128)
    }

    /// To the nearest minor unit, half up. What does not fit is the largest amount there is.
    pub(crate) fn rounded(self) -> u64 {
        let half = u128::from(PARTS / 2);
        u64::try_from(self.0.saturating_add(half) / u128::from(PARTS)).unwrap_or(u64::MAX)
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl FromStr for UnitPrice {
    type Err = InvalidUnitPrice;

    fn from_str(text: &str) -> Result<Self, InvalidUnitPrice> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || whole.len() > 8 || decimals.len() > DECIMALS {
            return Err(InvalidUnitPrice);
        }
        let whole: u64 = whole.parse().map_err(|_| InvalidUnitPrice)?;
        let parts: u64 = format!("{decimals:0<DECIMALS$}").parse().map_err(|_| InvalidUnitPrice)?;
        let price = whole * PARTS + parts;
        (price <= MINOR_MAX * PARTS).then_some(Self(price)).ok_or(InvalidUnitPrice)
    }
}

impl fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / PARTS)?;
        let parts = format!("{:0DECIMALS$}", self.0 % PARTS);
        match parts.trim_end_matches('0') {
            "" => Ok(()),
            decimals => write!(f, ".{decimals}"),
        }
    }
}

impl TryFrom<String> for UnitPrice {
    type Error = InvalidUnitPrice;

    fn try_from(text: String) -> Result<Self, InvalidUnitPrice> {
        text.parse()
    }
}

impl From<UnitPrice> for String {
    fn from(price: UnitPrice) -> Self {
        price.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_price_reads_back_as_its_shortest_writing() {
        for (text, shortest) in [
            ("0", "0"),
            ("0.25", "0.25"),
            ("1.50", "1.5"),
            ("007", "7"),
            ("0.000000000001", "0.000000000001"),
            ("10000000", "10000000"),
        ] {
            assert_eq!(text.parse::<UnitPrice>().map(|price| price.to_string()), Ok(shortest.to_owned()));
        }
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,5",
            " 1",
            "0.0000000000001",
            "10000000.01",
            "999999999",
        ] {
            assert_eq!(bad.parse::<UnitPrice>(), Err(InvalidUnitPrice), "{bad}");
        }
    }

    #[test]
    fn in_the_main_unit_a_price_has_the_decimals_it_needs() {
        let price = |text: &str| text.parse::<UnitPrice>().expect("a price");
        assert_eq!(price("0.2").in_major(2), "0.002");
        assert_eq!(price("700").in_major(2), "7.00");
        assert_eq!(price("12.5").in_major(0), "12.5");
        assert_eq!(price("12").in_major(0), "12");
        assert_eq!(price("0").in_major(2), "0.00");
    }

    #[test]
    fn a_price_in_the_main_unit_is_read_as_it_is_shown() {
        for (text, decimals, minor) in
            [("0.002", 2, "0.2"), ("7", 2, "700"), ("7.5", 2, "750"), ("12.5", 0, "12.5"), ("0.001", 3, "1")]
        {
            assert_eq!(
                UnitPrice::from_major(text, decimals).map(|price| price.to_string()),
                Ok(minor.to_owned())
            );
        }
        for bad in ["", ".", ".5", "5.", "-1", "1e3", "0,5", "é", "1.2.3", "0.000000000000001"] {
            assert_eq!(UnitPrice::from_major(bad, 2), Err(InvalidUnitPrice), "{bad}");
        }
    }

    #[test]
    fn amounts_are_rounded_half_up() {
        let price: UnitPrice = "0.5".parse().expect("a price");
        assert_eq!([1, 2, 3].map(|units| price.times(units).rounded()), [1, 1, 2]);
        let price: UnitPrice = "0.499999999999".parse().expect("a price");
        assert_eq!(price.times(1).rounded(), 0);
        assert_eq!(UnitPrice(MINOR_MAX * PARTS).times(u64::MAX).rounded(), u64::MAX);
    }
}
