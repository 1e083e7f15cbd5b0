//! Who calls and how, through whichever proxies the operator trusts.

use std::net::IpAddr;

use tollgate_boot::TrustedProxies;

use crate::tls::ClientCertificate;

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// What it speaks to us, `http` or `https`.
    pub(crate) scheme: &'static str,
    /// What an upstream is told of it where it calls for itself: written once, not for each call.
    lines: Box<[u8]>,
}

impl Peer {
    pub(crate) fn new(address: IpAddr, scheme: &'static str) -> Self {
        let mut lines = Vec::with_capacity(128);
        write_address(&mut lines, address.to_canonical(), scheme);
        Self { address, scheme, lines: lines.into() }
    }

    /// One that showed a certificate in its handshake, which was verified.
    pub(crate) fn with_certificate(address: IpAddr, scheme: &'static str, shown: &ClientCertificate) -> Self {
        let mut lines = Vec::with_capacity(2_048);
        for (name, value) in shown.fields() {
            lines.extend_from_slice(name.as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(value.as_bytes());
            lines.extend_from_slice(b"\r\n");
        }
        // The last line of the address is left open.
        write_address(&mut lines, address.to_canonical(), scheme);
        Self { address, scheme, lines: lines.into() }
    }
}

/// What an upstream is told of where a call comes from.
#[derive(Debug)]
pub(crate) struct Caller<'c> {
    from: From<'c>,
    /// The host that the caller asked for.
    host: Option<&'c [u8]>,
}

#[derive(Debug)]
enum From<'c> {
    Peer(&'c Peer),
    /// A trusted proxy says so.
    Behind(IpAddr, &'static str),
}

impl<'c> Caller<'c> {
    /// As seen by ourselves; where the peer is a trusted proxy, as that proxy says.
    pub(crate) fn of<I>(trusted: &TrustedProxies, peer: &'c Peer, host: Option<&'c [u8]>, fields: I) -> Self
    where
        I: DoubleEndedIterator<Item = (&'c [u8], &'c [u8])> + Clone,
    {
        if !trusted.contains(peer.address) {
            return Self { from: From::Peer(peer), host };
        }
        let values = |name: &'static str| {
            let named = move |(said, _): &(&[u8], &[u8])| said.eq_ignore_ascii_case(name.as_bytes());
            fields.clone().filter(named).map(|(_, value)| value)
        };
        let proto = trusted.word_of(peer.address, values("x-forwarded-proto"));
        let scheme = match proto {
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
            Some(_) => "http",
            None => peer.scheme,
        };
        let asked_for = trusted.word_of(peer.address, values("x-forwarded-host")).filter(|host| {
            host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
        });
        let address = trusted.client_address(peer.address, values("x-forwarded-for"));
        Self { from: From::Behind(address, scheme), host: asked_for.map(str::as_bytes).or(host) }
    }

    /// Appends `X-Forwarded-*` and `Forwarded`, each as a line. Set anew: only what we see ourselves, or a trusted
    /// proxy does, is true.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self.from {
            From::Peer(peer) => out.extend_from_slice(&peer.lines),
            From::Behind(address, scheme) => write_address(out, address, scheme),
        }
        if let Some(host) = self.host {
            out.extend_from_slice(b";host=\"");
            out.extend_from_slice(host);
            out.extend_from_slice(b"\"\r\nx-forwarded-host: ");
            out.extend_from_slice(host);
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// All that does not name a host; the last line is left open.
fn write_address(out: &mut Vec<u8>, address: IpAddr, scheme: &str) {
    // RFC 7239 §6: an IPv6 node stands in brackets and quotes.
    let node = match address {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("\"[{ip}]\""),
    };
    let text = format!(
        "x-forwarded-for: {address}\r\nx-forwarded-proto: {scheme}\r\nforwarded: for={node};proto={scheme}"
    );
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
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
                "x-forwarded-for: 1.1.1.1, 203.0.113.9|X-Forwarded-Proto: HTTPS|x-forwarded-host: a.example:8443",
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
            let peer = Peer::new(peer.parse().unwrap(), "http");
            let said: Vec<(&[u8], &[u8])> = fields
                .split('|')
                .filter_map(|field| field.split_once(": "))
                .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
                .collect();
            let mut out = Vec::new();
            Caller::of(&trusted, &peer, Some(b"api.example"), said.iter().copied()).write(&mut out);
            let node = if address.contains(':') { format!("\"[{address}]\"") } else { address.to_owned() };
            let expected = format!(
                "x-forwarded-for: {address}\r\nx-forwarded-proto: {scheme}\r\n\
                 forwarded: for={node};proto={scheme};host=\"{host}\"\r\nx-forwarded-host: {host}\r\n"
            );
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{fields}");
        }
    }
}
