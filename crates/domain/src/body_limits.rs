//! How large the bodies of an API's requests may be.

use serde::{Deserialize, Serialize};

/// How large the bodies of requests may be; empty: as the gateway says for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyLimits {
    /// Bytes, for operations without an amount of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes_max: Option<u64>,
    /// Operations that take more or less than that.
    #[serde(default)]
    pub operations: Vec<OperationBody>,
}

/// How large the body of one operation may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationBody {
    /// Upper-case method.
    pub method: String,
    /// OpenAPI path template, as in the API's document.
    pub path: String,
    /// Bytes; 0 takes no body.
    pub body_bytes_max: u64,
}

/// Why bodies cannot be held to it, and where it is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidBodyLimits {
    /// JSON Pointer into the limits.
    pub pointer: String,
    /// What is wrong and what is expected.
    pub message: &'static str,
}

impl BodyLimits {
    /// 1 TiB: bodies pass through and are not stored.
    pub const BYTES_MAX: u64 = 1 << 40;
    /// Operations with an amount of their own.
    pub const OPERATIONS_MAX: usize = 1_000;

    /// Bytes of the body of an operation; none where the gateway says it.
    #[must_use]
    pub fn of(&self, method: &str, path: &str) -> Option<u64> {
        let own = self.operations.iter().find(|one| one.method == method && one.path == path);
        own.map(|one| one.body_bytes_max).or(self.body_bytes_max)
    }

    /// Checks what types do not.
    ///
    /// # Errors
    /// The first place that is wrong.
    pub fn check(&self) -> Result<(), InvalidBodyLimits> {
        let fault = |pointer: String, message| Err(InvalidBodyLimits { pointer, message });
        const TOO_MANY_BYTES: &str = "at most 1099511627776 bytes";
        if self.body_bytes_max.is_some_and(|bytes| bytes > Self::BYTES_MAX) {
            return fault("/body_bytes_max".into(), TOO_MANY_BYTES);
        }
        if self.operations.len() > Self::OPERATIONS_MAX {
            return fault("/operations".into(), "at most 1000 operations");
        }
        for (at, one) in self.operations.iter().enumerate() {
            if one.body_bytes_max > Self::BYTES_MAX {
                return fault(format!("/operations/{at}/body_bytes_max"), TOO_MANY_BYTES);
            }
            let same = |other: &OperationBody| (&other.method, &other.path) == (&one.method, &one.path);
            if self.operations[..at].iter().any(same) {
                return fault(format!("/operations/{at}"), "this operation has a limit already");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, body_bytes_max: u64) -> OperationBody {
        OperationBody { method: "POST".into(), path: path.into(), body_bytes_max }
    }

    #[test]
    fn an_operation_goes_before_its_api_and_the_api_before_the_gateway() {
        let limits = BodyLimits { body_bytes_max: Some(10), operations: vec![one("/uploads", 99)] };
        assert_eq!(limits.of("POST", "/uploads"), Some(99));
        assert_eq!(limits.of("PUT", "/uploads"), Some(10));
        assert_eq!(BodyLimits::default().of("POST", "/uploads"), None);
    }

    #[test]
    fn an_operation_has_one_limit_and_none_is_endless() {
        let place = |operations| {
            let limits = BodyLimits { body_bytes_max: None, operations };
            limits.check().expect_err("it is wrong").pointer
        };
        assert_eq!(place(vec![one("/a", 1), one("/b", 1), one("/a", 2)]), "/operations/2");
        assert_eq!(place(vec![one("/a", BodyLimits::BYTES_MAX + 1)]), "/operations/0/body_bytes_max");
        assert_eq!(
            BodyLimits { operations: vec![one("/a", 0), one("/b", 0)], ..BodyLimits::default() }.check(),
            Ok(())
        );
    }
}
