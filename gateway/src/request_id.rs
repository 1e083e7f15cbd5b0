//! What a call is called.

use rand::RngCore;

/// The longest request id that is taken over from a caller.
const REQUEST_ID_MAX: usize = 128;

/// What a call is called in every log, header and problem.
#[derive(Debug, Clone)]
pub(crate) enum RequestId {
    /// The caller's own.
    Given(Box<str>),
    /// A UUIDv7 of ours.
    Fresh([u8; uuid::fmt::Hyphenated::LENGTH]),
}

impl RequestId {
    /// The caller's own where it is a valid one, else a new UUIDv7.
    pub(crate) fn of(given: Option<&[u8]>, now_ns: u64) -> Self {
        match given.filter(|id| is_request_id(id)).and_then(|id| std::str::from_utf8(id).ok()) {
            Some(id) => Self::Given(id.into()),
            None => Self::fresh(now_ns),
        }
    }

    /// A new UUIDv7. Its random part is the thread's own: no lock, no system call.
    pub(crate) fn fresh(now_ns: u64) -> Self {
        if !crate::HAS_CHAIN {
            return Self::Fresh([b'0'; _]);
        }
        let mut random = [0; 10];
        rand::rng().fill_bytes(&mut random);
        let id = uuid::Builder::from_unix_timestamp_millis(now_ns / 1_000_000, &random).into_uuid();
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        id.hyphenated().encode_lower(&mut text);
        Self::Fresh(text)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Given(id) => id.as_bytes(),
            Self::Fresh(id) => id,
        }
    }

    /// Whether nobody but who made the call can know it.
    pub(crate) const fn is_minted(&self) -> bool {
        matches!(self, Self::Fresh(_))
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("unknown")
    }
}

/// Visible characters of a token (RFC 9110 §5.6.2), so that it can stand in logs and URLs as it is.
fn is_request_id(id: &[u8]) -> bool {
    (1..=REQUEST_ID_MAX).contains(&id.len())
        && id.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::time;

    #[test]
    fn a_valid_request_id_is_kept_and_any_other_replaced_by_a_uuid_v7() {
        let id_for = |given: Option<&str>| {
            RequestId::of(given.map(str::as_bytes), time::unix_ns()).as_str().to_owned()
        };
        assert_eq!(id_for(Some("abc-123_x.y")), "abc-123_x.y");
        let long = "a".repeat(129);
        for given in [None, Some("a b"), Some("a\"b"), Some(""), Some("caf\u{e9}"), Some(long.as_str())] {
            let id: Uuid = id_for(given).parse().unwrap_or_else(|_| panic!("{given:?}"));
            assert_eq!(id.get_version_num(), 7);
        }
        assert_ne!(id_for(None), id_for(None));
    }
}
