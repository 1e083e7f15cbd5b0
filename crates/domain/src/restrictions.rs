//! What a key is held to beside its plan: which operations it may call, from which networks, on which sites' pages.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Network, Site, Slug};

/// What a key is held to. An empty list asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restrictions {
    /// What it may call, each a [`KeyScope`]; one that allows a call is enough.
    pub scopes: Vec<String>,
    /// Where it may be used from, each a [`Network`].
    pub networks: Vec<String>,
    /// On which sites' pages it may be used, each a [`Site`].
    pub origins: Vec<String>,
}

/// An entry that restricts nothing that there is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {reason}")]
pub struct InvalidRestriction {
    /// Where it stands, like `/networks/2`.
    pub pointer: String,
    /// What should stand there.
    pub reason: &'static str,
}

impl Restrictions {
    /// Entries of one list at most.
    pub const ENTRIES_MAX: usize = 100;

    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.networks.is_empty() && self.origins.is_empty()
    }

    /// The same in the one spelling that is stored, each entry once.
    ///
    /// # Errors
    /// Every entry that cannot be read, and every list that is too long.
    pub fn normalized(&self) -> Result<Self, Vec<InvalidRestriction>> {
        let mut faults = Vec::new();
        let normalized = Self {
            scopes: list::<KeyScope>(&self.scopes, "scopes", KeyScope::RULE, &mut faults),
            networks: list::<Network>(&self.networks, "networks", Network::RULE, &mut faults),
            origins: list::<Site>(&self.origins, "origins", Site::RULE, &mut faults),
        };
        for (at, _) in normalized.origins.iter().enumerate().filter(|(_, origin)| *origin == "*") {
            let reason = "name the sites; without any, the key works on all pages";
            faults.push(InvalidRestriction { pointer: format!("/origins/{at}"), reason });
        }
        if faults.is_empty() { Ok(normalized) } else { Err(faults) }
    }
}

fn list<T: FromStr + fmt::Display>(
    entries: &[String],
    name: &str,
    rule: &'static str,
    faults: &mut Vec<InvalidRestriction>,
) -> Vec<String> {
    if entries.len() > Restrictions::ENTRIES_MAX {
        faults.push(InvalidRestriction { pointer: format!("/{name}"), reason: "at most 100 entries" });
        return Vec::new();
    }
    let mut read: Vec<String> = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        match entry.trim().parse::<T>().map(|entry| entry.to_string()) {
            Ok(entry) if read.contains(&entry) => {}
            Ok(entry) => read.push(entry),
            Err(_) => faults.push(InvalidRestriction { pointer: format!("/{name}/{at}"), reason: rule }),
        }
    }
    read
}

/// Something that is not written as it should be; the rule says how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub &'static str);

/// What a key may call: `weather` is all of an API, `weather/getCity` one operation, `weather/tag:Cities` those of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyScope {
    /// The API.
    pub api: Slug,
    /// What of it.
    pub part: ScopePart,
}

/// What of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopePart {
    /// All.
    All,
    /// The operation of this id.
    Operation(Box<str>),
    /// The operations with this tag.
    Tag(Box<str>),
}

impl KeyScope {
    const RULE: &str =
        "an API's slug, alone or with /operationId or /tag:name behind it, like weather/getCity";
    const PART_CHARS_MAX: usize = 200;

    /// Whether an operation may be called.
    pub fn allows<'t>(&self, api: &str, operation: &str, tags: impl IntoIterator<Item = &'t str>) -> bool {
        self.api.as_str() == api
            && match &self.part {
                ScopePart::All => true,
                ScopePart::Operation(id) => **id == *operation,
                ScopePart::Tag(name) => tags.into_iter().any(|tag| **name == *tag),
            }
    }
}

impl FromStr for KeyScope {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let bad = Unreadable(Self::RULE);
        let (api, part) = text.split_once('/').map_or((text, None), |(api, part)| (api, Some(part)));
        let api = api.parse().map_err(|_| bad)?;
        let named = |name: &str| {
            let fits = (1..=Self::PART_CHARS_MAX).contains(&name.chars().count());
            if fits && !name.chars().any(char::is_control) { Ok(name.into()) } else { Err(bad) }
        };
        let part = match part.map(|part| (part, part.strip_prefix("tag:"))) {
            None => ScopePart::All,
            Some((_, Some(tag))) => ScopePart::Tag(named(tag)?),
            Some((operation, None)) => ScopePart::Operation(named(operation)?),
        };
        Ok(Self { api, part })
    }
}

impl fmt::Display for KeyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            ScopePart::All => write!(f, "{}", self.api),
            ScopePart::Operation(id) => write!(f, "{}/{id}", self.api),
            ScopePart::Tag(name) => write!(f, "{}/tag:{name}", self.api),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_names_an_api_an_operation_or_a_tag() {
        let allows = |scope: &str, api: &str| {
            let scope: KeyScope = scope.parse().expect(scope);
            scope.allows(api, "getCity", ["Cities", "Maps"])
        };
        for scope in ["weather", "weather/getCity", "weather/tag:Maps"] {
            assert!(allows(scope, "weather") && !allows(scope, "other"), "{scope}");
        }
        for scope in ["weather/getCities", "weather/tag:getCity", "weather/Cities"] {
            assert!(!allows(scope, "weather"), "{scope}");
        }
        for bad in ["", "/", "Weather", "weather/", "weather/tag:", "weather/a\nb"] {
            assert!(bad.parse::<KeyScope>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lists_are_spelt_in_one_way_and_every_fault_is_named() {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let given = Restrictions {
            scopes: texts(&["weather"]),
            networks: texts(&[" 10.0.0.0/8 ", "10.0.0.0/8"]),
            origins: texts(&["HTTPS://App.example"]),
        };
        let normalized = given.normalized().expect("all can be read");
        assert_eq!(normalized.networks, ["10.0.0.0/8"]);
        assert_eq!(normalized.origins, ["https://app.example"]);
        let bad = Restrictions {
            scopes: texts(&["weather", "?"]),
            networks: texts(&["x"]),
            origins: texts(&["*"]),
        };
        let pointers: Vec<String> =
            bad.normalized().expect_err("three faults").into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(pointers, ["/scopes/1", "/networks/0", "/origins/0"]);
    }
}
