//! Which proxies stand in front of us, and who calls through them.
//!
//! Anybody can send `X-Forwarded-For`. What it says is believed only as far as it was written by proxies that the
//! operator named: read from the right, each entry vouches for the one to its left.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use tollgate_domain::{InvalidNetwork, Network};

/// The proxies whose `X-Forwarded-*` fields are believed; none by default. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[Network]>);

impl TrustedProxies {
    /// Reads addresses and networks in CIDR notation, separated by commas: `10.0.0.0/8, 2001:db8::7`.
    ///
    /// # Errors
    /// Names the first entry that is neither.
    pub fn parse(list: &str) -> Result<Self, InvalidNetwork> {
        Ok(Self(Network::list(list)?.into()))
    }

    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is one of the proxies.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Who calls: the peer itself unless it is one of the proxies; else the right-most entry of its `X-Forwarded-For`
    /// fields (given in their order) that is not. Where a proxy wrote something that is no address, or was called
    /// by none but other proxies, it is the farthest of them.
    #[must_use]
    pub fn client_address<'v, I>(&self, peer: IpAddr, forwarded_for: I) -> IpAddr
    where
        I: IntoIterator<Item = &'v [u8]>,
        I::IntoIter: DoubleEndedIterator,
    {
        let mut client = peer.to_canonical();
        if !self.contains(client) {
            return client;
        }
        let entries = forwarded_for.into_iter().rev().flat_map(|field| field.rsplit(|byte| *byte == b','));
        for entry in entries {
            let Some(address) = address_of(entry) else { break };
            client = address;
            if !self.contains(client) {
                break;
            }
        }
        client
    }

    /// What the proxy in front says in a field of its own, like `X-Forwarded-Proto`: the last word of the last such
    /// field. What stands before it may be the caller's.
    #[must_use]
    pub fn word_of<'v, I>(&self, peer: IpAddr, fields: I) -> Option<&'v str>
    where
        I: IntoIterator<Item = &'v [u8]>,
        I::IntoIter: DoubleEndedIterator,
    {
        if !self.contains(peer) {
            return None;
        }
        let last = fields.into_iter().next_back()?.rsplit(|byte| *byte == b',').next()?;
        std::str::from_utf8(last).ok().map(str::trim).filter(|word| !word.is_empty())
    }
}

impl FromStr for TrustedProxies {
    type Err = InvalidNetwork;

    fn from_str(list: &str) -> Result<Self, InvalidNetwork> {
        Self::parse(list)
    }
}

/// The network that one subscriber has for themselves: an IPv4 address, or an IPv6 /64.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

/// One entry as proxies write it: an address, in brackets or not, with a port or not.
fn address_of(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let address = text.parse::<IpAddr>().ok();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    address.or_else(bracketed).or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(list: &str) -> TrustedProxies {
        TrustedProxies::parse(list).unwrap()
    }

    #[test]
    fn the_client_is_the_right_most_address_that_no_proxy_has() {
        const PROXIES: &str = "10.0.0.0/8, 192.0.2.7, fd00::/8";
        for (proxies_named, peer, fields, client, why) in [
            ("", "203.0.113.9", vec!["198.51.100.1"], "203.0.113.9", "nobody is trusted by default"),
            ("", "127.0.0.1", vec!["198.51.100.1"], "127.0.0.1", "not even loopback"),
            (PROXIES, "203.0.113.9", vec!["198.51.100.1"], "203.0.113.9", "a stranger claims to be another"),
            (PROXIES, "203.0.113.9", vec!["10.0.0.1"], "203.0.113.9", "a stranger claims to be a proxy"),
            (PROXIES, "10.0.0.1", vec!["198.51.100.1"], "198.51.100.1", "the proxy's caller"),
            (PROXIES, "10.0.0.1", vec!["1.1.1.1, 198.51.100.1"], "198.51.100.1", "its caller sent a field"),
            (PROXIES, "10.0.0.1", vec!["1.1.1.1", "198.51.100.1"], "198.51.100.1", "in a field of its own"),
            (PROXIES, "10.0.0.1", vec!["10.9.9.9, 198.51.100.1"], "198.51.100.1", "claiming to be a proxy"),
            (PROXIES, "10.0.0.1", vec!["1.1.1.1, 198.51.100.1, 192.0.2.7"], "198.51.100.1", "two proxies"),
            (PROXIES, "10.0.0.1", vec!["198.51.100.1", "192.0.2.7,10.0.0.2"], "198.51.100.1", "three"),
            (PROXIES, "10.0.0.1", vec!["10.0.0.8, 10.0.0.9"], "10.0.0.8", "a call from among the proxies"),
            (PROXIES, "10.0.0.1", vec![], "10.0.0.1", "a proxy that says nothing"),
            (PROXIES, "10.0.0.1", vec![""], "10.0.0.1", "or nothing in many words"),
            (
                PROXIES,
                "10.0.0.1",
                vec!["1.1.1.1, unknown"],
                "10.0.0.1",
                "what cannot be read vouches for nothing",
            ),
            (PROXIES, "10.0.0.1", vec!["1.1.1.1, unknown, 192.0.2.7"], "192.0.2.7", "nor further left"),
            (PROXIES, "10.0.0.1", vec!["1.1.1.1, <b>, 198.51.100.1"], "198.51.100.1", "what nobody reads"),
            (PROXIES, "10.0.0.1", vec!["198.51.100.1:4711"], "198.51.100.1", "with a port"),
            (PROXIES, "fd00::1", vec!["[2001:db8::5]:4711"], "2001:db8::5", "IPv6 with a port"),
            (PROXIES, "fd00::1", vec!["[2001:db8::5]"], "2001:db8::5", "in brackets"),
            (PROXIES, "fd00::1", vec!["2001:db8::5"], "2001:db8::5", "bare"),
            (
                PROXIES,
                "::ffff:10.0.0.1",
                vec!["::ffff:198.51.100.1"],
                "198.51.100.1",
                "IPv4 on a socket for both",
            ),
        ] {
            let fields: Vec<&[u8]> = fields.into_iter().map(str::as_bytes).collect();
            let found = proxies(proxies_named).client_address(peer.parse().unwrap(), fields);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{why}");
        }
        assert_eq!(
            proxies(PROXIES).client_address([10, 0, 0, 1].into(), [&b"1.1.1.1, \xff"[..]]),
            IpAddr::from([10, 0, 0, 1])
        );
    }

    #[test]
    fn only_a_proxy_has_a_word_and_it_is_the_last_one() {
        let proxies = proxies("10.0.0.1");
        let word = |peer: [u8; 4], fields: &[&'static str]| {
            let fields: Vec<&'static [u8]> = fields.iter().map(|field| field.as_bytes()).collect();
            proxies.word_of(peer.into(), fields)
        };
        assert_eq!(word([10, 0, 0, 1], &["https"]), Some("https"));
        assert_eq!(word([10, 0, 0, 1], &["https, http "]), Some("http"));
        assert_eq!(word([10, 0, 0, 1], &["https", "http"]), Some("http"));
        assert_eq!(word([10, 0, 0, 1], &[]), None);
        assert_eq!(word([10, 0, 0, 1], &["https,"]), None);
        assert_eq!(word([10, 0, 0, 2], &["https"]), None);
    }

    #[test]
    fn a_network_is_exactly_its_prefix() {
        let proxies = proxies("192.0.2.64/26,2001:db8:7::/48,198.51.100.4/32");
        let trusts = |address: &str| proxies.contains(address.parse().unwrap());
        for inside in ["192.0.2.64", "192.0.2.127", "2001:db8:7:ffff::1", "198.51.100.4", "::ffff:192.0.2.65"]
        {
            assert!(trusts(inside), "{inside}");
        }
        for outside in ["192.0.2.63", "192.0.2.128", "2001:db8:8::", "198.51.100.5", "::192.0.2.65", "::"] {
            assert!(!trusts(outside), "{outside}");
        }
        assert!(TrustedProxies::parse(" , ").unwrap().is_empty());
        assert!(TrustedProxies::parse("0.0.0.0/0").unwrap().contains([8, 8, 8, 8].into()));
        assert!(!TrustedProxies::parse("0.0.0.0/0").unwrap().contains("2001:db8::1".parse().unwrap()));
        assert!(TrustedProxies::parse("::/0").unwrap().contains("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn an_ipv6_subscriber_is_one_network() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn a_fault_names_its_entry() {
        let error = TrustedProxies::parse("10.0.0.0/8,proxy.local").unwrap_err().to_string();
        assert!(error.starts_with("proxy.local: expected an address or a network"), "{error}");
    }
}
