//! What is counted of calls, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name of a reading, in bytes.
const NAME_MAX: usize = 24;

/// The name of a number that is read from answers, like `tokens`: `[a-z][a-z0-9_]{0,23}`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReadingName([u8; NAME_MAX]);

/// A text that names no reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("1 to 24 of a-z, 0-9 and _, a letter first, and none of the built-in meters")]
pub struct InvalidReadingName;

impl ReadingName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(NAME_MAX);
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

impl FromStr for ReadingName {
    type Err = InvalidReadingName;

    fn from_str(text: &str) -> Result<Self, InvalidReadingName> {
        let is_name = (1..=NAME_MAX).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_name || Meter::BUILT_IN.iter().any(|meter| meter.as_str() == text) {
            return Err(InvalidReadingName);
        }
        let mut name = [0; NAME_MAX];
        name[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(name))
    }
}

impl TryFrom<String> for ReadingName {
    type Error = InvalidReadingName;

    fn try_from(text: String) -> Result<Self, InvalidReadingName> {
        text.parse()
    }
}

impl From<ReadingName> for String {
    fn from(name: ReadingName) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Display for ReadingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ReadingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Meter {
    /// Charged calls.
    Calls,
    /// Charged calls, each weighted by what its operation costs: what quotas count.
    Units,
    /// Megabytes (10⁶ bytes) of request bodies of charged calls; a begun one counts.
    MegabytesIn,
    /// Megabytes (10⁶ bytes) of response bodies of charged calls; a begun one counts.
    MegabytesOut,
    /// A number read from the answers of charged calls.
    Reading(ReadingName),
}

impl Meter {
    /// Those that need no reading.
    pub const BUILT_IN: &'static [Self] = &[Self::Calls, Self::Units, Self::MegabytesIn, Self::MegabytesOut];

    /// As it stands in files and the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Calls => "calls",
            Self::Units => "units",
            Self::MegabytesIn => "megabytes_in",
            Self::MegabytesOut => "megabytes_out",
            Self::Reading(name) => name.as_str(),
        }
    }
}

impl TryFrom<String> for Meter {
    type Error = InvalidReadingName;

    fn try_from(text: String) -> Result<Self, InvalidReadingName> {
        match Self::BUILT_IN.iter().find(|meter| meter.as_str() == text) {
            Some(meter) => Ok(*meter),
            None => text.parse().map(Self::Reading),
        }
    }
}

impl From<Meter> for String {
    fn from(meter: Meter) -> Self {
        meter.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_reads_back_as_written() {
        for text in
            ["calls", "units", "megabytes_in", "megabytes_out", "tokens", "a", "abcdefghijklmnopqrstuvwx"]
        {
            let meter = Meter::try_from(text.to_owned()).expect("a meter");
            assert_eq!(meter.as_str(), text);
        }
        for bad in ["", "Tokens", "1a", "_a", "to kens", "abcdefghijklmnopqrstuvwxy", "tökens"] {
            assert!(Meter::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!("calls".parse::<ReadingName>().is_err(), "a reading cannot pass for a built-in meter");
    }
}
