//! Conditions on a call's fields, by which APIs at one address are told apart.

use serde::{Deserialize, Serialize};

/// A field that a call must have, exactly once and with this value (as `HTTPHeaderMatch` of type `Exact` in the
/// Kubernetes Gateway API).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderMatch {
    /// The field's name, lower case.
    pub name: String,
    /// Its value, letter for letter, without the blanks around it.
    pub value: String,
}

/// Why no call can be told by it, and where it is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidHeaderMatch {
    /// JSON Pointer into the conditions.
    pub pointer: String,
    /// What is wrong and what is expected.
    pub message: &'static str,
}

/// What has a meaning of its own on the way, comes with no two values that are equal, or is said by the gateway itself.
const NOT_TO_MATCH: [&str; 17] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-api-key",
    "x-request-id",
];
/// Fields that the gateway or proxies before it write.
const NOT_TO_MATCH_STARTS: [&str; 4] = ["x-forwarded-", "proxy-", "sec-", "access-control-"];

impl HeaderMatch {
    /// Conditions of one API; all must hold.
    pub const PER_API_MAX: usize = 4;
    const NAME_BYTES_MAX: usize = 64;
    const VALUE_BYTES_MAX: usize = 200;

    /// Brings conditions into their one spelling: names lower case, in order.
    ///
    /// # Errors
    /// The first place that is wrong.
    pub fn normalise(conditions: &mut [Self]) -> Result<(), InvalidHeaderMatch> {
        for condition in conditions.iter_mut() {
            condition.name.make_ascii_lowercase();
            condition.value = condition.value.trim_matches([' ', '\t']).to_owned();
        }
        Self::check_all(conditions)?;
        conditions.sort();
        Ok(())
    }

    /// Checks the conditions of one API together.
    ///
    /// # Errors
    /// The first place that is wrong.
    pub fn check_all(conditions: &[Self]) -> Result<(), InvalidHeaderMatch> {
        let fault = |pointer: String, message| Err(InvalidHeaderMatch { pointer, message });
        if conditions.len() > Self::PER_API_MAX {
            return fault(String::new(), "at most 4 conditions");
        }
        for (at, condition) in conditions.iter().enumerate() {
            if !condition.has_name() {
                return fault(
                    format!("/{at}/name"),
                    "a field's name of a-z, 0-9 and -, up to 64 characters, like x-api-version",
                );
            }
            if NOT_TO_MATCH.contains(&&*condition.name)
                || NOT_TO_MATCH_STARTS.iter().any(|start| condition.name.starts_with(start))
            {
                return fault(
                    format!("/{at}/name"),
                    "a field that no API is told by: it has a meaning of its own",
                );
            }
            if !condition.has_value() {
                return fault(format!("/{at}/value"), "1 to 200 visible ASCII characters");
            }
            if conditions[..at].iter().any(|earlier| earlier.name == condition.name) {
                return fault(format!("/{at}/name"), "another condition is on the same field");
            }
        }
        Ok(())
    }

    fn has_name(&self) -> bool {
        (1..=Self::NAME_BYTES_MAX).contains(&self.name.len())
            && self.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }

    fn has_value(&self) -> bool {
        let value = self.value.as_bytes();
        (1..=Self::VALUE_BYTES_MAX).contains(&value.len())
            && value.iter().all(|b| matches!(b, b' '..=b'~'))
            && value.trim_ascii().len() == value.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Vec<HeaderMatch> {
        pairs
            .iter()
            .map(|(name, value)| HeaderMatch { name: (*name).into(), value: (*value).into() })
            .collect()
    }

    #[test]
    fn conditions_have_one_spelling() {
        let mut given = of(&[("X-Region", " eu "), ("Accept", "application/vnd.a.v2+json")]);
        HeaderMatch::normalise(&mut given).expect("they are well formed");
        assert_eq!(given, of(&[("accept", "application/vnd.a.v2+json"), ("x-region", "eu")]));
    }

    #[test]
    fn what_no_call_could_be_told_by_is_refused_by_its_place() {
        let place =
            |pairs: &[(&str, &str)]| HeaderMatch::normalise(&mut of(pairs)).expect_err("it is wrong").pointer;
        assert_eq!(place(&[("", "1")]), "/0/name");
        assert_eq!(place(&[("x_version", "1")]), "/0/name");
        assert_eq!(place(&[(&"x".repeat(65), "1")]), "/0/name");
        for taken in
            ["Host", "X-API-Key", "Authorization", "X-Forwarded-Host", "Sec-Fetch-Mode", "Connection"]
        {
            assert_eq!(place(&[("x-version", "1"), (taken, "1")]), "/1/name", "{taken}");
        }
        for value in ["", "  ", "a\nb", "café", &"1".repeat(201)] {
            assert_eq!(place(&[("x-version", value)]), "/0/value", "{value:?}");
        }
        assert_eq!(place(&[("x-version", "1"), ("X-Version", "2")]), "/1/name");
        assert_eq!(place(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1")]), "");
    }
}
