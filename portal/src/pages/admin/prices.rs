//! What use of a plan costs, in a form: one line per meter, its price written as one reads it.
//!
//! `0.002` per unit; `5.00 per 1000` for packages; `0.05 to 1000; 0.04 + 5.00 to 10000; 0.03` for tiers, where what
//! stands behind a plus is due once. All of it in the currency's main unit, and never by way of a float.

use std::borrow::Cow;

use tollgate_control::{Actor, Control, PlanInput, PlanPatch, Pricing};
use tollgate_domain::{Amount, CalendarMonth, Currency, PlanId, UnpaidLanding};
use tollgate_rating::{Meter, MeterPrice, Scheme, Tariff, Tier, UnitPrice};
use tollgate_store::PlanRow;

use super::offers;
use super::terms::minor;
use crate::PortalState;
use crate::error::Fault;
use crate::form::Form;
use crate::pages::billing::use_prices;
use crate::parts::{Cell, Fieldset, Input, List, Notice, Reader, Sent};
use crate::session::Visit;
use crate::show::{self, Moment};

const EXAMPLE: &str = "Like 0.002 per unit, 5.00 per 1000 in packages, or 0.05 to 1000; 0.03 in tiers.";

/// The fields of what use costs.
pub fn fieldset(form: &Form) -> Fieldset {
    let lines = (0..).take_while(|n| form.has(&format!("meters/{n}/price"))).count().max(1);
    let schemes = [
        ("per_unit", "each the same"),
        ("graduated", "each by its tier"),
        ("volume", "all by the last tier"),
        ("package", "in packages"),
    ];
    let line = |n: usize| {
        let name = |field: &str| format!("meters/{n}/{field}");
        let label = |text: &str| format!("{text} {}", n + 1);
        vec![
            Input::one(form, &name("meter"), &label("Meter"), meters(form.value(&name("meter")))),
            Input::number(form, &name("included"), &label("Included"), 0, 1_000_000_000_000),
            Input::one(form, &name("scheme"), &label("Priced"), schemes),
            Input::line(form, &name("price"), &label("Price")),
        ]
    };
    Fieldset {
        lines: (0..lines).map(line).collect(),
        more: Some(("meter", "Add another meter")),
        ..Fieldset::new(
            "Use",
            vec![Input::line(form, "minimum", "Least per month").hint("Base price and use together come to this at least. Empty is none.")],
        )
    }
    .about(format!(
        "What calls cost beside the price per month, in the same currency. {EXAMPLE} Behind a plus stands what is due once when a tier is reached. Lines without a price are left out. Whoever subscribed before keeps the prices of then."
    ))
}

/// The meters that need no reading, and the one that is priced already.
fn meters(priced: &str) -> impl Iterator<Item = (String, String)> {
    let reading = Meter::try_from(priced.to_owned()).ok().filter(|meter| !Meter::BUILT_IN.contains(meter));
    let all = Meter::BUILT_IN.iter().copied().chain(reading);
    all.map(|meter| (meter.as_str().to_owned(), meter.as_str().replace('_', " ")))
}

/// What was typed; what cannot be read is said on its field.
pub fn typed(reader: &mut Reader<'_>, sent: &Sent, currency: Currency) -> Pricing {
    let mut meters = Vec::new();
    for n in sent.lines("meters") {
        let name = |field: &str| format!("meters/{n}/{field}");
        let meter = Meter::try_from(sent.get(&name("meter"))).ok();
        let included = if sent.has(&name("included")) { reader.number(&name("included")) } else { Some(0) };
        let price = scheme(&sent.get(&name("scheme")), &sent.get(&name("price")), currency);
        match (meter, included, price) {
            (Some(meter), Some(included), Some(price)) => meters.push(MeterPrice { meter, included, price }),
            (None, ..) => reader.wrong(&name("meter"), "choose what is counted"),
            (_, None, _) => {}
            (.., None) => reader.wrong(&name("price"), EXAMPLE),
        }
    }
    let minimum = minor(&sent.get("minimum"), currency);
    if minimum.is_none() {
        reader.wrong("minimum", "an amount like 20 or 20.00");
    }
    Pricing {
        minimum_minor: minimum.unwrap_or(0),
        setup_minor: offers::setup(reader, sent, currency),
        trial: offers::trial(reader, sent),
        currencies: offers::currencies(reader, sent, &meters),
        meters,
    }
}

/// A tariff's prices as fields of a form.
pub fn values(tariff: &Tariff) -> Vec<(Cow<'static, str>, String)> {
    let currency = tariff.currency;
    let mut values: Vec<(Cow<'static, str>, String)> = Vec::new();
    for (n, one) in tariff.meters.iter().enumerate() {
        let (scheme, price) = written(&one.price, currency);
        let included = if one.included == 0 { String::new() } else { one.included.to_string() };
        for (field, value) in [
            ("meter", one.meter.as_str().to_owned()),
            ("included", included),
            ("scheme", scheme.to_owned()),
            ("price", price),
        ] {
            values.push((format!("meters/{n}/{field}").into(), value));
        }
    }
    if tariff.minimum_minor > 0 {
        values.push(("minimum".into(), major(tariff.minimum_minor, currency)));
    }
    values
}

/// An amount in the currency's main unit.
pub fn major(minor: u64, currency: Currency) -> String {
    let text = Amount { minor, currency }.to_string();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// The kind of a price in one word.
pub const fn scheme_word(scheme: &Scheme) -> &'static str {
    match scheme {
        Scheme::PerUnit { .. } => "per_unit",
        Scheme::Package { .. } => "package",
        Scheme::Graduated { .. } => "graduated",
        Scheme::Volume { .. } => "volume",
    }
}

/// A price as it is typed: its kind, and the rest.
pub fn written(scheme: &Scheme, currency: Currency) -> (&'static str, String) {
    let unit = |price: UnitPrice| price.in_major(currency.minor_digits());
    let tiers = |tiers: &[Tier]| {
        let one = |tier: &Tier| {
            let flat = match tier.flat_minor {
                0 => String::new(),
                flat => format!(" + {}", major(flat, currency)),
            };
            let end = tier.up_to.map(|end| format!(" to {end}")).unwrap_or_default();
            format!("{}{flat}{end}", unit(tier.unit_minor))
        };
        tiers.iter().map(one).collect::<Vec<_>>().join("; ")
    };
    let text = match scheme {
        Scheme::PerUnit { unit_minor } => unit(*unit_minor),
        Scheme::Package { size, minor } => format!("{} per {size}", major(*minor, currency)),
        Scheme::Graduated { tiers: list } | Scheme::Volume { tiers: list } => tiers(list),
    };
    (scheme_word(scheme), text)
}

/// A price as it was typed; none where it cannot be read.
pub fn scheme(kind: &str, text: &str, currency: Currency) -> Option<Scheme> {
    let unit = |text: &str| UnitPrice::from_major(text.trim(), currency.minor_digits()).ok();
    let tier = |text: &str| {
        let (price, end) = match text.split_once(" to ") {
            Some((price, end)) => (price, Some(end.trim().parse().ok()?)),
            None => (text, None),
        };
        let (price, flat) = match price.split_once('+') {
            Some((price, flat)) => (price, minor(flat, currency)?),
            None => (price, 0),
        };
        Some(Tier { up_to: end, unit_minor: unit(price)?, flat_minor: flat })
    };
    let tiers = || -> Option<Vec<Tier>> {
        text.split(';').map(str::trim).filter(|one| !one.is_empty()).map(tier).collect()
    };
    Some(match kind {
        "per_unit" => Scheme::PerUnit { unit_minor: unit(text)? },
        "package" => {
            let (price, size) = text.split_once(" per ")?;
            Scheme::Package { size: size.trim().parse().ok()?, minor: minor(price, currency)? }
        }
        "graduated" => Scheme::Graduated { tiers: tiers()? },
        "volume" => Scheme::Volume { tiers: tiers()? },
        _ => return None,
    })
}

/// What a plan's form said.
pub struct Typed {
    /// The plan itself.
    pub input: PlanInput,
    /// What it charges beside its price.
    pub pricing: Pricing,
    /// What becomes of late payers, and after how many days.
    pub late: (UnpaidLanding, Option<i16>),
    /// Whether its calls are paid from credits as they are made.
    pub prepaid: bool,
}

/// Saves a plan with its prices, all or nothing. `known` is the plan that exists, and its version that was seen.
///
/// # Errors
/// What either refuses.
pub async fn save(
    control: &Control,
    actor: &Actor,
    known: Option<(PlanId, Option<i64>)>,
    Typed { input, pricing, late: (landing, grace_days), prepaid }: Typed,
) -> tollgate_control::Result<PlanRow> {
    let unit = control.open_unit().await?;
    let brain = unit.control();
    let id = match known {
        None => brain.create_plan(actor, input).await?.id,
        Some((id, expected)) => {
            let before = brain.plan_tariff(id).await?.tariff;
            let mut expected = expected;
            if before.currency != input.price.currency && !before.is_flat() {
                // A tariff has one currency of its own: the old prices go before the new currency comes.
                brain.price_plan(actor, id, expected.take(), Pricing::default()).await?;
            }
            brain.update_plan(actor, id, expected, PlanPatch::from(input)).await?.id
        }
    };
    brain.price_plan(actor, id, None, pricing).await?;
    let held = brain.store().get_plan(id).await?;
    if (held.unpaid_landing, held.grace_days) != (landing, grace_days) {
        brain.agree_on_late_payers(actor, id, None, landing, grace_days).await?;
    }
    if held.prepaid != prepaid {
        brain.set_prepaid(actor, id, prepaid).await?;
    }
    let row = brain.store().get_plan(id).await?;
    unit.commit().await?;
    Ok(row)
}

/// Every price that a plan had, and how many are on it.
///
/// # Errors
/// The database is away.
pub async fn versions(state: &PortalState, visit: &Visit, plan: PlanId) -> Result<List, Fault> {
    let versions = state.control.plan_versions(plan).await?;
    let latest = versions.first().map_or(0, |one| one.price.number);
    let rows = versions.into_iter().map(|one| {
        let tariff = &one.price.tariff;
        let base = Amount { minor: tariff.base_minor, currency: tariff.currency };
        let state =
            if one.price.number == latest { "whoever subscribes now" } else { "whoever subscribed then" };
        let sentences = [format!("{base} per month")].into_iter().chain(use_prices(tariff));
        vec![
            Cell::Strong { text: format!("Version {}", one.price.number), second: state.to_owned() },
            Cell::Text(sentences.collect::<Vec<_>>().join("; ")),
            Cell::When(Moment::of(one.since, visit.now)),
            Cell::number(one.subscriptions.cast_signed()),
        ]
    });
    Ok(List::new("versions", "Prices over time")
        .column("Version")
        .column("What it charges")
        .column("Since")
        .numbers("Subscriptions")
        .rows(rows))
}

/// What last month would have come to at these prices; none where nobody was on the plan.
///
/// # Errors
/// The database is away.
pub async fn shadow(
    state: &PortalState,
    visit: &Visit,
    plan: PlanId,
    tariff: &Tariff,
) -> Result<Option<Notice>, Fault> {
    let (actor, _) = visit.operator()?;
    let month = CalendarMonth::of(visit.now).previous();
    let shadow = state.control.shadow_bill(&actor, plan, month, tariff).await?;
    if shadow.subscriptions == 0 {
        return Ok(None);
    }
    let said = |amounts: &[Amount]| amounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let title =
        format!("Last month under these prices: {} instead of {}", said(&shadow.would_be), said(&shadow.was));
    let text = format!(
        "{} on the plan in {}: {} would have paid more, {} less. Whoever subscribed keeps the prices of then.",
        show::count(shadow.subscriptions, "subscription"),
        month.start().format("%B %Y"),
        shadow.dearer,
        shadow.cheaper,
    );
    Ok(Some(Notice::new("info", title, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_as_it_was() {
        let currency: Currency = "EUR".parse().expect("a code");
        for (kind, text, again) in [
            ("per_unit", "0.002", "0.002"),
            ("per_unit", "1", "1.00"),
            ("package", "5 per 1000", "5.00 per 1000"),
            ("graduated", "0.05 to 1000;0.04 + 5 to 10000; 0.03", "0.05 to 1000; 0.04 + 5.00 to 10000; 0.03"),
            ("volume", "0.05 to 10; 0.001", "0.05 to 10; 0.001"),
        ] {
            let read = scheme(kind, text, currency).unwrap_or_else(|| panic!("{text} is read"));
            assert_eq!(written(&read, currency), (kind, again.to_owned()), "{text}");
            assert_eq!(scheme(kind, again, currency), Some(read));
        }
        for (kind, bad) in [
            ("per_unit", ""),
            ("per_unit", "-1"),
            ("per_unit", "1e3"),
            ("per_unit", "0,5"),
            ("per_unit", "é"),
            ("package", "5"),
            ("package", "5 per x"),
            ("package", "0.001 per 5"),
            ("graduated", "0.05 to x; 1"),
            ("volume", "0.05 + x"),
            ("flat", "1"),
        ] {
            assert_eq!(scheme(kind, bad, currency), None, "{kind} {bad}");
        }
    }
}
