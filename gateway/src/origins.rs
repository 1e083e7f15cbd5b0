//! Which sites' pages may call: what browsers are told of it (CORS), and whose WebSockets are taken.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use tollgate_domain::Site;

/// Sites by their origins (RFC 6454), like `https://app.example`, `https://*.example`, or `*` for all. None: browsers are
/// told nothing, and origins are not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Arc<[Site]>);

impl Origins {
    /// Whether none is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether pages of this origin may call.
    pub(crate) fn allow(&self, origin: &[u8]) -> bool {
        self.0.iter().any(|site| site.allows(origin))
    }
}

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let read = |part: &str| part.parse::<Site>().map_err(|rule| format!("{part:?} is not {rule}"));
        let sites: Result<Vec<Site>, String> = parts.map(read).collect();
        sites.map(|sites| Self(sites.into()))
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(Site::to_string).collect();
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_allowed_as_a_whole_or_below_a_name() {
        let origins: Origins =
            "https://app.example, https://*.dev.example:8443,http://localhost:5173".parse().unwrap();
        for (origin, allowed) in [
            ("https://app.example", true),
            ("http://app.example", false),
            ("https://app.example:444", false),
            ("https://app.example.evil.example", false),
            ("https://evil.example/https://app.example", false),
            ("https://a.dev.example:8443", true),
            ("https://a.b.dev.example:8443", true),
            ("https://evil/.dev.example:8443", false),
            ("https://.dev.example:8443", false),
            ("http://localhost:5173", true),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(origins.allow(origin.as_bytes()), allowed, "{origin}");
        }
        assert_eq!(origins.to_string().parse(), Ok(origins));
        let any: Origins = "*".parse().unwrap();
        assert!(any.allow(b"null") && !any.is_empty());
        assert!(Origins::default().is_empty() && "".parse::<Origins>().unwrap().is_empty());
        for bad in [
            "app.example",
            "https://",
            "ftp://a",
            "https://a.*",
            "https://a/b",
            "https://*evil",
            "https://*.*.a",
        ] {
            assert!(bad.parse::<Origins>().is_err(), "{bad}");
        }
    }
}
