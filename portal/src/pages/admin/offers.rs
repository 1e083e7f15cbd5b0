//! What else a plan's price says, in a form: a one-time fee, a trial, prices in other currencies, and late payers.

use std::borrow::Cow;

use tollgate_domain::{Currency, UnpaidLanding};
use tollgate_rating::{Meter, MeterPrice, Prices, Tariff, Trial, TrialUnits};

use super::prices::{major, scheme, scheme_word, written};
use super::terms::minor;
use crate::form::Form;
use crate::parts::{Fieldset, Input, Reader, Sent};

const UNITS_EXAMPLE: &str = "Like calls 5000, several apart by semicolons.";
const PRICES_EXAMPLE: &str = "one price for each meter above, in the same order, with | between them";
const AMOUNT_EXAMPLE: &str = "an amount like 20 or 20.00";

/// The fields of the one-time fee and the trial.
pub fn trial_fieldset(form: &Form) -> Fieldset {
    Fieldset::new(
        "Trial and one-time fee",
        vec![
            Input::number(form, "trial_days", "Days to try it", 1, 365)
                .hint("Of 24 hours each, without price and minimum. Each customer tries a product once. Empty is none."),
            Input::line(form, "trial_units", "Units in the trial")
                .hint(format!("Free besides those that the plan includes. {UNITS_EXAMPLE}")),
            Input::tick(form, "trial_base", "Price and minimum are due all the same"),
            Input::line(form, "setup", "One-time fee")
                .hint("Due once, when a subscription is on the plan for the first time and its trial is over."),
        ],
    )
}

/// The fields of prices in other currencies.
pub fn currencies_fieldset(form: &Form) -> Fieldset {
    let lines = (0..).take_while(|n| form.has(&format!("currencies/{n}/currency"))).count();
    let line = |n: usize| {
        let name = |field: &str| format!("currencies/{n}/{field}");
        let label = |text: &str| format!("{text} {}", n + 1);
        vec![
            Input::line(form, &name("currency"), &label("Currency")),
            Input::line(form, &name("price"), &label("Price per month")),
            Input::line(form, &name("meters"), &label("Prices of use")),
            Input::line(form, &name("minimum"), &label("Least per month")),
            Input::line(form, &name("setup"), &label("One-time fee")),
        ]
    };
    Fieldset {
        lines: (0..lines).map(line).collect(),
        more: Some(("currency", "Add another currency")),
        ..Fieldset::new("Other currencies", Vec::new())
    }
    .about(format!(
        "Nothing is converted: what is charged in another currency is written down. Prices of use are {PRICES_EXAMPLE}. A customer pays in the currency of the first plan that costs something, or the one chosen before, and stays with it. Lines without a currency are left out."
    ))
}

/// The fields about when a subscriber pays, and about late payers.
pub fn paying_fieldset(form: &Form) -> Fieldset {
    let landings = [
        (UnpaidLanding::Block, "Calls are refused with 402"),
        (UnpaidLanding::Throttle, "The limits of the product's free plan hold"),
        (UnpaidLanding::GoOn, "Nothing"),
    ];
    Fieldset::new(
        "Paying",
        vec![
            Input::tick(form, "prepaid", "In advance: calls are paid from credits as they are made")
                .hint("Without credits they are refused with 402, at the very call. Left open, each month is billed when it is over."),
            Input::one(form, "unpaid_landing", "When an invoice stays unpaid", landings.map(|(one, text)| (one.as_str(), text))),
            Input::number(form, "grace_days", "Days of grace", 0, 365)
                .hint("Between the first failed payment and that. Empty is three; a customer's own go before these."),
        ],
    )
}

/// What becomes of late payers, as typed.
pub fn late(reader: &mut Reader<'_>, sent: &Sent) -> (UnpaidLanding, Option<i16>) {
    let days = if sent.has("grace_days") { reader.number("grace_days") } else { None };
    let landing = sent.get("unpaid_landing").parse().unwrap_or(UnpaidLanding::Block);
    (landing, days.and_then(|days: u64| i16::try_from(days).ok()))
}

/// The one-time fee, as typed.
pub fn setup(reader: &mut Reader<'_>, sent: &Sent, currency: Currency) -> u64 {
    amount(reader, sent, "setup", currency)
}

/// An amount; nothing where it is empty, said on its field where it cannot be read.
fn amount(reader: &mut Reader<'_>, sent: &Sent, name: &str, currency: Currency) -> u64 {
    minor(&sent.get(name), currency).unwrap_or_else(|| {
        reader.wrong(name, AMOUNT_EXAMPLE);
        0
    })
}

/// The trial, as typed.
pub fn trial(reader: &mut Reader<'_>, sent: &Sent) -> Option<Trial> {
    if !sent.has("trial_days") {
        return None;
    }
    let days = reader.number("trial_days").and_then(|days: u64| u16::try_from(days).ok())?;
    let unit = |text: &str| {
        let (meter, units) = text.split_once(' ')?;
        Some(TrialUnits { meter: Meter::try_from(meter.to_owned()).ok()?, units: units.trim().parse().ok()? })
    };
    let typed = sent.get("trial_units");
    let words = typed.split(';').map(str::trim).filter(|word| !word.is_empty());
    let included = words.map(unit).collect::<Option<Vec<_>>>().unwrap_or_else(|| {
        reader.wrong("trial_units", UNITS_EXAMPLE);
        Vec::new()
    });
    Some(Trial { days, base_due: sent.has("trial_base"), included })
}

/// Prices in other currencies, as typed; `meters` are those of the plan's own.
pub fn currencies(reader: &mut Reader<'_>, sent: &Sent, meters: &[MeterPrice]) -> Vec<Prices> {
    let mut currencies = Vec::new();
    for n in sent.lines("currencies") {
        let name = |field: &str| format!("currencies/{n}/{field}");
        let Ok(currency) = sent.get(&name("currency")).to_uppercase().parse::<Currency>() else {
            reader.wrong(&name("currency"), "three letters, like USD (ISO 4217)");
            continue;
        };
        let priced = priced(&sent.get(&name("meters")), meters, currency).unwrap_or_else(|| {
            reader.wrong(&name("meters"), PRICES_EXAMPLE);
            Vec::new()
        });
        currencies.push(Prices {
            currency,
            base_minor: amount(reader, sent, &name("price"), currency),
            meters: priced,
            minimum_minor: amount(reader, sent, &name("minimum"), currency),
            setup_minor: amount(reader, sent, &name("setup"), currency),
        });
    }
    currencies
}

/// `0.0022 | volume: 0.05 to 1000; 0.03`: each as the plan's own meter is priced, unless it says how. None where it cannot
/// be read.
fn priced(text: &str, meters: &[MeterPrice], currency: Currency) -> Option<Vec<MeterPrice>> {
    let prices: Vec<&str> = text.split('|').map(str::trim).filter(|price| !price.is_empty()).collect();
    if prices.len() != meters.len() {
        return None;
    }
    let one = |(own, text): (&MeterPrice, &str)| {
        let (kind, text) = match text.split_once(':') {
            Some((kind, text)) => (kind.trim(), text.trim()),
            None => (scheme_word(&own.price), text),
        };
        Some(MeterPrice { meter: own.meter, included: own.included, price: scheme(kind, text, currency)? })
    };
    meters.iter().zip(prices).map(one).collect()
}

/// All of it as fields of a form.
pub fn values(tariff: &Tariff, late: (UnpaidLanding, Option<i16>)) -> Vec<(Cow<'static, str>, String)> {
    let mut values: Vec<(Cow<'static, str>, String)> = vec![("unpaid_landing".into(), late.0.to_string())];
    let mut put =
        |name: Cow<'static, str>, value: Option<String>| values.extend(value.map(|value| (name, value)));
    put("grace_days".into(), late.1.map(|days| days.to_string()));
    let shown = |minor: u64, currency| (minor > 0).then(|| major(minor, currency));
    put("setup".into(), shown(tariff.setup_minor, tariff.currency));
    if let Some(trial) = &tariff.trial {
        put("trial_days".into(), Some(trial.days.to_string()));
        put("trial_base".into(), trial.base_due.then(|| "yes".to_owned()));
        let units: Vec<String> =
            trial.included.iter().map(|one| format!("{} {}", one.meter.as_str(), one.units)).collect();
        put("trial_units".into(), (!units.is_empty()).then(|| units.join("; ")));
    }
    for (n, prices) in tariff.currencies.iter().enumerate() {
        let mut put = |field: &str, value| put(format!("currencies/{n}/{field}").into(), value);
        put("currency", Some(prices.currency.as_str().to_owned()));
        put("price", shown(prices.base_minor, prices.currency));
        put("minimum", shown(prices.minimum_minor, prices.currency));
        put("setup", shown(prices.setup_minor, prices.currency));
        let priced = prices.meters.iter().zip(&tariff.meters).map(|(theirs, own)| {
            let (kind, text) = written(&theirs.price, prices.currency);
            if kind == scheme_word(&own.price) { text } else { format!("{kind}: {text}") }
        });
        let priced: Vec<String> = priced.collect();
        put("meters", (!priced.is_empty()).then(|| priced.join(" | ")));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_shows_is_read_back_as_it_was() {
        let tiers = serde_json::json!([{ "up_to": 1_000, "unit_minor": "5" }, { "unit_minor": "3" }]);
        let meters = |first: &str| {
            serde_json::json!([
                { "meter": "calls", "included": 10, "price": { "scheme": "per_unit", "unit_minor": first } },
                { "meter": "tokens", "price": { "scheme": "graduated", "tiers": tiers } }
            ])
        };
        let tariff: Tariff = serde_json::from_value(serde_json::json!({
            "currency": "EUR", "base_minor": 2_900, "setup_minor": 5_000, "meters": meters("0.2"),
            "trial": { "days": 14, "base_due": true, "included": [{ "meter": "calls", "units": 5_000 }, { "meter": "tokens", "units": 7 }] },
            "currencies": [{ "currency": "JPY", "base_minor": 5_000, "minimum_minor": 100, "meters": meters("0.25") }]
        }))
        .expect("a tariff");
        tariff.check().expect("it can be charged by");
        let shown = values(&tariff, (UnpaidLanding::Throttle, Some(7)));
        let sent = Sent(shown.into_iter().map(|(name, value)| (name.into_owned(), value)).collect());
        let mut reader = Reader::new(&sent);
        assert_eq!(setup(&mut reader, &sent, tariff.currency), 5_000);
        assert_eq!(trial(&mut reader, &sent), tariff.trial);
        assert_eq!(currencies(&mut reader, &sent, &tariff.meters), tariff.currencies);
        assert_eq!(late(&mut reader, &sent), (UnpaidLanding::Throttle, Some(7)));
        assert!(reader.refused().is_none());

        let bad = [
            ("trial_days", "7"),
            ("trial_units", "calls many"),
            ("currencies/0/currency", "USD"),
            ("currencies/0/meters", "1"),
        ];
        let sent = Sent(bad.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
        let mut reader = Reader::new(&sent);
        trial(&mut reader, &sent);
        currencies(&mut reader, &sent, &tariff.meters);
        let refused = reader.refused().expect("two fields cannot be read");
        assert!(refused.error("trial_units").is_some() && refused.error("currencies/0/meters").is_some());
    }
}
