//! Which sites' pages may call: what browsers are told of it (CORS), and whose WebSockets are taken.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Sites by their origins (RFC 6454), like `https://app.example`, `https://*.example`, or `*` for all. None: browsers are
/// told nothing, and origins are not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Arc<[Site]>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Site {
    Any,
    Exact(Box<str>),
    /// What stands before and behind `*`.
    Below(Box<str>, Box<str>),
}

impl Origins {
    /// Whether none is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether pages of this origin may call.
    pub(crate) fn allow(&self, origin: &[u8]) -> bool {
        self.0.iter().any(|site| match site {
            Site::Any => true,
            Site::Exact(exact) => exact.as_bytes() == origin,
            Site::Below(begin, end) => origin
                .strip_prefix(begin.as_bytes())
                .and_then(|rest| rest.strip_suffix(end.as_bytes()))
                .is_some_and(|name| {
                    !name.is_empty()
                        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte))
                }),
        })
    }
}

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(site).collect::<Result<Vec<_>, _>>().map(|sites| Self(sites.into()))
    }
}

fn site(text: &str) -> Result<Site, String> {
    if text == "*" {
        return Ok(Site::Any);
    }
    let bad = || format!("{text:?} is no origin like https://app.example, https://*.example or *");
    let lower = text.to_ascii_lowercase();
    let (scheme, authority) = lower.split_once("://").ok_or_else(bad)?;
    let is_authority = !authority.is_empty()
        && authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]*".contains(&byte));
    if !is_authority || !matches!(scheme, "http" | "https") {
        return Err(bad());
    }
    match authority.split_once('*') {
        None => Ok(Site::Exact(lower.into())),
        Some(("", rest)) if rest.starts_with('.') && !rest.contains('*') => {
            Ok(Site::Below(format!("{scheme}://").into(), rest.into()))
        }
        Some(_) => Err(bad()),
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self
            .0
            .iter()
            .map(|site| match site {
                Site::Any => "*".to_owned(),
                Site::Exact(exact) => exact.to_string(),
                Site::Below(begin, end) => format!("{begin}*{end}"),
            })
            .collect();
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
