//! What calls are held to besides their plans, checked against the operations that there are and put together by route.

use std::fmt::Display;
use std::sync::Arc;

use tollgate_domain::{
    Api, Blueprint, InvalidPolicy, Network, Policies, PoliciesOf, PolicyScope, RatePer, RatePolicy, Route,
};

use super::{CompileError, Kind, fault};
use crate::gcra::Rate;
use crate::lease::key_of;
use crate::policies::{Counted, Guard, GuardRate, PolicyCounts};

/// What is wrong with the policies of the platform.
pub(super) fn faults_of_platform(blueprint: &Blueprint) -> Vec<CompileError> {
    let wrong = |InvalidPolicy { pointer, message }| {
        fault(Kind::Policies, Kind::PLATFORM, pointer.trim_start_matches('/'), message)
    };
    blueprint.policies.check().into_iter().map(wrong).collect()
}

/// What is wrong with the policies of an API, among it operations that it does not have.
pub(super) fn faults_of(api: &Api) -> Vec<CompileError> {
    let wrong =
        |pointer: String, reason: &str| fault(Kind::Api, api.id, format!("policies{pointer}"), reason);
    let mut faults: Vec<CompileError> =
        api.policies.check().into_iter().map(|one| wrong(one.pointer, one.message)).collect();
    for (at, one) in api.policies.operations.iter().enumerate() {
        if !api.routes.iter().any(|route| route.method == one.method && route.path == one.path) {
            faults.push(wrong(format!("/operations/{at}"), "the API has no such operation"));
        }
    }
    faults
}

/// Puts guards together; routes that are held to the same share one.
pub(super) struct Guards<'b> {
    platform: &'b Policies,
    counts: PolicyCounts,
    of_platform: Guard,
}

impl<'b> Guards<'b> {
    pub(super) fn new(platform: &'b Policies) -> Self {
        let mut counts = PolicyCounts::default();
        let of_platform =
            with(&Guard::default(), platform.own(), PolicyScope::Platform, Kind::PLATFORM, &mut counts);
        Self { platform, counts, of_platform }
    }

    /// What every route of an API is held to.
    pub(super) fn of_api(&mut self, api: &Api) -> Option<Arc<Guard>> {
        let guard = with(&self.of_platform, api.policies.own(), PolicyScope::Api, api.id, &mut self.counts);
        (!guard.is_empty()).then(|| Arc::new(guard))
    }

    /// What one route is held to, where every route of its API is held to `all`.
    pub(super) fn of_route(
        &mut self,
        api: &Api,
        route: &Route,
        all: Option<&Arc<Guard>>,
    ) -> Option<Arc<Guard>> {
        let own = api.policies.operation(&route.method, &route.path).map(|one| one.own());
        let Some(own) = own.filter(|own| !own.rates.is_empty() || !own.networks.is_empty()) else {
            return all.map(Arc::clone);
        };
        let all = all.map_or_else(Guard::default, |all| Guard::clone(all));
        Some(Arc::new(with(&all, own, PolicyScope::Operation, route.id, &mut self.counts)))
    }

    /// Bytes of the body of a route's requests; none where the gateway says it.
    pub(super) fn body_bytes_max(&self, api: &Api, route: &Route) -> Option<u64> {
        let said = api.policies.body_bytes_max(self.platform, &route.method, &route.path);
        said.map(|(_, bytes)| bytes)
    }

    pub(super) fn counts(self) -> PolicyCounts {
        self.counts
    }
}

/// A guard that also holds to the policies of one more scope. An entry that cannot be read lets nobody in; its API is
/// broken besides.
fn with(
    wider: &Guard,
    own: PoliciesOf<'_>,
    scope: PolicyScope,
    of: impl Display,
    counts: &mut PolicyCounts,
) -> Guard {
    let mut guard = wider.clone();
    if !own.networks.is_empty() {
        let networks = own.networks.iter().filter_map(|text| text.parse::<Network>().ok());
        guard.networks.push((scope, networks.collect()));
    }
    let of = of.to_string();
    guard.rates.extend(own.rates.iter().map(|rate| compiled(rate, scope, &of, counts)));
    guard
}

fn compiled(rate: &RatePolicy, scope: PolicyScope, of: &str, counts: &mut PolicyCounts) -> GuardRate {
    let key = key_of(&format!("{} {of} {}", scope.as_str(), rate.name));
    let per = match rate.per {
        RatePer::Subscription => Counted::Subscription,
        RatePer::Credential => Counted::Credential,
        RatePer::All => Counted::All(counts.place_of(key)),
    };
    counts.needs_each |= !matches!(per, Counted::All(_));
    GuardRate {
        key,
        scope,
        name: rate.name.as_str().into(),
        amount: rate.amount,
        period: rate.period,
        rate: Rate::new(rate.amount, rate.period.seconds(), rate.at_once()),
        per,
    }
}
