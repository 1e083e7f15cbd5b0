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
use tollgate_domain::{CalendarMonth, Currency};
use tollgate_rating::{Meter, Part, Scheme, Tariff, Tier, Trial, UnitPrice};

use crate::say::{language, say, t};
use crate::show;

/// `1,533 calls`.
fn units(meter: Option<&str>, units: i64) -> String {
    let meter = meter.and_then(|meter| Meter::try_from(meter.to_owned()).ok()).unwrap_or(Meter::Calls);
    counted(&meter, units)
}

/// So many units of a meter.
fn counted(meter: &Meter, units: i64) -> String {
    let named = |name: &str| -> String {
        say("meter-of").with("number", show::number(units)).with("name", name).into()
    };
    match meter {
        Meter::Calls => say("meter-calls").count(units).into(),
        Meter::Units => say("meter-units").count(units).into(),
        Meter::MegabytesIn => named(t("meter-mb-in")),
        Meter::MegabytesOut => named(t("meter-mb-out")),
        Meter::Reading(name) => named(name.as_str()),
    }
}

/// One unit of a meter: `call`.
fn one_of(meter: &Meter) -> &str {
    match meter {
        Meter::Calls => t("meter-call"),
        Meter::Units => t("meter-unit"),
        Meter::MegabytesIn => t("meter-mb-in"),
        Meter::MegabytesOut => t("meter-mb-out"),
        Meter::Reading(name) => name.as_str().strip_suffix('s').unwrap_or(name.as_str()),
    }
}

/// What costs nothing of a line, and what the rest comes to: `1,000 calls included, 533 × 0.002 EUR`.
fn included(meter: Option<&str>, included: i64, sum: String) -> String {
    match included {
        0 => sum,
        _ if sum.is_empty() => say("prices-included-only").with("units", units(meter, included)).into(),
        _ => say("prices-included-sum").with("units", units(meter, included)).with("sum", sum).into(),
    }
}

/// `October 2026`.
fn month_named(month: CalendarMonth) -> String {
    tollgate_language::month_of_year(language(), &month.first_day())
}

/// How units come to their amount: `533 × 0.002 EUR`.
fn sum_of(parts: &[Part], currency: Currency) -> String {
    let said: Vec<String> = parts
        .iter()
        .map(|part| {
            let flat = show::money(tollgate_domain::Amount { minor: part.flat_minor, currency });
            let units = show::number(part.units.cast_signed());
            let each = format!("{units} × {}", in_major(part.unit_minor, currency));
            match (part.unit_minor == UnitPrice::default(), part.flat_minor) {
                (true, 0) => t("prices-nothing").to_owned(),
                (true, _) => flat,
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

/// What a plan costs beside its price, a sentence each: `14 days to try, without the price per month`,
/// `1,000 calls included, then 0.002 EUR per call`.
#[must_use]
pub fn use_prices(tariff: &Tariff) -> Vec<String> {
    let currency = tariff.currency;
    let mut said: Vec<String> = tariff.trial.iter().map(trial).collect();
    said.extend(tariff.meters.iter().map(|one| {
        let price = scheme(&one.price, currency, &one.meter);
        match one.included {
            0 => price,
            included => {
                let units = counted(&one.meter, included.cast_signed());
                say("prices-included").with("units", units).with("price", price).into()
            }
        }
    }));
    if tariff.minimum_minor > 0 {
        let minimum = tollgate_domain::Amount { minor: tariff.minimum_minor, currency };
        said.push(say("prices-at-least").sum("amount", minimum).into());
    }
    if tariff.setup_minor > 0 {
        let setup = tollgate_domain::Amount { minor: tariff.setup_minor, currency };
        let when = if tariff.trial.is_some() { "prices-once-after-trial" } else { "prices-once" };
        said.push(say(when).sum("amount", setup).into());
    }
    said
}

/// What stands large on a plan without a base fee, and what it is per: `0.002 EUR` and `per call` where use is priced, else the
/// least of a month or what is due once. None where it costs nothing.
#[must_use]
pub fn by_use(tariff: &Tariff) -> Option<(String, String)> {
    let currency = tariff.currency;
    let amount = |minor| show::money(tollgate_domain::Amount { minor, currency });
    let of_meter = tariff.meters.iter().find_map(|one| {
        let noun = one_of(&one.meter);
        match &one.price {
            Scheme::PerUnit { unit_minor } if *unit_minor > UnitPrice::default() => {
                Some((in_major(*unit_minor, currency), say("product-per-unit").with("unit", noun).into()))
            }
            Scheme::Package { size, minor } if *minor > 0 => {
                let units = counted(&one.meter, size.cast_signed());
                Some((amount(*minor), say("product-per-unit").with("unit", units).into()))
            }
            Scheme::Graduated { tiers } | Scheme::Volume { tiers } => {
                let priced =
                    tiers.iter().map(|tier| tier.unit_minor).filter(|one| *one > UnitPrice::default());
                let least = priced.min()?;
                Some((in_major(least, currency), say("product-from-per-unit").with("unit", noun).into()))
            }
            _ => None,
        }
    });
    let least =
        (tariff.minimum_minor > 0).then(|| (amount(tariff.minimum_minor), t("product-at-least").to_owned()));
    let once = (tariff.setup_minor > 0).then(|| (amount(tariff.setup_minor), t("product-once").to_owned()));
    of_meter.or(least).or(once)
}

/// What a plan costs in two or three words: `free`, `29.00 EUR per month`, `by use`.
#[must_use]
pub fn in_short(tariff: &Tariff) -> String {
    let base = tollgate_domain::Amount { minor: tariff.base_minor, currency: tariff.currency };
    match base.minor {
        0 if tariff.is_free() => t("prices-free").to_owned(),
        0 => t("prices-by-use").to_owned(),
        _ => say("prices-a-month").sum("amount", base).into(),
    }
}

fn trial(trial: &Trial) -> String {
    let days = say("prices-days").count(i64::from(trial.days));
    let days = if trial.base_due { days } else { say("prices-without-fee").with("days", days) };
    let units = trial.included.iter().map(|one| {
        let units = counted(&one.meter, one.units.cast_signed());
        format!(", {}", say("prices-units-free").with("units", units))
    });
    format!("{days}{}", units.collect::<String>())
}

fn scheme(scheme: &Scheme, currency: Currency, meter: &Meter) -> String {
    match scheme {
        Scheme::PerUnit { unit_minor } => each(*unit_minor, currency, meter),
        Scheme::Package { size, minor } => {
            let price = tollgate_domain::Amount { minor: *minor, currency };
            let units = counted(meter, size.cast_signed());
            say("prices-package").sum("price", price).with("units", units).into()
        }
        Scheme::Graduated { tiers } => by_tier(tiers, currency, meter),
        Scheme::Volume { tiers } => {
            say("prices-all-of-them").with("price", by_tier(tiers, currency, meter)).into()
        }
    }
}

fn in_major(price: UnitPrice, currency: Currency) -> String {
    show::money(format_args!("{} {}", price.in_major(currency.minor_digits()), currency.as_str()))
}

fn each(price: UnitPrice, currency: Currency, meter: &Meter) -> String {
    say("prices-each").with("price", in_major(price, currency)).with("unit", one_of(meter)).into()
}

fn by_tier(tiers: &[Tier], currency: Currency, meter: &Meter) -> String {
    let said: Vec<String> = tiers
        .iter()
        .map(|tier| {
            let price = each(tier.unit_minor, currency, meter);
            let price = match tier.flat_minor {
                0 => price,
                minor => {
                    let flat = tollgate_domain::Amount { minor, currency };
                    say("prices-and-once").with("price", price).sum("amount", flat).into()
                }
            };
            match tier.up_to {
                Some(up_to) => {
                    let number = show::number(up_to.cast_signed());
                    say("prices-up-to").with("price", price).with("number", number).into()
                }
                None if tiers.len() > 1 => say("prices-beyond").with("price", price).into(),
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
