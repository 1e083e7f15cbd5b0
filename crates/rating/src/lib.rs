//! What usage costs: a pure function from a tariff and counts to a bill, on integers alone.
//!
//! Amounts are minor units of one currency (cents, yen, fils). Unit prices may be as small as 10⁻¹² of one; sums are
//! exact, and each line of a bill is rounded once, half up. Nothing here knows a clock, a customer or a database.

mod apportion;
mod rate;
mod share;
mod tariff;
mod trial;
mod unit_price;

pub use apportion::apportion;
pub use rate::{Bill, Line, LineKind, Part, Usage, rate};
pub use share::Share;
pub use tariff::{
    CURRENCIES_MAX, InvalidTariff, METERS_MAX, MeterPrice, Prices, Scheme, TIERS_MAX, Tariff, Tier,
};
pub use tollgate_domain::Meter;
pub use trial::{Span, Trial, TrialUnits};
pub use unit_price::{InvalidUnitPrice, UnitPrice};
