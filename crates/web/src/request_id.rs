//! The id of a request: the caller's own where it is valid, else a UUIDv7; said in every answer and log line.

use std::fmt;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};

/// The header that carries it, both ways.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const LEN_MAX: usize = 128;

/// A request's id. Handlers take it as an `Extension<RequestId>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id that the caller sent, when it is 1 to 128 of `A-Z a-z 0-9 - _ .`; else a new one. Anything else
    /// could carry markup into a page or line breaks into a log.
    #[must_use]
    pub fn of(sent: Option<&HeaderValue>) -> Self {
        let valid = |text: &&str| {
            (1..=LEN_MAX).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        match sent.and_then(|value| value.to_str().ok()).filter(valid) {
            Some(text) => Self(text.into()),
            None => Self(uuid::Uuid::now_v7().to_string().into()),
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("only letters, digits and -_. get in")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_id_is_kept_and_another_replaced() {
        assert_eq!(RequestId::of(Some(&HeaderValue::from_static("job-7.retry_2"))).as_str(), "job-7.retry_2");
        for bad in ["", "<b>", "a b", &"x".repeat(129)] {
            let id = RequestId::of(Some(&HeaderValue::from_str(bad).unwrap()));
            assert_eq!(uuid::Uuid::parse_str(id.as_str()).unwrap().get_version_num(), 7);
        }
        assert_ne!(RequestId::of(None), RequestId::of(None));
    }
}
