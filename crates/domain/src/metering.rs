//! How calls of an API are metered: which are charged, what each costs, and which numbers their answers carry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ReadingName;

/// How calls of an API are metered; empty: charged by default, a unit each, and nothing is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metering {
    /// Statuses of the upstream's answers that are charged; where none is named, all below 500.
    #[serde(default)]
    pub charged: Vec<Statuses>,
    /// Operations whose calls cost more or less than one unit.
    #[serde(default)]
    pub costs: Vec<OperationCost>,
    /// Numbers read from answers, each a meter of its own.
    #[serde(default)]
    pub readings: Vec<Reading>,
}

/// A class of statuses like `2xx`, or one status like `404`. Never 5xx: failures of the upstream are not charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Statuses {
    first: u16,
    last: u16,
}

/// A text that names no statuses that can be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("2xx, 3xx, 4xx, or one status between 200 and 499; failures of the upstream are never charged")]
pub struct InvalidStatuses;

impl Statuses {
    /// Whether a status is among them.
    #[must_use]
    pub const fn contain(self, status: u16) -> bool {
        self.first <= status && status <= self.last
    }
}

impl FromStr for Statuses {
    type Err = InvalidStatuses;

    fn from_str(text: &str) -> Result<Self, InvalidStatuses> {
        let (first, last) = match text {
            "2xx" => (200, 299),
            "3xx" => (300, 399),
            "4xx" => (400, 499),
            one => {
                let is_plain = one.len() == 3 && one.bytes().all(|b| b.is_ascii_digit());
                let status = one.parse().ok().filter(|status| is_plain && (200..500).contains(status));
                let status = status.ok_or(InvalidStatuses)?;
                (status, status)
            }
        };
        Ok(Self { first, last })
    }
}

impl TryFrom<String> for Statuses {
    type Error = InvalidStatuses;

    fn try_from(text: String) -> Result<Self, InvalidStatuses> {
        text.parse()
    }
}

impl From<Statuses> for String {
    fn from(statuses: Statuses) -> Self {
        statuses.to_string()
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}xx", self.first / 100),
        }
    }
}

/// What a call of one operation costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationCost {
    /// Upper-case method.
    pub method: String,
    /// OpenAPI path template, as in the API's document.
    pub path: String,
    /// Units of a charged call; 0 is free of quota.
    pub units: u32,
}

/// A number that is read from answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The meter that it moves.
    pub meter: ReadingName,
    /// Where it stands in a JSON body: an RFC 6901 pointer. In a stream of events, in the last event that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// The response header that carries it, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

/// Why calls cannot be metered so, and where it is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidMetering {
    /// JSON Pointer into the metering.
    pub pointer: String,
    /// What is wrong and what is expected.
    pub message: &'static str,
}

impl Metering {
    /// Numbers read from one answer: the journal has room for so many.
    pub const READINGS_MAX: usize = 2;
    /// Operations with a cost of their own.
    pub const COSTS_MAX: usize = 1_000;
    /// Units of one call.
    pub const UNITS_MAX: u32 = 1_000_000;
    /// Members and elements that a pointer goes through.
    pub const POINTER_DEPTH_MAX: usize = 16;

    /// Whether everything is as it is for APIs that say nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an upstream's answer with this status is charged.
    #[must_use]
    pub fn charges(&self, status: u16) -> bool {
        match self.charged.as_slice() {
            [] => status < 500,
            some => some.iter().any(|statuses| statuses.contain(status)),
        }
    }

    /// Units of a charged call of an operation.
    #[must_use]
    pub fn units_of(&self, method: &str, path: &str) -> u32 {
        let own = self.costs.iter().find(|cost| cost.method == method && cost.path == path);
        own.map_or(1, |cost| cost.units)
    }

    /// Checks what types do not.
    ///
    /// # Errors
    /// The first place that is wrong.
    pub fn check(&self) -> Result<(), InvalidMetering> {
        let fault = |pointer: String, message| Err(InvalidMetering { pointer, message });
        if self.charged.len() > 32 {
            return fault("/charged".into(), "at most 32");
        }
        if self.costs.len() > Self::COSTS_MAX {
            return fault("/costs".into(), "at most 1000 operations");
        }
        for (at, cost) in self.costs.iter().enumerate() {
            if cost.units > Self::UNITS_MAX {
                return fault(format!("/costs/{at}/units"), "at most 1000000 units");
            }
            let same = |other: &OperationCost| (&other.method, &other.path) == (&cost.method, &cost.path);
            if self.costs[..at].iter().any(same) {
                return fault(format!("/costs/{at}"), "this operation has a cost already");
            }
        }
        if self.readings.len() > Self::READINGS_MAX {
            return fault("/readings".into(), "at most two numbers are read from an answer");
        }
        for (at, reading) in self.readings.iter().enumerate() {
            if self.readings[..at].iter().any(|earlier| earlier.meter == reading.meter) {
                return fault(format!("/readings/{at}/meter"), "another reading moves this meter");
            }
            match (&reading.json, &reading.header) {
                (Some(pointer), None) if !is_pointer(pointer) => {
                    return fault(
                        format!("/readings/{at}/json"),
                        "a JSON Pointer to a number, like /usage/total_tokens, of at most 16 steps and 200 characters",
                    );
                }
                (None, Some(name)) if !is_field_name(name) => {
                    return fault(
                        format!("/readings/{at}/header"),
                        "a header name in lower case, like x-rows",
                    );
                }
                (Some(_), None) | (None, Some(_)) => {}
                _ => {
                    return fault(
                        format!("/readings/{at}"),
                        "either json or header says where the number stands",
                    );
                }
            }
        }
        Ok(())
    }
}

fn is_pointer(pointer: &str) -> bool {
    let steps = pointer.matches('/').count();
    let escapes_ok = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    pointer.starts_with('/')
        && (1..=Metering::POINTER_DEPTH_MAX).contains(&steps)
        && pointer.len() <= 200
        && !pointer.chars().any(char::is_control)
        && escapes_ok
}

fn is_field_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metering(json: &str, header: &str) -> Metering {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let reading =
            Reading { meter: "tokens".parse().expect("a name"), json: some(json), header: some(header) };
        Metering { readings: vec![reading], ..Metering::default() }
    }

    #[test]
    fn statuses_are_classes_or_single_ones_and_never_failures() {
        for text in ["2xx", "3xx", "4xx", "200", "404", "499"] {
            assert_eq!(text.parse::<Statuses>().expect("statuses").to_string(), text);
        }
        for bad in ["1xx", "5xx", "500", "99", "+20", "0200", "", "2XX"] {
            assert_eq!(bad.parse::<Statuses>(), Err(InvalidStatuses), "{bad}");
        }
        let only = Metering { charged: vec!["2xx".parse().expect("it")], ..Metering::default() };
        assert!(only.charges(204) && !only.charges(404) && !only.charges(500));
        assert!(Metering::default().charges(404) && !Metering::default().charges(500));
    }

    #[test]
    fn a_reading_stands_in_one_place() {
        assert_eq!(metering("/usage/total_tokens", "").check(), Ok(()));
        assert_eq!(metering("", "x-rows").check(), Ok(()));
        for (json, header) in
            [("", ""), ("/a", "x-a"), ("usage", ""), ("/a~2", ""), ("/a~", ""), ("", "X-Rows")]
        {
            assert!(metering(json, header).check().is_err(), "{json} {header}");
        }
    }
}
