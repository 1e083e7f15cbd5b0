//! What the organization owes.

pub mod calls;
pub mod checkout;
pub mod credits;
pub mod invoice;
pub mod overview;
pub mod pay;
pub mod pdf;
pub mod webhook;

use serde_json::Value;
use tollgate_domain::Currency;
use tollgate_rating::{Meter, Part, Scheme, Tariff, Tier, Trial, UnitPrice};

use crate::show;

/// `1,533 calls`.
fn units(meter: Option<&str>, units: i64) -> String {
    let meter = meter.and_then(|meter| Meter::try_from(meter.to_owned()).ok()).unwrap_or(Meter::Calls);
    format!("{} {}", show::number(units), nouns(&meter).1)
}

/// How units come to their amount: `533 × 0.002 EUR`.
fn sum_of(parts: &[Part], currency: Currency) -> String {
    let decimals = currency.minor_digits();
    let said: Vec<String> = parts
        .iter()
        .map(|part| {
            let flat = tollgate_domain::Amount { minor: part.flat_minor, currency };
            let each = format!(
                "{} × {} {}",
                show::number(part.units.cast_signed()),
                part.unit_minor.in_major(decimals),
                currency.as_str()
            );
            match (part.unit_minor == UnitPrice::default(), part.flat_minor) {
                (true, 0) => "nothing".to_owned(),
                (true, _) => flat.to_string(),
                (false, 0) => each,
                (false, _) => format!("{each} + {flat}"),
            }
        })
        .collect();
    said.join(", ")
}

/// As stored with an invoice.
fn parts_of(stored: &Value) -> Vec<Part> {
    serde_json::from_value(stored.clone()).unwrap_or_default()
}

/// How one and several units of a meter are called.
pub(super) fn nouns(meter: &Meter) -> (&str, &str) {
    match meter {
        Meter::Calls => ("call", "calls"),
        Meter::Units => ("unit", "units"),
        Meter::MegabytesIn => ("MB in", "MB in"),
        Meter::MegabytesOut => ("MB", "MB"),
        Meter::Reading(name) => {
            let name = name.as_str();
            (name.strip_suffix('s').unwrap_or(name), name)
        }
    }
}

/// What a plan costs beside its price, a sentence each: `14 days to try, without the price per month`,
/// `1,000 calls included, then 0.002 EUR per call`.
#[must_use]
pub fn use_prices(tariff: &Tariff) -> Vec<String> {
    let currency = tariff.currency;
    let mut said: Vec<String> = tariff.trial.iter().map(trial).collect();
    said.extend(tariff.meters.iter().map(|one| {
        let (noun, nouns) = nouns(&one.meter);
        let price = scheme(&one.price, currency, noun, nouns);
        match one.included {
            0 => price,
            included => {
                format!("{} {nouns} included, then {price}", show::number(included.cast_signed()))
            }
        }
    }));
    if tariff.minimum_minor > 0 {
        let minimum = tollgate_domain::Amount { minor: tariff.minimum_minor, currency };
        said.push(format!("at least {minimum} per month"));
    }
    if tariff.setup_minor > 0 {
        let setup = tollgate_domain::Amount { minor: tariff.setup_minor, currency };
        let when = if tariff.trial.is_some() { ", after the trial" } else { "" };
        said.push(format!("{setup} once{when}"));
    }
    said
}

/// What a plan costs in two or three words: `free`, `29.00 EUR per month`, `by use`.
#[must_use]
pub fn in_short(tariff: &Tariff) -> String {
    let base = tollgate_domain::Amount { minor: tariff.base_minor, currency: tariff.currency };
    match base.minor {
        0 if tariff.is_free() => "free".to_owned(),
        0 => "by use".to_owned(),
        _ => format!("{base} per month"),
    }
}

fn trial(trial: &Trial) -> String {
    let days = show::count(usize::from(trial.days), "day");
    let fee = if trial.base_due { String::new() } else { ", without the price per month".to_owned() };
    let units = trial
        .included
        .iter()
        .map(|one| format!(", with {} {} free", show::number(one.units.cast_signed()), nouns(&one.meter).1));
    format!("{days} to try{fee}{}", units.collect::<String>())
}

fn scheme(scheme: &Scheme, currency: Currency, noun: &str, nouns: &str) -> String {
    match scheme {
        Scheme::PerUnit { unit_minor } => each(*unit_minor, currency, noun),
        Scheme::Package { size, minor } => {
            let price = tollgate_domain::Amount { minor: *minor, currency };
            format!("{price} per {} {nouns} begun", show::number(size.cast_signed()))
        }
        Scheme::Graduated { tiers } => by_tier(tiers, currency, noun),
        Scheme::Volume { tiers } => format!("all of them {}", by_tier(tiers, currency, noun)),
    }
}

fn each(price: UnitPrice, currency: Currency, noun: &str) -> String {
    format!("{} {} per {noun}", price.in_major(currency.minor_digits()), currency.as_str())
}

fn by_tier(tiers: &[Tier], currency: Currency, noun: &str) -> String {
    let said: Vec<String> = tiers
        .iter()
        .map(|tier| {
            let flat = match tier.flat_minor {
                0 => String::new(),
                minor => format!(" and {} once", tollgate_domain::Amount { minor, currency }),
            };
            let price = format!("{}{flat}", each(tier.unit_minor, currency, noun));
            match tier.up_to {
                Some(up_to) => format!("{price} up to {}", show::number(up_to.cast_signed())),
                None if tiers.len() > 1 => format!("{price} beyond"),
                None => price,
            }
        })
        .collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_read_like_text() {
        let said = |meters: serde_json::Value| {
            let tariff = serde_json::json!({ "currency": "EUR", "base_minor": 2_900, "meters": meters, "minimum_minor": 0 });
            use_prices(&serde_json::from_value(tariff).unwrap()).join("; ")
        };
        let meter = |included: u64, price: serde_json::Value| {
            said(serde_json::json!([{ "meter": "calls", "included": included, "price": price }]))
        };
        let per_unit = serde_json::json!({ "scheme": "per_unit", "unit_minor": "0.2" });
        assert_eq!(meter(1_000, per_unit), "1,000 calls included, then 0.002 EUR per call");
        let package = serde_json::json!({ "scheme": "package", "size": 1_000, "minor": 250 });
        assert_eq!(meter(0, package), "2.50 EUR per 1,000 calls begun");
        let tiers =
            serde_json::json!([{ "up_to": 10, "unit_minor": "7" }, { "unit_minor": "6", "flat_minor": 100 }]);
        let graduated = serde_json::json!({ "scheme": "graduated", "tiers": tiers });
        assert_eq!(
            meter(0, graduated),
            "0.07 EUR per call up to 10, 0.06 EUR per call and 1.00 EUR once beyond"
        );
        assert_eq!(said(serde_json::json!([])), "");
        let tried = serde_json::json!({
            "currency": "EUR", "base_minor": 2_900, "setup_minor": 5_000,
            "trial": { "days": 14, "included": [{ "meter": "calls", "units": 5_000 }] }
        });
        assert_eq!(
            use_prices(&serde_json::from_value(tried).unwrap()),
            [
                "14 days to try, without the price per month, with 5,000 calls free",
                "50.00 EUR once, after the trial"
            ]
        );
    }
}
