//! What calls are held to whatever plan they come on: of the whole platform, of an API, of one operation.

mod check;

use serde::{Deserialize, Serialize};

use crate::{Limit, Period};
pub use check::InvalidPolicy;

/// What all calls are held to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// How fast calls may come; all of them must admit a call.
    #[serde(default)]
    pub rates: Vec<RatePolicy>,
    /// Where calls may come from, each a [`crate::Network`]; empty: from anywhere.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Bytes of a request's body; none: as the gateway says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes_max: Option<u64>,
}

/// What the calls of one API are held to, besides what all are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiPolicies {
    /// How fast the calls of all its operations together may come.
    #[serde(default)]
    pub rates: Vec<RatePolicy>,
    /// Where they may come from.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Bytes of a request's body, in the place of what holds for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes_max: Option<u64>,
    /// Operations that are held to more.
    #[serde(default)]
    pub operations: Vec<OperationPolicies>,
}

/// What the calls of one operation are held to, besides what those of its API are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationPolicies {
    /// Upper-case method.
    pub method: String,
    /// OpenAPI path template, as in the API's document.
    pub path: String,
    /// How fast its calls may come.
    #[serde(default)]
    pub rates: Vec<RatePolicy>,
    /// Where they may come from.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Bytes of a request's body, in the place of what holds for its API; 0 takes no body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes_max: Option<u64>,
}

/// A limit of speed. Budgets are part of a contract, and stay on plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatePolicy {
    /// Told to whoever is refused by it; `[a-z0-9_-]{1,32}`, unique in its scope.
    pub name: String,
    /// Calls per period, at least 1.
    pub amount: u64,
    /// The period that `amount` is for: a day at most.
    pub period: Period,
    /// Calls that may come at once; `amount` where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u64>,
    /// Whose calls are counted together.
    #[serde(default)]
    pub per: RatePer,
}

impl RatePolicy {
    /// Calls that may come at once.
    #[must_use]
    pub fn at_once(&self) -> u64 {
        self.burst.unwrap_or(self.amount)
    }
}

/// Whose calls a rate counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatePer {
    /// Those of each subscription.
    #[default]
    Subscription,
    /// Those of each key.
    Credential,
    /// Everybody's, on each gateway for itself: it protects what answers.
    All,
}

impl RatePer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Subscription, Self::Credential, Self::All];

    /// Its stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Credential => "credential",
            Self::All => "all",
        }
    }
}

/// Where a limit or a list of networks was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyScope {
    /// For all calls.
    Platform,
    /// For those of an API.
    Api,
    /// For those of an operation.
    Operation,
    /// For those on a plan.
    Plan,
}

impl PolicyScope {
    /// Scopes that have policies, the nearest to a call last.
    pub const OF_POLICIES: [Self; 3] = [Self::Platform, Self::Api, Self::Operation];

    /// Its stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Api => "api",
            Self::Operation => "operation",
            Self::Plan => "plan",
        }
    }
}

/// The policies of one scope, however they are kept.
#[derive(Debug, Clone, Copy)]
pub struct PoliciesOf<'p> {
    /// How fast calls may come.
    pub rates: &'p [RatePolicy],
    /// Where they may come from.
    pub networks: &'p [String],
    /// Bytes of a request's body.
    pub body_bytes_max: Option<u64>,
}

impl PoliciesOf<'_> {
    /// Whether nothing is asked.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rates.is_empty() && self.networks.is_empty() && self.body_bytes_max.is_none()
    }
}

impl Policies {
    /// Rates of one scope. With three scopes and a plan's own, a call is held to sixteen at most.
    pub const RATES_MAX: usize = Limit::RATES_PER_PLAN_MAX;
    /// Networks of one scope.
    pub const NETWORKS_MAX: usize = 100;
    /// 1 TiB: bodies pass through and are not stored.
    pub const BYTES_MAX: u64 = 1 << 40;
    /// Operations of an API with policies of their own.
    pub const OPERATIONS_MAX: usize = 1_000;

    /// What holds for all calls.
    #[must_use]
    pub fn own(&self) -> PoliciesOf<'_> {
        PoliciesOf { rates: &self.rates, networks: &self.networks, body_bytes_max: self.body_bytes_max }
    }
}

impl ApiPolicies {
    /// What holds for all calls of the API.
    #[must_use]
    pub fn own(&self) -> PoliciesOf<'_> {
        PoliciesOf { rates: &self.rates, networks: &self.networks, body_bytes_max: self.body_bytes_max }
    }

    /// What is written for one operation; none where nothing is.
    #[must_use]
    pub fn operation(&self, method: &str, path: &str) -> Option<&OperationPolicies> {
        self.operations.iter().find(|one| one.method == method && one.path == path)
    }

    /// What a call of an operation is held to, from the widest scope to the nearest; `platform` is for all calls.
    pub fn scopes_of<'p>(
        &'p self,
        platform: &'p Policies,
        method: &str,
        path: &str,
    ) -> impl Iterator<Item = (PolicyScope, PoliciesOf<'p>)> {
        let operation = self.operation(method, path).map(|one| (PolicyScope::Operation, one.own()));
        [(PolicyScope::Platform, platform.own()), (PolicyScope::Api, self.own())].into_iter().chain(operation)
    }

    /// Bytes of the body of an operation with the scope that says so; none where the gateway says it.
    #[must_use]
    pub fn body_bytes_max(
        &self,
        platform: &Policies,
        method: &str,
        path: &str,
    ) -> Option<(PolicyScope, u64)> {
        let said = |(scope, policies): (PolicyScope, PoliciesOf<'_>)| Some((scope, policies.body_bytes_max?));
        self.scopes_of(platform, method, path).filter_map(said).last()
    }
}

impl OperationPolicies {
    /// What holds for its calls besides what holds for all of the API.
    #[must_use]
    pub fn own(&self) -> PoliciesOf<'_> {
        PoliciesOf { rates: &self.rates, networks: &self.networks, body_bytes_max: self.body_bytes_max }
    }
}

#[cfg(test)]
mod tests;
