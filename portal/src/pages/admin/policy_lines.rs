//! Policies as fields of a form: an amount of bytes, and lines for rates, networks and operations.

use std::borrow::Cow;

use tollgate_control::{Error, FieldFault};
use tollgate_domain::{ApiPolicies, OperationPolicies, Period, Policies, PoliciesOf, RatePer, RatePolicy};

use crate::form::Form;
use crate::parts::{Fieldset, Input, Reader, Sent};

/// What stands before the names of the fields of an API; those of the platform stand alone.
pub const OF_API: &str = "policies/";

const RATE: &str = "a name, calls and a period, like shield 500 second; behind it burst and a number, and per \
                    subscription, credential or all";
const OPERATION: &str = "a method and a path, then body and bytes, network and an address, or rate and what a rate's line \
                         says, like POST /images body 52428800";
const PERIODS: [Period; 4] = [Period::Second, Period::Minute, Period::Hour, Period::Day];

/// The fields that every scope has.
#[must_use]
pub fn inputs(form: &Form, base: &str, wider: &str) -> Vec<Input> {
    vec![
        Input::code(form, &format!("{base}rates"), "Rates", 3).hint(
            "One per line: name, calls and period, like shield 500 second burst 1000 per all. Counted per subscription, \
             unless it says per credential or per all. Whoever is refused is told the name.",
        ),
        Input::code(form, &format!("{base}networks"), "Networks", 2)
            .hint("Where calls may come from: one address or network per line, like 10.0.0.0/8. Empty means from anywhere."),
        Input::line(form, &format!("{base}body_bytes_max"), "Largest body")
            .hint(format!("In bytes; what is larger is refused with 413. Left empty, {wider}.")),
    ]
}

/// The fields of an API.
#[must_use]
pub fn of_api(form: &Form) -> Fieldset {
    let mut inputs = inputs(form, OF_API, "what holds for all calls does: 10 MiB at first");
    inputs.push(Input::code(form, &format!("{OF_API}operations"), "Operations that are held to more", 3).hint(
        "One policy per line: method and path, then body and bytes, network and an address, or rate and what a rate's line \
         says, like POST /images rate upload 5 minute.",
    ));
    Fieldset::new("Policies", inputs).about(
        "What every call is held to, besides what all calls are and what its plan says. All rates must admit a call; the \
         nearest amount of bytes holds.",
    )
}

fn rate_line(rate: &RatePolicy) -> String {
    let burst = rate.burst.map(|burst| format!(" burst {burst}")).unwrap_or_default();
    let per = match rate.per {
        RatePer::Subscription => String::new(),
        per => format!(" per {}", per.as_str()),
    };
    format!("{} {} {}{burst}{per}", rate.name, rate.amount, rate.period.as_str())
}

/// What stands in the fields of a scope.
#[must_use]
pub fn filled(own: PoliciesOf<'_>, base: &str) -> Vec<(Cow<'static, str>, String)> {
    let rates: Vec<String> = own.rates.iter().map(rate_line).collect();
    let bytes = own.body_bytes_max.map(|bytes| bytes.to_string()).unwrap_or_default();
    vec![
        (format!("{base}rates").into(), rates.join("\n")),
        (format!("{base}networks").into(), own.networks.join("\n")),
        (format!("{base}body_bytes_max").into(), bytes),
    ]
}

/// One line for each policy of a scope, without its operations.
pub fn lines_of(own: PoliciesOf<'_>) -> Vec<String> {
    let rates = own.rates.iter().map(|rate| format!("rate {}", rate_line(rate)));
    let networks = own.networks.iter().map(|network| format!("network {network}"));
    let bytes = own.body_bytes_max.map(|bytes| format!("body {bytes}"));
    rates.chain(networks).chain(bytes).collect()
}

/// What stands in the fields of an API.
#[must_use]
pub fn filled_of_api(policies: &ApiPolicies) -> Vec<(Cow<'static, str>, String)> {
    let mut values = filled(policies.own(), OF_API);
    values.push((format!("{OF_API}operations").into(), operation_lines(policies).join("\n")));
    values
}

/// One line for each policy of an operation.
#[must_use]
pub fn operation_lines(policies: &ApiPolicies) -> Vec<String> {
    let of = |one: &OperationPolicies| -> Vec<String> {
        lines_of(one.own()).into_iter().map(|line| format!("{} {} {line}", one.method, one.path)).collect()
    };
    policies.operations.iter().flat_map(of).collect()
}

/// What was typed for a scope; faults are left with the reader.
pub fn typed(sent: &Sent, reader: &mut Reader<'_>, base: &str) -> Policies {
    let (rates_name, bytes_name) = (format!("{base}rates"), format!("{base}body_bytes_max"));
    let body_bytes_max = if sent.get(&bytes_name).is_empty() { None } else { reader.number(&bytes_name) };
    let mut rates = Vec::new();
    for (at, line) in lines(&sent.get(&rates_name)).enumerate() {
        match read_rate(&line.split_whitespace().collect::<Vec<_>>()) {
            Some(rate) => rates.push(rate),
            None => reader.wrong(&rates_name, &format!("line {}: {RATE}", at + 1)),
        }
    }
    let networks = sent.get(&format!("{base}networks")).split_whitespace().map(str::to_owned).collect();
    Policies { rates, networks, body_bytes_max }
}

/// What was typed for an API; faults are left with the reader.
pub fn typed_of_api(sent: &Sent, reader: &mut Reader<'_>) -> ApiPolicies {
    let Policies { rates, networks, body_bytes_max } = typed(sent, reader, OF_API);
    let name = format!("{OF_API}operations");
    let mut operations: Vec<OperationPolicies> = Vec::new();
    for (at, line) in lines(&sent.get(&name)).enumerate() {
        if read_operation(&mut operations, line).is_none() {
            reader.wrong(&name, &format!("line {}: {OPERATION}", at + 1));
        }
    }
    ApiPolicies { rates, networks, body_bytes_max, operations }
}

/// Puts the policy of a line to those of its operation; none where the line cannot be read.
fn read_operation(operations: &mut Vec<OperationPolicies>, line: &str) -> Option<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [method, path, kind, rest @ ..] = words.as_slice() else { return None };
    let (method, path) = (method.to_ascii_uppercase(), (*path).to_owned());
    let known = operations.iter().position(|one| one.method == method && one.path == path);
    let mut one = known.map_or_else(
        || OperationPolicies { method, path, ..OperationPolicies::default() },
        |at| operations[at].clone(),
    );
    match (*kind, rest) {
        ("body", [bytes]) if one.body_bytes_max.is_none() => one.body_bytes_max = Some(bytes.parse().ok()?),
        ("network", [network]) => one.networks.push((*network).to_owned()),
        ("rate", rate) => one.rates.push(read_rate(rate)?),
        _ => return None,
    }
    match known {
        Some(at) => operations[at] = one,
        None => operations.push(one),
    }
    Some(())
}

fn read_rate(words: &[&str]) -> Option<RatePolicy> {
    let [name, amount, period, rest @ ..] = words else { return None };
    let mut rate = RatePolicy {
        name: (*name).to_owned(),
        amount: amount.parse().ok()?,
        period: PERIODS.into_iter().find(|one| one.as_str() == *period)?,
        burst: None,
        per: RatePer::default(),
    };
    for pair in rest.chunks(2) {
        match pair {
            ["burst", burst] => rate.burst = Some(burst.parse().ok()?),
            ["per", per] => rate.per = RatePer::ALL.into_iter().find(|one| one.as_str() == *per)?,
            _ => return None,
        }
    }
    Some(rate)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Faults of single lines are shown at the field in which all of them stand, with their line or operation.
#[must_use]
pub fn placed(error: Error, base: &str, policies: &ApiPolicies) -> Error {
    let Error::Invalid(faults) = error else { return error };
    Error::Invalid(faults.into_iter().map(|fault| placed_one(fault, base, policies)).collect())
}

fn placed_one(fault: FieldFault, base: &str, policies: &ApiPolicies) -> FieldFault {
    let Some(rest) = fault.pointer.strip_prefix('/').and_then(|rest| rest.strip_prefix(base)) else {
        return fault;
    };
    let mut steps = rest.splitn(3, '/');
    let (field, at) =
        (steps.next().unwrap_or_default(), steps.next().and_then(|at| at.parse::<usize>().ok()));
    let (true, Some(at)) = (["rates", "networks", "operations"].contains(&field), at) else { return fault };
    let place = match policies.operations.get(at).filter(|_| field == "operations") {
        Some(one) => format!("{} {}", one.method, one.path),
        None => format!("line {}", at + 1),
    };
    // What says where it is says it twice here.
    let (_, reason) = fault.message.rsplit_once(&format!("{rest}: ")).unwrap_or(("", &fault.message));
    FieldFault::new(format!("/{base}{field}"), format!("{place}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_what_is_read() {
        let rate = |line: &str| read_rate(&line.split_whitespace().collect::<Vec<_>>());
        for line in
            ["shield 500 second", "a 1 day burst 7", "b 2 hour per credential", "c 3 minute burst 9 per all"]
        {
            assert_eq!(rate(line).map(|rate| rate_line(&rate)).as_deref(), Some(line));
        }
        for line in [
            "shield 500",
            "a x second",
            "a 1 month",
            "a 1 day burst",
            "a 1 day per nobody",
            "a 1 day often 2",
        ] {
            assert_eq!(rate(line), None, "{line}");
        }
        let mut operations = Vec::new();
        for line in ["post /x body 5", "POST /x rate up 2 minute", "GET /y network 10.0.0.0/8"] {
            assert_eq!(read_operation(&mut operations, line), Some(()), "{line}");
        }
        for line in ["POST /x body 5", "POST /x", "POST /x body", "POST /z nothing 1"] {
            assert_eq!(read_operation(&mut operations, line), None, "{line}");
        }
        let policies = ApiPolicies { operations, ..ApiPolicies::default() };
        let shown = ["POST /x rate up 2 minute", "POST /x body 5", "GET /y network 10.0.0.0/8"];
        assert_eq!(operation_lines(&policies), shown);
    }
}
