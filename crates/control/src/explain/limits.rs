//! Every limit that holds for a call, where it was written, and which of them is hit first.

use std::cmp::Reverse;

use tollgate_domain::{ApiPolicies, Enforcement, Limit, LimitKind, Policies, PolicyScope, RatePolicy};

use crate::LimitStanding;

/// What a call is held to whatever plan it is on.
#[derive(Debug, Clone, Default)]
pub struct HeldTo {
    /// Rates of the platform, the API and the operation.
    pub rates: Vec<(PolicyScope, RatePolicy)>,
    /// Networks that it may come from; every list must have the caller.
    pub networks: Vec<(PolicyScope, Vec<String>)>,
    /// Bytes of its body, with the scope that says so; none where the gateway does.
    pub body_bytes_max: Option<(PolicyScope, u64)>,
}

impl HeldTo {
    /// What a call of an operation is held to.
    pub(super) fn of(platform: &Policies, api: &ApiPolicies, method: &str, path: &str) -> Self {
        let mut held = Self { body_bytes_max: api.body_bytes_max(platform, method, path), ..Self::default() };
        for (scope, own) in api.scopes_of(platform, method, path) {
            held.rates.extend(own.rates.iter().map(|rate| (scope, rate.clone())));
            if !own.networks.is_empty() {
                held.networks.push((scope, own.networks.to_vec()));
            }
        }
        held
    }
}

/// A limit that holds, and where it comes from.
#[derive(Debug, Clone)]
pub struct EffectiveLimit {
    /// The limit.
    pub limit: AnyLimit,
    /// The scope that it was written for.
    pub scope: PolicyScope,
    /// Where it was written, in plain words.
    pub from: String,
    /// Units used in the present period, for a quota.
    pub used: Option<i64>,
    /// Whether it is the first to refuse, where calls come one behind the other without a pause and no rate has been
    /// used for long.
    pub is_first: bool,
}

/// A limit of either kind.
#[derive(Debug, Clone)]
pub enum AnyLimit {
    /// Of a plan.
    OfPlan(Limit),
    /// Of a policy.
    OfPolicy(RatePolicy),
}

impl EffectiveLimit {
    /// Of a policy.
    pub(super) fn of_policy(scope: PolicyScope, rate: RatePolicy, from: String) -> Self {
        Self { limit: AnyLimit::OfPolicy(rate), scope, from, used: None, is_first: false }
    }

    /// Of a plan, where nothing is known of its use.
    pub(super) fn of_plan(limit: Limit, from: String) -> Self {
        let limit = AnyLimit::OfPlan(limit);
        Self { limit, scope: PolicyScope::Plan, from, used: None, is_first: false }
    }

    /// Of a plan, as it stands.
    pub(super) fn standing(standing: LimitStanding, written: &str) -> Self {
        let mut from = match &standing.own {
            Some(own) if own.reason.is_empty() => {
                format!("the subscription's own amount, in place of {}", standing.of_plan)
            }
            Some(own) => {
                format!("the subscription's own amount ({}), in place of {}", own.reason, standing.of_plan)
            }
            None => written.to_owned(),
        };
        if let Some(period) = standing.period.filter(|period| period.carried > 0) {
            from.push_str(&format!("; {} left over from the period before", period.carried));
        }
        let amount = standing.amount();
        let used = standing.period.map(|period| period.used.cast_signed());
        Self { used, ..Self::of_plan(Limit { amount, ..standing.limit }, from) }
    }

    /// What is told of a quota that is used up.
    pub(super) fn exhausted(&self) -> Option<String> {
        let AnyLimit::OfPlan(limit) = &self.limit else { return None };
        let used = u64::try_from(self.used?).ok()?;
        let refuses = limit.budget.enforcement != Enforcement::Soft && used >= limit.amount;
        refuses.then(|| format!("{used} of {} units of {} are used", limit.amount, limit.name))
    }

    /// Calls of so many units that it admits without a pause, and how long it then keeps a call waiting, in
    /// nanoseconds; none where it refuses none.
    fn admits(&self, units: u32) -> Option<(u64, Reverse<u64>)> {
        const SECOND_NS: u64 = 1_000_000_000;
        let every = |amount: u64, period_s: u64| Reverse((period_s * SECOND_NS).div_ceil(amount.max(1)));
        match &self.limit {
            AnyLimit::OfPolicy(rate) => Some((rate.at_once(), every(rate.amount, rate.period.seconds()))),
            AnyLimit::OfPlan(limit) if limit.kind == LimitKind::Rate => {
                Some((limit.burst.unwrap_or(limit.amount), every(limit.amount, limit.period.seconds())))
            }
            AnyLimit::OfPlan(limit) if limit.budget.enforcement == Enforcement::Soft => None,
            AnyLimit::OfPlan(limit) => {
                let used = self.used.and_then(|used| u64::try_from(used).ok()).unwrap_or(0);
                let calls = limit.amount.saturating_sub(used).checked_div(u64::from(units))?;
                Some((calls, Reverse(u64::MAX)))
            }
        }
    }
}

/// Marks the limit that is hit first by calls of so many units; among equals the one that keeps waiting longest.
pub(super) fn mark_first(limits: &mut [EffectiveLimit], units: u32) {
    let first = limits.iter_mut().filter(|limit| limit.admits(units).is_some());
    if let Some(first) = first.min_by_key(|limit| limit.admits(units)) {
        first.is_first = true;
    }
}

#[cfg(test)]
mod tests {
    use tollgate_domain::{Budget, LimitPer, Period, RatePer};

    use super::*;

    fn plan(name: &str, kind: LimitKind, amount: u64, period: Period) -> EffectiveLimit {
        let limit = Limit {
            name: name.into(),
            kind,
            amount,
            period,
            burst: None,
            per: LimitPer::Subscription,
            visible: true,
            budget: Budget::default(),
        };
        EffectiveLimit::of_plan(limit, "plan free".into())
    }

    fn policy(name: &str, amount: u64, burst: Option<u64>) -> EffectiveLimit {
        let rate = RatePolicy { name: name.into(), amount, period: Period::Second, burst, per: RatePer::All };
        EffectiveLimit::of_policy(PolicyScope::Api, rate, "API countries".into())
    }

    fn first(mut limits: Vec<EffectiveLimit>, units: u32) -> Option<usize> {
        mark_first(&mut limits, units);
        limits.iter().position(|limit| limit.is_first)
    }

    #[test]
    fn the_first_to_refuse_is_the_one_that_admits_fewest_at_once() {
        let month = || plan("month", LimitKind::Quota, 100, Period::Month);
        let limits =
            || vec![policy("shield", 500, None), plan("burst", LimitKind::Rate, 10, Period::Second), month()];
        assert_eq!(first(limits(), 1), Some(1));
        assert_eq!(first(limits(), 20), Some(2), "five calls of twenty units");
        assert_eq!(first(vec![month()], 0), None, "what costs nothing uses nothing up");
        assert_eq!(first(vec![month(), policy("shield", 500, Some(3))], 1), Some(1));
        let nearly = EffectiveLimit { used: Some(99), ..month() };
        assert_eq!(first(vec![policy("shield", 500, Some(3)), nearly], 1), Some(1));
        assert_eq!(first(vec![policy("fast", 10, None), policy("slow", 2, Some(10))], 1), Some(1));
        assert_eq!(first(vec![], 1), None);
    }
}
