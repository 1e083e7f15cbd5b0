//! Rating against published figures and against what must hold for every tariff.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_rating::{LineKind, Meter, Scheme, Share, Tariff, Tier, UnitPrice, Usage, rate};

fn calls(calls: u64) -> Usage {
    Usage { calls, ..Usage::default() }
}

fn with_price(price: Value) -> Tariff {
    let tariff: Tariff = serde_json::from_value(
        json!({ "currency": "USD", "meters": [{ "meter": "calls", "price": price }] }),
    )
    .unwrap();
    tariff.check().unwrap();
    tariff
}

fn totals(tariff: &Tariff, units: &[u64]) -> Vec<u64> {
    units.iter().map(|units| rate(tariff, Share::WHOLE, &calls(*units)).total_minor).collect()
}

/// The tiers of Stripe's page «Set up tiered pricing»: 1–5 at 7 USD, 6–10 at 6.50 USD, 11 and more at 6 USD.
fn published_tiers() -> Value {
    json!([
        { "up_to": 5, "unit_minor": "700" },
        { "up_to": 10, "unit_minor": "650" },
        { "unit_minor": "600" }
    ])
}

#[test]
fn volume_prices_come_to_the_published_figures() {
    let tariff = with_price(json!({ "scheme": "volume", "tiers": published_tiers() }));
    assert_eq!(totals(&tariff, &[1, 5, 6, 20, 25]), [700, 3_500, 3_900, 12_000, 15_000]);
}

#[test]
fn graduated_prices_come_to_the_published_figures() {
    let tariff = with_price(json!({ "scheme": "graduated", "tiers": published_tiers() }));
    assert_eq!(totals(&tariff, &[1, 5, 6, 20, 25]), [700, 3_500, 4_150, 12_750, 15_750]);
}

/// Stripe's page on changing a subscription: from 10 to 20 USD in the middle of a month leaves 5 USD to pay.
#[test]
fn a_change_in_the_middle_of_a_period_costs_half_the_difference() {
    let usd = "USD".parse().unwrap();
    let half = |minor| rate(&Tariff::flat(usd, minor), Share::of(15, 30), &Usage::default()).total_minor;
    assert_eq!(half(2_000) - half(1_000), 500);
}

#[test]
fn packages_are_paid_when_begun_and_included_units_are_not() {
    let tariff = with_price(json!({ "scheme": "package", "size": 1_000, "minor": 250 }));
    assert_eq!(totals(&tariff, &[0, 1, 1_000, 1_001]), [0, 250, 250, 500]);
    let tariff: Tariff = serde_json::from_value(json!({
        "currency": "EUR", "base_minor": 2_900, "minimum_minor": 3_000,
        "meters": [{ "meter": "calls", "included": 10_000, "price": { "scheme": "per_unit", "unit_minor": "0.2" } }]
    }))
    .unwrap();
    assert_eq!(
        totals(&tariff, &[0, 10_000, 10_001, 10_500, 11_000, 110_000]),
        [3_000, 3_000, 3_000, 3_000, 3_100, 22_900]
    );
    let bill = rate(&tariff, Share::WHOLE, &calls(10_001));
    assert_eq!(
        bill.lines.iter().map(|line| (line.kind, line.minor)).collect::<Vec<_>>(),
        [(LineKind::Base, 2_900), (LineKind::Usage(Meter::Calls), 0), (LineKind::Minimum, 100)]
    );
    // Ten of thirty days: a third of the fee, of what is included and of the minimum.
    let part = rate(&tariff, Share::of(10, 30), &calls(3_834));
    assert_eq!(part.lines[1].included, 3_334);
    assert_eq!(part.total_minor, 967 + 100);
}

#[test]
fn a_begun_megabyte_counts() {
    let tariff: Tariff = serde_json::from_value(json!({
        "currency": "EUR", "meters": [{ "meter": "megabytes_out", "price": { "scheme": "per_unit", "unit_minor": "3" } }]
    }))
    .unwrap();
    let bytes = |bytes_out| {
        rate(&tariff, Share::WHOLE, &Usage { calls: 9, bytes_out, ..Usage::default() }).total_minor
    };
    assert_eq!([0, 1, 1_000_000, 1_000_001].map(bytes), [0, 3, 3, 6]);
}

#[test]
fn a_tariff_that_cannot_be_charged_by_is_refused_at_its_place() {
    let place = |price: Value| {
        let tariff: Tariff = serde_json::from_value(
            json!({ "currency": "EUR", "meters": [{ "meter": "calls", "price": price }] }),
        )
        .unwrap();
        tariff.check().unwrap_err().pointer
    };
    let tier = |up_to: Value| json!({ "up_to": up_to, "unit_minor": "1" });
    let tiers = |tiers: Vec<Value>| place(json!({ "scheme": "graduated", "tiers": tiers }));
    assert_eq!(tiers(vec![]), "/meters/0/price/tiers");
    assert_eq!(tiers(vec![tier(json!(5))]), "/meters/0/price/tiers/0/up_to");
    assert_eq!(tiers(vec![tier(Value::Null), tier(Value::Null)]), "/meters/0/price/tiers/0/up_to");
    assert_eq!(
        tiers(vec![tier(json!(5)), tier(json!(5)), tier(Value::Null)]),
        "/meters/0/price/tiers/1/up_to"
    );
    assert_eq!(place(json!({ "scheme": "package", "size": 0, "minor": 1 })), "/meters/0/price/size");
    let twice = json!({ "meter": "calls", "price": { "scheme": "per_unit", "unit_minor": "1" } });
    let tariff: Tariff =
        serde_json::from_value(json!({ "currency": "EUR", "meters": [twice, twice] })).unwrap();
    assert_eq!(tariff.check().unwrap_err().pointer, "/meters/1/meter");
    for unknown in [
        json!({ "currency": "EUR", "discount": 1 }),
        json!({ "currency": "EUR", "meters": [{ "meter": "calls", "price": { "scheme": "per_unit", "unit_minor": 0.2 } }] }),
    ] {
        assert!(serde_json::from_value::<Tariff>(unknown).is_err());
    }
}

fn unit_prices() -> impl Strategy<Value = UnitPrice> {
    (0u64..1_000, 0u64..1_000_000).prop_map(|(whole, parts)| format!("{whole}.{parts:06}").parse().unwrap())
}

fn tiers() -> impl Strategy<Value = Vec<Tier>> {
    let tier = (1u64..100_000, unit_prices(), 0u64..5_000);
    prop::collection::vec(tier, 1..6).prop_map(|drawn| {
        let (last, mut end) = (drawn.len() - 1, 0);
        drawn
            .into_iter()
            .enumerate()
            .map(|(index, (length, unit_minor, flat_minor))| {
                end += length;
                Tier { up_to: (index < last).then_some(end), unit_minor, flat_minor }
            })
            .collect()
    })
}

fn growing_schemes() -> impl Strategy<Value = Scheme> {
    prop_oneof![
        unit_prices().prop_map(|unit_minor| Scheme::PerUnit { unit_minor }),
        tiers().prop_map(|tiers| Scheme::Graduated { tiers }),
        (1u64..10_000, 0u64..100_000).prop_map(|(size, minor)| Scheme::Package { size, minor }),
    ]
}

fn tariffs() -> impl Strategy<Value = Tariff> {
    tariffs_of(prop_oneof![3 => growing_schemes(), 1 => tiers().prop_map(|tiers| Scheme::Volume { tiers })])
}

fn tariffs_of(schemes: impl Strategy<Value = Scheme>) -> impl Strategy<Value = Tariff> {
    (0u64..100_000, 0u64..100_000, 0u64..100_000, schemes).prop_map(
        |(base_minor, minimum_minor, included, price)| Tariff {
            currency: "EUR".parse().unwrap(),
            base_minor,
            meters: vec![tollgate_rating::MeterPrice { meter: Meter::Calls, included, price }],
            minimum_minor,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn lines_make_up_the_bill_and_parts_make_up_the_units(tariff in tariffs(), units in 0u64..10_000_000, part in 0u64..=30) {
        tariff.check().unwrap();
        let bill = rate(&tariff, Share::of(part, 30), &calls(units));
        prop_assert_eq!(bill.lines.iter().map(|line| line.minor).sum::<u64>(), bill.total_minor);
        prop_assert!(bill.total_minor >= Share::of(part, 30).of_amount(tariff.minimum_minor));
        for line in bill.lines.iter().filter(|line| matches!(line.kind, LineKind::Usage(_))) {
            prop_assert_eq!(line.included + line.parts.iter().map(|part| part.units).sum::<u64>(), units);
        }
    }

    #[test]
    fn more_use_never_costs_less_but_under_volume_prices(tariff in tariffs_of(growing_schemes()), units in 0u64..10_000_000, more in 0u64..100_000) {
        let total = |units| rate(&tariff, Share::WHOLE, &calls(units)).total_minor;
        prop_assert!(total(units + more) >= total(units));
    }

    #[test]
    fn one_tier_is_one_price_whatever_the_scheme_is_called(unit_minor in unit_prices(), units in 0u64..10_000_000) {
        let tiers = vec![Tier { up_to: None, unit_minor, flat_minor: 0 }];
        let total = |price| {
            let meters = vec![tollgate_rating::MeterPrice { meter: Meter::Calls, included: 0, price }];
            let tariff = Tariff { meters, ..Tariff::flat("EUR".parse().unwrap(), 0) };
            rate(&tariff, Share::WHOLE, &calls(units)).total_minor
        };
        let per_unit = total(Scheme::PerUnit { unit_minor });
        prop_assert_eq!(total(Scheme::Graduated { tiers: tiers.clone() }), per_unit);
        prop_assert_eq!(total(Scheme::Volume { tiers }), per_unit);
    }

    #[test]
    fn a_tariff_reads_back_as_written(tariff in tariffs()) {
        let text = serde_json::to_string(&tariff).unwrap();
        prop_assert_eq!(serde_json::from_str::<Tariff>(&text).unwrap(), tariff);
    }
}
