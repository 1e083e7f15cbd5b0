//! What an amount of money still allows, in calls: rating turned round.
//!
//! A gateway lends itself calls and knows no prices, so what remains of a cap or of credits is said to it as a number. Each
//! call takes its units from it, one at least. Until calls are counted it is not known whether units or calls were spent, so
//! both are assumed: what was lent and is not counted may cost that much at most. Prices may fall when a tier is reached
//! (volume), so every number of calls on the way is asked about, not the last alone.
//!
//! Bytes and numbers read from answers are not known before a call is over. Of them as many are expected as calls had so far,
//! and never more calls are allowed at once than were counted, a hundred at least: what they may cost beyond that is what
//! the cap can be passed by.

use tollgate_domain::{Limit, Meter};
use tollgate_rating::{LineKind, Scheme, Span, Tariff, Usage, rate};

/// Calls allowed at once where what they cost cannot be known.
const UNKNOWN_MIN: u64 = 100;

/// What a month has come to, and what else may come.
#[derive(Debug, Clone)]
pub(super) struct Position<'p> {
    /// What the terms of the rest of the month charge.
    pub tariff: &'p Tariff,
    /// For what of the month they hold.
    pub span: Span,
    /// What was used on them.
    pub usage: Usage,
    /// What was spent, weighted as budgets of money are; test keys' calls among it.
    pub spent: u64,
    /// What was due besides, on terms that are over.
    pub besides_minor: u64,
    /// Whether base fee and minimum count.
    pub whole_bill: bool,
}

impl Position<'_> {
    /// What the month comes to when `more` is spent on top of what was counted, at most.
    pub(super) fn cost(&self, more: u64) -> u64 {
        let expected = |counted: u64| {
            let each = u128::from(counted) * u128::from(more);
            u64::try_from(each.div_ceil(u128::from(self.spent.max(1)))).unwrap_or(u64::MAX)
        };
        let usage = Usage {
            calls: self.usage.calls.saturating_add(more),
            units: self.usage.units.saturating_add(more),
            bytes_in: self.usage.bytes_in.saturating_add(expected(self.usage.bytes_in)),
            bytes_out: self.usage.bytes_out.saturating_add(expected(self.usage.bytes_out)),
            readings: (self.usage.readings.iter())
                .map(|(name, sum)| (*name, sum.saturating_add(expected(*sum))))
                .collect(),
        };
        let bill = rate(self.tariff, self.span.clone(), &usage);
        let own = match self.whole_bill {
            true => bill.total_minor,
            false => bill
                .lines
                .iter()
                .filter(|line| matches!(line.kind, LineKind::Usage(_)))
                .fold(0u64, |sum, line| sum.saturating_add(line.minor)),
        };
        own.saturating_add(self.besides_minor)
    }

    /// The most that may be spent on top so that the month never comes to more than `limit_minor`.
    pub(super) fn allows(&self, limit_minor: u64) -> u64 {
        if self.cost(0) > limit_minor {
            return 0;
        }
        let mut from = 0;
        for end in self.tier_ends().into_iter().chain([self.most()]) {
            if self.cost(end) > limit_minor {
                return self.last_within(from, end, limit_minor);
            }
            from = end;
        }
        from
    }

    /// The largest number below `beyond` that costs no more than the limit; between the two, prices only grow.
    fn last_within(&self, from: u64, beyond: u64, limit_minor: u64) -> u64 {
        let (mut within, mut beyond) = (from, beyond);
        while beyond - within > 1 {
            let middle = within + (beyond - within) / 2;
            if self.cost(middle) > limit_minor { beyond = middle } else { within = middle }
        }
        within
    }

    /// Calls after which a tier is full, ascending: behind each of them the price may fall.
    fn tier_ends(&self) -> Vec<u64> {
        let most = self.most();
        let mut ends: Vec<u64> = Vec::new();
        for price in &self.tariff.meters {
            let used = match price.meter {
                Meter::Calls => self.usage.calls,
                Meter::Units => self.usage.units,
                _ => continue,
            };
            let (Scheme::Volume { tiers } | Scheme::Graduated { tiers }) = &price.price else { continue };
            let given = self.span.given(self.tariff.trial.as_ref(), price.meter);
            let included = self.span.share().of_allowance(price.included).saturating_add(given);
            let full = tiers.iter().filter_map(|tier| tier.up_to);
            ends.extend(full.filter_map(|end| end.saturating_add(included).checked_sub(used)));
        }
        ends.retain(|end| *end < most);
        ends.sort_unstable();
        ends.dedup();
        // What follows a full tier begins with the next call; asked about one by one, or a dear begin would be missed.
        ends.into_iter().flat_map(|end| [end, end + 1]).filter(|end| *end < most).collect()
    }

    fn most(&self) -> u64 {
        let known = |meter| matches!(meter, Meter::Calls | Meter::Units);
        match self.tariff.meters.iter().all(|price| known(price.meter)) {
            true => Limit::AMOUNT_MAX,
            false => self.spent.max(UNKNOWN_MIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn tariff(meters: serde_json::Value) -> Tariff {
        serde_json::from_value(json!({ "currency": "EUR", "base_minor": 900, "meters": meters })).unwrap()
    }

    fn position(tariff: &Tariff, calls: u64) -> Position<'_> {
        let usage = Usage { calls, units: calls, ..Usage::default() };
        Position { tariff, span: Span::of(1, 1), usage, spent: calls, besides_minor: 0, whole_bill: false }
    }

    #[test]
    fn a_cap_of_ten_euros_is_five_thousand_calls_beyond_what_is_included() {
        let per_call = tariff(json!([{ "meter": "calls", "included": 1000,
            "price": { "scheme": "per_unit", "unit_minor": "0.2" } }]));
        // A bill is rounded half up, so two more calls still come to ten euros.
        assert_eq!(position(&per_call, 0).allows(1_000), 6_002);
        assert_eq!(position(&per_call, 6_002).allows(1_000), 0);
        assert_eq!(position(&per_call, 0).allows(0), 1_002);
        let whole = Position { whole_bill: true, ..position(&per_call, 0) };
        assert_eq!((whole.allows(899), whole.allows(900)), (0, 1_002), "the base fee is due first");
    }

    #[test]
    fn a_price_that_falls_with_volume_is_not_taken_ahead() {
        let volume = tariff(json!([{ "meter": "calls", "price": { "scheme": "volume", "tiers": [
            { "up_to": 1000, "unit_minor": "10" }, { "unit_minor": "1" }] } }]));
        // 1,001 calls cost less than 1,000, but on the way there more than the cap would be owed.
        assert_eq!(position(&volume, 0).allows(2_000), 200);
        assert_eq!(position(&volume, 1_500).allows(2_000), 500);
    }

    #[test]
    fn of_what_is_not_known_ahead_no_more_is_allowed_at_once_than_was_seen() {
        let bytes = tariff(
            json!([{ "meter": "megabytes_out", "price": { "scheme": "per_unit", "unit_minor": "100" } }]),
        );
        let mut at = position(&bytes, 0);
        assert_eq!(at.allows(1_000_000), UNKNOWN_MIN);
        (at.spent, at.usage.bytes_out) = (1_000, 500_000_000);
        assert_eq!(at.allows(60_000), 200, "half a megabyte each, a hundred megabytes are left");
    }

    fn schemes() -> impl Strategy<Value = serde_json::Value> {
        let tiers = (1u64..50, 1u64..50, 0u64..9, 0u64..9, 0u64..9, 0u64..40).prop_map(|(a, b, x, y, z, flat)| {
            json!([{ "up_to": a, "unit_minor": x.to_string() },
                { "up_to": a + b, "unit_minor": y.to_string(), "flat_minor": flat }, { "unit_minor": z.to_string() }])
        });
        prop_oneof![
            (0u64..9).prop_map(|each| json!({ "scheme": "per_unit", "unit_minor": each.to_string() })),
            (1u64..9, 0u64..60)
                .prop_map(|(size, minor)| json!({ "scheme": "package", "size": size, "minor": minor })),
            tiers.clone().prop_map(|tiers| json!({ "scheme": "graduated", "tiers": tiers })),
            tiers.prop_map(|tiers| json!({ "scheme": "volume", "tiers": tiers })),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn whatever_is_spent_of_what_is_allowed_costs_no_more_than_the_limit(
            calls in schemes(), units in schemes(), included in 0u64..30, used in 0u64..120, limit in 0u64..900,
        ) {
            let both = tariff(json!([{ "meter": "calls", "included": included, "price": calls },
                { "meter": "units", "price": units }]));
            let at = position(&both, used);
            let allowed = at.allows(limit);
            if at.cost(0) <= limit {
                // Up to it nothing costs more; the next one does.
                for more in 0..=allowed.min(300) {
                    prop_assert!(at.cost(more) <= limit, "{more} of {allowed} cost {}", at.cost(more));
                }
                if allowed < Limit::AMOUNT_MAX {
                    prop_assert!(at.cost(allowed + 1) > limit);
                }
            } else {
                prop_assert_eq!(allowed, 0);
            }
        }
    }
}
