//! A target's URL, taken apart once; and the order in which weighted targets take their turns.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::admission::{check_host, check_path};
use crate::snapshot::Target;

/// The longest turn order; finer shares are rounded.
const SCHEDULE_LEN_MAX: u32 = 1_000;

/// Takes `http://host[:port][/path]` or `https://…` apart.
///
/// # Errors
/// Which rule the URL breaks, in words.
pub fn parse_target(url: &str, weight: u16) -> Result<Target, &'static str> {
    let (tls, rest) = if let Some(rest) = url.strip_prefix("http://") {
        (false, rest)
    } else if let Some(rest) = url.strip_prefix("https://") {
        (true, rest)
    } else {
        return Err("the URL must begin with http:// or https://");
    };
    if rest.contains(['?', '#']) {
        return Err("the URL must have no query and no fragment");
    }
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err("the URL must not carry a user or password");
    }
    let name = check_host(Some(authority.as_bytes())).map_err(|_| "the URL's host or port is not valid")?;
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let numeric = bare.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if numeric && !name.starts_with('[') && bare.parse::<Ipv4Addr>().is_err() {
        return Err("the URL's host is a number that is no IPv4 address");
    }
    let own_port = if tls { 443 } else { 80 };
    let after_host = &authority[authority.rfind(']').map_or(0, |at| at + 1)..];
    let port = match after_host.rsplit_once(':') {
        Some((_, port)) => {
            port.parse::<u16>().ok().filter(|port| *port > 0).ok_or("port 0 cannot be called")?
        }
        None => own_port,
    };
    let path_prefix = path.trim_end_matches('/');
    if !path_prefix.is_empty() && check_path(path_prefix).is_err() {
        return Err("the URL's path is not in its canonical spelling");
    }
    let host: Box<str> = match bare.parse::<Ipv6Addr>() {
        Ok(address) => address.to_string().into(),
        Err(_) => bare.into(),
    };
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
    let address: Box<str> = format!("{bracketed}:{port}").into();
    let authority = if port == own_port { bracketed.into() } else { address.clone() };
    Ok(Target { tls, host, port, address, authority, path_prefix: path_prefix.into(), weight })
}

/// Indices in the order of smooth weighted round robin: shares hold over the whole order, and the heavy ones are
/// spread instead of coming in a row. Empty where every weight is 0.
pub(crate) fn schedule(weights: &[u16]) -> Box<[u16]> {
    let mut weights: Vec<u32> = weights.iter().map(|weight| u32::from(*weight)).collect();
    let divisor = weights.iter().fold(0, |a, b| gcd(a, *b)).max(1);
    weights.iter_mut().for_each(|weight| *weight /= divisor);
    let total: u32 = weights.iter().sum();
    if total > SCHEDULE_LEN_MAX {
        for weight in &mut weights {
            if *weight > 0 {
                *weight = (*weight * SCHEDULE_LEN_MAX / total).max(1);
            }
        }
    }
    let total: u32 = weights.iter().sum();
    let mut credit = vec![0i64; weights.len()];
    (0..total)
        .filter_map(|_| {
            for (credit, weight) in credit.iter_mut().zip(&weights) {
                *credit += i64::from(*weight);
            }
            // The first of equals, so that the order is the author's.
            let next = (0..credit.len()).rev().max_by_key(|index| credit[*index])?;
            credit[next] -= i64::from(total);
            u16::try_from(next).ok()
        })
        .collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let target = parse_target("https://Api.Example.com/v1/", 1).expect("valid");
        assert!(target.tls);
        assert_eq!(
            (&*target.host, target.port, &*target.address, &*target.authority, &*target.path_prefix),
            ("api.example.com", 443, "api.example.com:443", "api.example.com", "/v1")
        );
        let target = parse_target("http://[::1]:8080", 1).expect("valid");
        assert_eq!(
            (&*target.host, target.port, &*target.address, &*target.authority, &*target.path_prefix),
            ("::1", 8080, "[::1]:8080", "[::1]:8080", "")
        );
        assert_eq!(&*parse_target("http://127.0.0.1:9000/", 1).expect("valid").authority, "127.0.0.1:9000");
    }

    #[test]
    fn a_url_that_means_something_else_is_refused() {
        for bad in [
            "",
            "ftp://a",
            "//a",
            "http://",
            "http:///x",
            "http://u:p@a",
            "http://a?x",
            "http://a#x",
            "http://a:0",
            "http://a:70000",
            "http://a b",
            "http://a/../b",
            "http://a//b",
            "http://2130706433",
            "http://1.2.3",
            "http://[::1",
            "http://é",
        ] {
            assert!(parse_target(bad, 1).is_err(), "{bad}");
        }
    }

    #[test]
    fn turns_are_spread_by_weight() {
        assert_eq!(*schedule(&[5, 1, 1]), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(*schedule(&[2, 2]), [0, 1]);
        assert_eq!(*schedule(&[0, 7]), [1]);
        assert!(schedule(&[0, 0]).is_empty() && schedule(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn every_target_with_weight_has_a_turn_and_the_order_is_short(
            weights in prop::collection::vec(0u16.., 0..20)
        ) {
            let order = schedule(&weights);
            prop_assert!(order.len() <= 1_020);
            for (index, weight) in weights.iter().enumerate() {
                let turns = order.iter().filter(|turn| usize::from(**turn) == index).count();
                prop_assert_eq!(turns > 0, *weight > 0);
            }
        }
    }
}
