//! Rating against published figures and against what must hold for every tariff.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_rating::{
    LineKind, Meter, Scheme, Share, Span, Tariff, Tier, Trial, TrialUnits, UnitPrice, Usage, rate,
};

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

/// Stripe's page «Transform quantities»: 10 USD per begun hour, counted in minutes; 150 minutes are three hours.
#[test]
fn packages_come_to_the_published_figures() {
    let tariff = with_price(json!({ "scheme": "package", "size": 60, "minor": 1_000 }));
    assert_eq!(
        totals(&tariff, &[0, 1, 60, 61, 120, 121, 150, 180]),
        [0, 1_000, 1_000, 2_000, 2_000, 3_000, 3_000, 3_000]
    );
}

/// Stripe's page «Flat fee and overages»: 100 USD a month, 1,000 units in it, 0.04 USD for each further one.
#[test]
fn a_fee_with_overage_comes_to_the_published_figures() {
    let overage = |price: Value, included: u64| -> Tariff {
        let meter = json!({ "meter": "calls", "included": included, "price": price });
        serde_json::from_value(json!({ "currency": "USD", "base_minor": 10_000, "meters": [meter] })).unwrap()
    };
    let included = overage(json!({ "scheme": "per_unit", "unit_minor": "4" }), 1_000);
    // As they write it: a first tier that costs nothing. It is the same price.
    let free_tier = json!([{ "up_to": 1_000, "unit_minor": "0" }, { "unit_minor": "4" }]);
    let tiered = overage(json!({ "scheme": "graduated", "tiers": free_tier }), 0);
    for tariff in [included, tiered] {
        assert_eq!(
            totals(&tariff, &[0, 1_000, 1_001, 1_500, 2_000]),
            [10_000, 10_000, 10_004, 12_000, 14_000]
        );
    }
}

#[test]
fn a_flat_fee_of_a_tier_is_due_when_the_tier_is_reached() {
    let tiers = json!([
        { "up_to": 10, "unit_minor": "0", "flat_minor": 1_000 },
        { "up_to": 20, "unit_minor": "50", "flat_minor": 200 },
        { "unit_minor": "25" }
    ]);
    let graduated = with_price(json!({ "scheme": "graduated", "tiers": tiers }));
    assert_eq!(totals(&graduated, &[0, 1, 10, 11, 20, 24]), [0, 1_000, 1_000, 1_250, 1_700, 1_800]);
    let volume = with_price(json!({ "scheme": "volume", "tiers": tiers }));
    assert_eq!(totals(&volume, &[0, 1, 10, 11, 20, 24]), [0, 1_000, 1_000, 750, 1_200, 600]);
}

fn with_trial(trial: Value) -> Tariff {
    let tariff: Tariff = serde_json::from_value(json!({
        "currency": "EUR", "base_minor": 3_000, "minimum_minor": 4_000, "setup_minor": 5_000, "trial": trial,
        "meters": [{ "meter": "calls", "included": 3_000, "price": { "scheme": "per_unit", "unit_minor": "1" } }]
    }))
    .unwrap();
    tariff.check().unwrap();
    tariff
}

/// Thirty days, of which so many were a trial with so many calls.
fn thirty_days(tried_days: u64, tried_calls: u64) -> Span {
    const DAY: u64 = 86_400;
    Span::of(30 * DAY, 30 * DAY).tried(tried_days * DAY, calls(tried_calls))
}

fn lines(tariff: &Tariff, span: Span, used: u64) -> Vec<(LineKind, u64, u64)> {
    rate(tariff, span, &calls(used)).lines.iter().map(|line| (line.kind, line.included, line.minor)).collect()
}

#[test]
fn in_a_trial_no_fee_is_due_and_its_units_come_on_top() {
    const CALLS: LineKind = LineKind::Usage(Meter::Calls);
    let tariff = with_trial(json!({ "days": 15, "included": [{ "meter": "calls", "units": 1_000 }] }));
    // Half a month: half the fee, half of the minimum; 600 of the calls were made in the trial and are on it.
    assert_eq!(
        lines(&tariff, thirty_days(15, 600), 3_650),
        [(LineKind::Base, 0, 1_500), (CALLS, 3_600, 50), (LineKind::Minimum, 0, 450)]
    );
    // More was tried than the trial gives.
    assert_eq!(lines(&tariff, thirty_days(15, 3_600), 5_000)[1], (CALLS, 4_000, 1_000));
    // Five of its fifteen days were in this month: a third of what it gives, rounded up.
    assert_eq!(lines(&tariff, thirty_days(5, 900), 5_000)[1], (CALLS, 3_334, 1_666));
    let base_due = with_trial(json!({ "days": 15, "base_due": true }));
    assert_eq!(
        lines(&base_due, thirty_days(15, 600), 0),
        [(LineKind::Base, 0, 3_000), (CALLS, 0, 0), (LineKind::Minimum, 0, 1_000)]
    );
    // A whole month on trial is for nothing.
    let month = with_trial(json!({ "days": 60, "included": [{ "meter": "calls", "units": 10_000 }] }));
    assert_eq!(rate(&month, thirty_days(30, 5_000), &calls(5_000)).total_minor, 0);
}

#[test]
fn a_one_time_fee_is_whole_and_beside_the_minimum() {
    let tariff = with_trial(json!({ "days": 15 }));
    let span = thirty_days(15, 0).with_setup(true);
    assert_eq!(lines(&tariff, span, 0).last(), Some(&(LineKind::Setup, 0, 5_000)));
    let total = |setup| rate(&tariff, thirty_days(15, 0).with_setup(setup), &calls(0)).total_minor;
    assert_eq!((total(false), total(true)), (2_000, 7_000));
}

#[test]
fn each_currency_has_prices_of_its_own() {
    let tariff: Tariff = serde_json::from_value(json!({
        "currency": "EUR", "base_minor": 2_900, "trial": { "days": 7 },
        "currencies": [{ "currency": "JPY", "base_minor": 5_000, "setup_minor": 1_000 }, { "currency": "KWD" }]
    }))
    .unwrap();
    tariff.check().unwrap();
    let code = |code: &str| code.parse().unwrap();
    let yen = tariff.in_currency(code("JPY")).unwrap();
    assert_eq!((yen.base_minor, yen.setup_minor, yen.trial), (5_000, 1_000, tariff.trial.clone()));
    assert_eq!(tariff.in_currency(code("EUR")).unwrap().base_minor, 2_900);
    assert_eq!(tariff.in_currency(code("USD")), None, "nothing is converted");
    assert!(!tariff.is_free() && !tariff.is_flat());
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
    let place_of = |more: Value| {
        let mut tariff = json!({ "currency": "EUR" });
        tariff.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<Tariff>(tariff).unwrap().check().unwrap_err().pointer
    };
    let calls = json!({ "meter": "calls", "units": 1 });
    for (more, place) in [
        (json!({ "trial": { "days": 0 } }), "/trial/days"),
        (json!({ "trial": { "days": 366 } }), "/trial/days"),
        (json!({ "trial": { "days": 7, "included": [calls, calls] } }), "/trial/included/1/meter"),
        (json!({ "setup_minor": 100_000_000_001_u64 }), "/setup_minor"),
        (json!({ "currencies": [{ "currency": "EUR" }] }), "/currencies/0/currency"),
        (json!({ "currencies": [{ "currency": "USD" }, { "currency": "USD" }] }), "/currencies/1/currency"),
        (
            json!({ "currencies": [{ "currency": "USD", "meters": [twice, twice] }] }),
            "/currencies/0/meters/1/meter",
        ),
        (json!({ "currencies": [{ "currency": "USD", "meters": [twice] }] }), "/currencies/0/meters"),
    ] {
        assert_eq!(place_of(more), place);
    }
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

fn trials() -> impl Strategy<Value = Option<Trial>> {
    let trial = (1u16..=40, any::<bool>(), 0u64..100_000).prop_map(|(days, base_due, units)| {
        let included = vec![TrialUnits { meter: Meter::Calls, units }];
        Trial { days, base_due, included }
    });
    prop::option::of(trial)
}

fn tariffs_of(schemes: impl Strategy<Value = Scheme>) -> impl Strategy<Value = Tariff> {
    let fixed = (0u64..100_000, 0u64..100_000, 0u64..100_000, 0u64..100_000);
    (fixed, schemes, trials()).prop_map(
        |((base_minor, minimum_minor, setup_minor, included), price, trial)| Tariff {
            setup_minor,
            trial,
            meters: vec![tollgate_rating::MeterPrice { meter: Meter::Calls, included, price }],
            minimum_minor,
            ..Tariff::flat("EUR".parse().unwrap(), base_minor)
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
    fn a_trial_costs_no_more_than_none_and_more_use_in_it_never_less(
        tariff in tariffs_of(growing_schemes()), days in 0u64..=30, tried in 0u64..1_000_000, rest in 0u64..1_000_000,
        more in 0u64..100_000,
    ) {
        let total = |tariff: &Tariff, tried| rate(tariff, thirty_days(days, tried).with_setup(true), &calls(tried + rest)).total_minor;
        prop_assert!(total(&tariff, tried + more) >= total(&tariff, tried));
        let without = Tariff { trial: None, ..tariff.clone() };
        prop_assert!(total(&tariff, tried) <= total(&without, tried));
        prop_assert!(total(&tariff, tried) >= tariff.setup_minor);
        let bill = rate(&tariff, thirty_days(days, tried).with_setup(true), &calls(tried + rest));
        prop_assert_eq!(bill.lines.iter().map(|line| line.minor).sum::<u64>(), bill.total_minor);
    }

    /// To the cent but for rounding: a month cut in two has its fee, and its part of what is included is never less.
    #[test]
    fn a_month_in_two_parts_costs_one_base_fee(base_minor in 0u64..10_000_000, setup_minor in 0u64..10_000, cut in 0u64..=2_592_000) {
        let tariff = Tariff { setup_minor, ..Tariff::flat("EUR".parse().unwrap(), base_minor) };
        let part = |seconds, setup| rate(&tariff, Span::of(seconds, 2_592_000).with_setup(setup), &calls(0)).total_minor;
        let whole = part(2_592_000, true);
        prop_assert!((part(cut, true) + part(2_592_000 - cut, false)).abs_diff(whole) <= 1);
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
