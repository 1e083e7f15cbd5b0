//! What may stand in policies, and how it is spelt.

use super::{ApiPolicies, OperationPolicies, Policies, PoliciesOf, RatePolicy};
use crate::{Limit, Network, Period};

/// What is wrong with policies, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidPolicy {
    /// JSON Pointer into the policies.
    pub pointer: String,
    /// What is wrong and what is expected.
    pub message: &'static str,
}

const NAME: &str = "1 to 32 of a-z, 0-9, - and _";
const AMOUNT: &str = "between 1 and 1000000000000";
const BYTES: &str = "at most 1099511627776 bytes";

type Faults = Vec<InvalidPolicy>;

fn fault(faults: &mut Faults, pointer: String, message: &'static str) {
    faults.push(InvalidPolicy { pointer, message });
}

impl PoliciesOf<'_> {
    fn check(&self, at: &str, faults: &mut Faults) {
        if self.rates.len() > Policies::RATES_MAX {
            fault(faults, format!("{at}/rates"), "at most 4 rates");
        }
        for (index, rate) in self.rates.iter().enumerate() {
            rate.check(&format!("{at}/rates/{index}"), faults);
            if self.rates[..index].iter().any(|earlier| earlier.name == rate.name) {
                fault(faults, format!("{at}/rates/{index}/name"), "another rate here has the same name");
            }
        }
        if self.networks.len() > Policies::NETWORKS_MAX {
            fault(faults, format!("{at}/networks"), "at most 100 networks");
        }
        for (index, network) in self.networks.iter().enumerate() {
            if network.trim().parse::<Network>().is_err() {
                fault(faults, format!("{at}/networks/{index}"), Network::RULE);
            }
        }
        if self.body_bytes_max.is_some_and(|bytes| bytes > Policies::BYTES_MAX) {
            fault(faults, format!("{at}/body_bytes_max"), BYTES);
        }
    }
}

impl RatePolicy {
    fn check(&self, at: &str, faults: &mut Faults) {
        if !Limit::is_name(&self.name) {
            fault(faults, format!("{at}/name"), NAME);
        }
        let amounts = 1..=Limit::AMOUNT_MAX;
        if !amounts.contains(&self.amount) {
            fault(faults, format!("{at}/amount"), AMOUNT);
        }
        if self.burst.is_some_and(|burst| !amounts.contains(&burst)) {
            fault(faults, format!("{at}/burst"), AMOUNT);
        }
        if self.period == Period::Month {
            fault(
                faults,
                format!("{at}/period"),
                "second, minute, hour or day; what is per month is a plan's quota",
            );
        }
    }
}

impl Policies {
    /// Everything that is wrong with them; empty where nothing is.
    #[must_use]
    pub fn check(&self) -> Vec<InvalidPolicy> {
        let mut faults = Vec::new();
        self.own().check("", &mut faults);
        faults
    }

    /// Writes networks in the one spelling that is stored, each once.
    pub fn normalize(&mut self) {
        normalize(&mut self.networks);
    }
}

impl ApiPolicies {
    /// Everything that is wrong with them by themselves; empty where nothing is. Whether the API has such operations,
    /// its document says.
    #[must_use]
    pub fn check(&self) -> Vec<InvalidPolicy> {
        let mut faults = Vec::new();
        self.own().check("", &mut faults);
        if self.operations.len() > Policies::OPERATIONS_MAX {
            fault(&mut faults, "/operations".into(), "at most 1000 operations");
        }
        for (index, one) in self.operations.iter().enumerate() {
            let at = format!("/operations/{index}");
            one.own().check(&at, &mut faults);
            if [&one.method, &one.path].iter().any(|text| text.contains(char::is_control)) {
                fault(&mut faults, at, "a method and a path have no control characters");
                continue;
            }
            let same = |other: &OperationPolicies| (&other.method, &other.path) == (&one.method, &one.path);
            if self.operations[..index].iter().any(same) {
                fault(&mut faults, at, "this operation has policies already");
            } else if one.own().is_empty() {
                fault(
                    &mut faults,
                    at,
                    "rates, networks or body_bytes_max: without any of them nothing is asked",
                );
            }
        }
        faults
    }

    /// Writes networks in the one spelling that is stored, each once.
    pub fn normalize(&mut self) {
        normalize(&mut self.networks);
        self.operations.iter_mut().for_each(|one| normalize(&mut one.networks));
    }
}

/// What cannot be read stays, to be told of.
fn normalize(networks: &mut Vec<String>) {
    let mut spelt: Vec<String> = Vec::with_capacity(networks.len());
    for entry in networks.drain(..) {
        let entry = entry.trim().parse::<Network>().map_or(entry, |network| network.to_string());
        if !spelt.contains(&entry) {
            spelt.push(entry);
        }
    }
    *networks = spelt;
}
