//! Where webhooks may be: on the public internet, and in the networks that whoever runs the platform names.
//!
//! Addresses are looked at when a webhook is made and again for every connection, on the address that is used: a name
//! that leads to a private address later does not get there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use tollgate_domain::{InvalidNetwork, Network};
use url::{Host, Url};

const URL_CHARS_MAX: usize = 2_000;

/// Networks that are reached though they are not public.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reachable(Vec<Network>);

impl FromStr for Reachable {
    type Err = InvalidNetwork;

    /// Networks or addresses between commas.
    fn from_str(list: &str) -> Result<Self, InvalidNetwork> {
        Network::list(list).map(Self)
    }
}

impl Reachable {
    /// Whether a connection to this address may be made.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.names(address)
    }

    pub(super) fn names(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Reads where a webhook shall be.
    ///
    /// # Errors
    /// What is wrong with it and what is expected, in plain words.
    pub fn check(&self, text: &str) -> Result<Url, &'static str> {
        if text.len() > URL_CHARS_MAX {
            return Err("at most 2000 characters");
        }
        let url = Url::parse(text).map_err(|_| "a URL like https://hooks.example.com/tollgate")?;
        let named = matches!(url.host(), Some(Host::Ipv4(ip)) if self.names(ip.into()))
            || matches!(url.host(), Some(Host::Ipv6(ip)) if self.names(ip.into()))
            || matches!(url.host(), Some(Host::Domain(_)) if !self.0.is_empty());
        match url.scheme() {
            "https" => {}
            "http" if named => {}
            "http" => return Err("https: what is told must not be read on the way"),
            _ => return Err("a URL that begins with https://"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("no user or password in the URL; deliveries are signed");
        }
        if url.fragment().is_some() {
            return Err("no fragment (#…): it would not be sent");
        }
        match url.host() {
            Some(Host::Ipv4(ip)) if !self.has(ip.into()) => return Err(PRIVATE),
            Some(Host::Ipv6(ip)) if !self.has(ip.into()) => return Err(PRIVATE),
            Some(Host::Domain(name)) if is_local_name(name) && self.0.is_empty() => return Err(PRIVATE),
            None => return Err("a URL with a host"),
            _ => {}
        }
        match url.port() {
            Some(port) if port < 1_024 && !matches!(port, 80 | 443) => {
                Err("port 443, 80, or one above 1023: lower ones are other services")
            }
            Some(5_432 | 6_379 | 3_306 | 9_200 | 11_211 | 27_017) => {
                Err("this is the port of a database, which is never told anything")
            }
            _ => Ok(url),
        }
    }
}

/// What is said of addresses that are not public.
pub(super) const PRIVATE: &str = "a public address; whoever runs the platform can name private networks in \
                                  TOLLGATE_WEBHOOK_NETWORKS";

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.') || ["localhost", "local", "internal", "home", "lan", "arpa"].contains(&last)
}

/// Whether an address is one of the public internet (IANA special-purpose registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Global unicast is 2000::/3; of it, what carries an IPv4 address is as public as that.
    let global = (segments[0] & 0xe000) == 0x2000;
    let documentation = segments[0] == 0x2001 && segments[1] == 0x0db8 || segments[0] == 0x3fff;
    let special = segments[0] == 0x2001 && segments[1] < 0x0200;
    let six_to_four = segments[0] == 0x2002;
    // NAT64 (RFC 6052): the last 32 bits are the address that is reached.
    if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    global && !documentation && !special && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_reached() {
        let nowhere = Reachable::default();
        for private in [
            "http://127.0.0.1",
            "https://0",
            "https://2130706433",
            "https://0x7f.1",
            "https://017700000001",
            "https://[::1]",
            "https://[::ffff:127.0.0.1]",
            "https://169.254.169.254",
            "https://[fd00::1]",
            "https://[fe80::1]",
            "https://localhost.",
            "https://localhost",
            "https://db",
            "https://10.1.2.3",
            "https://172.16.0.1",
            "https://192.168.0.1",
            "https://100.64.0.1",
            "https://224.0.0.1",
            "https://[2002:7f00:1::]",
            "https://[64:ff9b::7f00:1]",
            "https://metadata.google.internal",
            "https://127。0。0。1",
            "https://①②⑦.0.0.1",
        ] {
            assert!(nowhere.check(private).is_err(), "{private}");
        }
        for other in [
            "file:///etc/passwd",
            "gopher://example.com",
            "ftp://example.com",
            "unix:/run/x",
            "//example.com",
            "https://user:pw@example.com",
            "https://example.com#x",
            "http://example.com",
            "https://",
            "https://example.com:22",
            "https://example.com:25",
            "https://example.com:5432",
            "",
        ] {
            assert!(nowhere.check(other).is_err(), "{other}");
        }
        for good in [
            "https://hooks.example.com/in?x=1",
            "https://93.184.216.34",
            "https://example.com:8443/",
            "https://[2606:2800:220:1::1]/",
        ] {
            assert!(nowhere.check(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn named_networks_are_reached_and_nothing_beside_them() {
        let reachable: Reachable = "10.0.0.0/8, ::1,127.0.0.1".parse().expect("networks");
        assert!(reachable.check("http://127.0.0.1:9000/in").is_ok());
        assert!(reachable.check("http://[::1]:9000/in").is_ok());
        assert!(reachable.check("http://127.0.0.2:9000/in").is_err());
        assert!(
            reachable.has("10.2.3.4".parse().expect("ip"))
                && !reachable.has(
                    "11.0.0.1".parse::<IpAddr>().map(|_| "192.168.1.1".parse().expect("ip")).expect("ip")
                )
        );
        assert!(
            "10.0.0.0/33".parse::<Reachable>().is_err()
                && "".parse::<Reachable>() == Ok(Reachable::default())
        );
    }
}
