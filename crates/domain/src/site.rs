//! Sites by the origins of their pages.

use std::fmt;
use std::str::FromStr;

use crate::restrictions::Unreadable;

/// Pages of one site, or of many (RFC 6454): `https://app.example`, `https://*.example`, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site(Pages);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pages {
    Any,
    Exact(Box<str>),
    /// What stands before and behind `*`.
    Below(Box<str>, Box<str>),
}

impl Site {
    pub(crate) const RULE: &str = "an origin like https://app.example, https://*.example or *";

    /// Whether pages of this origin are among them.
    #[must_use]
    pub fn allows(&self, origin: &[u8]) -> bool {
        match &self.0 {
            Pages::Any => true,
            Pages::Exact(exact) => exact.as_bytes() == origin,
            Pages::Below(begin, end) => origin
                .strip_prefix(begin.as_bytes())
                .and_then(|rest| rest.strip_suffix(end.as_bytes()))
                .is_some_and(|name| {
                    !name.is_empty()
                        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte))
                }),
        }
    }
}

impl FromStr for Site {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        if text == "*" {
            return Ok(Self(Pages::Any));
        }
        let bad = Unreadable(Self::RULE);
        let lower = text.to_ascii_lowercase();
        let (scheme, authority) = lower.split_once("://").ok_or(bad)?;
        let is_authority = !authority.is_empty()
            && authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]*".contains(&byte));
        if !is_authority || !matches!(scheme, "http" | "https") || lower.len() > 300 {
            return Err(bad);
        }
        match authority.split_once('*') {
            None => Ok(Self(Pages::Exact(lower.into()))),
            Some(("", rest)) if rest.starts_with('.') && !rest.contains('*') => {
                Ok(Self(Pages::Below(format!("{scheme}://").into(), rest.into())))
            }
            Some(_) => Err(bad),
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pages::Any => f.write_str("*"),
            Pages::Exact(exact) => f.write_str(exact),
            Pages::Below(begin, end) => write!(f, "{begin}*{end}"),
        }
    }
}
