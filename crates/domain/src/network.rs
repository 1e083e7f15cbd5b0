//! Addresses that begin alike.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::UnreadableEntry;

/// One address, or a network in CIDR notation (RFC 4632, RFC 4291 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    pub(crate) const RULE: &str =
        "an address or a network whose address is its first, like 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32";

    /// Whether an address is in it. IPv4 in its mapped form (RFC 4291 §2.5.5.2) is IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Networks and addresses between commas; empty entries are passed over.
    ///
    /// # Errors
    /// The first entry that is neither.
    pub fn list(text: &str) -> Result<Vec<Self>, InvalidNetwork> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(|entry| entry.parse().map_err(|_| InvalidNetwork(entry.to_owned()))).collect()
    }
}

/// An entry of a list that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: expected {rule}", rule = Network::RULE)]
pub struct InvalidNetwork(String);

impl FromStr for Network {
    type Err = UnreadableEntry;

    fn from_str(text: &str) -> Result<Self, UnreadableEntry> {
        let bad = UnreadableEntry(Self::RULE);
        let network: IpNet = match text.contains('/') {
            true => text.parse().map_err(|_| bad)?,
            false => text.parse::<IpAddr>().map_err(|_| bad)?.into(),
        };
        // `10.1.2.3/8` is a slip: of which of the two, only its author knows. A mapped address would match nobody.
        let mapped = matches!(network.addr(), IpAddr::V6(first) if first.to_ipv4_mapped().is_some());
        if mapped || network.trunc() != network { Err(bad) } else { Ok(Self(network)) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.prefix_len() == self.0.max_prefix_len() {
            true => write!(f, "{}", self.0.addr()),
            false => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_begin_like_it() {
        for (network, inside, outside) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("10.0.0.0/8", "::ffff:10.255.0.1", "11.0.0.0"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1/128", "::1", "::2"),
        ] {
            let read: Network = network.parse().expect(network);
            assert!(read.contains(inside.parse().expect(inside)), "{inside} in {network}");
            assert!(!read.contains(outside.parse().expect(outside)), "{outside} not in {network}");
        }
        for bad in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "fd00::/129",
            "10.0.0",
            "::ffff:10.0.0.1",
            "localhost",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        assert_eq!("2001:DB8:0:0::/32".parse::<Network>().expect("a network").to_string(), "2001:db8::/32");
    }

    #[test]
    fn a_list_names_the_entry_that_is_none() {
        assert_eq!(Network::list(" , ").expect("empty"), []);
        assert_eq!(Network::list("10.0.0.0/8, ::1").expect("two").len(), 2);
        for (list, says) in [
            ("10.0.0.0/8,proxy.local", "proxy.local: expected an address or a network"),
            ("10.0.0.1/8", "10.0.0.1/8: expected an address or a network whose address is its first"),
        ] {
            let error = Network::list(list).expect_err(list).to_string();
            assert!(error.starts_with(says), "{error}");
        }
    }
}
