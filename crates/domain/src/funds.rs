//! What leased budgets are budgets of: units of a plan's quota, or calls that somebody's money is good for.
//!
//! A gateway knows no prices. What an amount of money allows is worked out beside it, as a number of calls, and lent like an
//! exact quota ([`crate::Enforcement::Exact`]) under a name that no plan's limit can have.

/// What a budget is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Funds {
    /// Units of a plan's quota.
    #[default]
    Units,
    /// What is left until a subscription's spend cap.
    SpendCap,
    /// What is left of credits that were paid in advance.
    Credits,
    /// What a free plan allows a subscription whose spend cap is reached.
    Throttled,
}

impl Funds {
    /// Those that are no plan's quota.
    pub const KEPT: [Self; 3] = [Self::SpendCap, Self::Credits, Self::Throttled];

    /// How the limit is called. `$` keeps it apart from the limits that people name.
    #[must_use]
    pub const fn limit_name(self) -> Option<&'static str> {
        match self {
            Self::Units => None,
            Self::SpendCap => Some("$cap"),
            Self::Credits => Some("$credits"),
            Self::Throttled => Some("$throttled"),
        }
    }

    /// What a call takes from the budget: an operation that costs no units may still cost money.
    #[must_use]
    pub const fn weight(self, units: u32) -> u32 {
        match self {
            Self::Units | Self::Throttled => units,
            Self::SpendCap | Self::Credits => {
                if units == 0 {
                    1
                } else {
                    units
                }
            }
        }
    }

    /// Its place among the leases of a subscription; `quota` is the place among the plan's leased quotas.
    #[must_use]
    pub const fn cell(self, quota: usize) -> usize {
        let first = crate::Limit::QUOTAS_PER_PLAN_MAX;
        match self {
            Self::Units => quota,
            Self::SpendCap => first,
            Self::Credits => first + 1,
            Self::Throttled => first + 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Budget, Enforcement, InvalidLimit, Limit, LimitKind, LimitPer, Period};

    fn named(name: &str) -> Limit {
        let budget = Budget { enforcement: Enforcement::Exact, ..Budget::default() };
        let (kind, per) = (LimitKind::Quota, LimitPer::Subscription);
        Limit {
            name: name.into(),
            kind,
            amount: 1,
            period: Period::Month,
            burst: None,
            per,
            visible: true,
            budget,
        }
    }

    #[test]
    fn nobody_can_name_a_limit_so_that_it_is_taken_for_money() {
        for funds in Funds::KEPT {
            let limit = named(funds.limit_name().expect("it has a name"));
            assert_eq!(limit.funds(), funds);
            assert_eq!(limit.check(), Err(InvalidLimit::Name));
        }
        assert_eq!(named("month").funds(), Funds::Units);
    }

    #[test]
    fn every_budget_has_a_place_of_its_own() {
        let places: std::collections::HashSet<usize> =
            Funds::KEPT.into_iter().map(|funds| funds.cell(0)).collect();
        assert_eq!(places.len(), Funds::KEPT.len());
        assert!(places.iter().all(|place| (Limit::QUOTAS_PER_PLAN_MAX..Limit::LEASES_MAX).contains(place)));
    }

    #[test]
    fn a_call_that_costs_no_units_still_takes_from_money() {
        assert_eq!([0, 1, 20].map(|units| Funds::Credits.weight(units)), [1, 1, 20]);
        assert_eq!(Funds::Units.weight(0), 0);
    }
}
