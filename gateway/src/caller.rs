//! Who calls and how, through whichever proxies the operator trusts.

use std::net::IpAddr;

use http::header::{HOST, HeaderMap, HeaderValue};
use tollgate_boot::TrustedProxies;

/// What an upstream is told of where a call comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) address: IpAddr,
    /// The scheme that the caller spoke, `http` or `https`.
    pub(crate) scheme: &'static str,
    /// The host that the caller asked for.
    pub(crate) host: Option<HeaderValue>,
}

impl Caller {
    /// As seen by ourselves; where the peer is a trusted proxy, as that proxy says.
    pub(crate) fn of(trusted: &TrustedProxies, peer: IpAddr, fields: &HeaderMap) -> Self {
        let host = || fields.get(HOST).cloned();
        if !trusted.contains(peer) {
            return Self { address: peer.to_canonical(), scheme: "http", host: host() };
        }
        let values = |name: &str| fields.get_all(name).iter().map(HeaderValue::as_bytes);
        let says_https = trusted
            .word_of(peer, values("x-forwarded-proto"))
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let asked_for = trusted
            .word_of(peer, values("x-forwarded-host"))
            .filter(|host| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte)))
            .and_then(|host| HeaderValue::from_str(host).ok());
        Self {
            address: trusted.client_address(peer, values("x-forwarded-for")),
            scheme: if says_https { "https" } else { "http" },
            host: asked_for.or_else(host),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn only_a_trusted_peer_says_who_calls_by_which_scheme_and_for_which_host() {
        let trusted: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        for (peer, fields, address, scheme, host) in [
            (
                "203.0.113.9",
                "x-forwarded-for: 1.1.1.1|x-forwarded-proto: https|x-forwarded-host: evil",
                "203.0.113.9",
                "http",
                "api.example",
            ),
            ("10.0.0.1", "", "10.0.0.1", "http", "api.example"),
            (
                "10.0.0.1",
                "x-forwarded-for: 1.1.1.1, 203.0.113.9|x-forwarded-proto: HTTPS|x-forwarded-host: a.example:8443",
                "203.0.113.9",
                "https",
                "a.example:8443",
            ),
            ("10.0.0.1", "x-forwarded-proto: https, http|x-forwarded-host: a, b", "10.0.0.1", "http", "b"),
            (
                "10.0.0.1",
                "x-forwarded-proto: gopher|x-forwarded-host: \"a\";for=evil",
                "10.0.0.1",
                "http",
                "api.example",
            ),
            ("::ffff:10.0.0.1", "x-forwarded-for: [2001:db8::1]:99", "2001:db8::1", "http", "api.example"),
        ] {
            let mut map = HeaderMap::new();
            map.insert(HOST, HeaderValue::from_static("api.example"));
            for (name, value) in fields.split('|').filter_map(|field| field.split_once(": ")) {
                map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            }
            let expected =
                Caller { address: address.parse().unwrap(), scheme, host: Some(host.parse().unwrap()) };
            assert_eq!(Caller::of(&trusted, peer.parse().unwrap(), &map), expected, "{peer} {fields}");
        }
    }
}
