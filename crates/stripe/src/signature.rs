//! Whether a message is Stripe's: `Stripe-Signature: t=<seconds>,v1=<hex>`, HMAC-SHA-256 over `t.body`.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tollgate_control::provider::NotAuthentic;
use tollgate_domain::bytes_of_hex;

/// How far a signature's time may lie from ours, both ways.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Whether one of the signatures in the header was made under one of the secrets, about now.
///
/// # Errors
/// Why the message is not to be trusted.
pub fn check<'s>(
    header: Option<&str>,
    body: &[u8],
    secrets: impl Iterator<Item = &'s str>,
    now: DateTime<Utc>,
) -> Result<(), NotAuthentic> {
    let mut time = None;
    let mut claimed = Vec::new();
    for part in header.ok_or(NotAuthentic::Unsigned)?.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) if time.is_none() => time = Some(value),
            Some(("v1", value)) => claimed.extend(bytes_of_hex(value)),
            // Older schemes and those to come prove nothing.
            _ => {}
        }
    }
    let time = time.ok_or(NotAuthentic::Unsigned)?;
    let seconds: i64 = time.parse().map_err(|_| NotAuthentic::Unsigned)?;
    if claimed.is_empty() {
        return Err(NotAuthentic::Unsigned);
    }
    let genuine = secrets.into_iter().any(|secret| {
        let made = sign(secret, time, body);
        claimed.iter().any(|one| bool::from(made.as_slice().ct_eq(one.as_slice())))
    });
    if !genuine {
        return Err(NotAuthentic::Forged);
    }
    let signed = DateTime::from_timestamp(seconds, 0).ok_or(NotAuthentic::Stale)?;
    if (now - signed).abs() > TOLERANCE { Err(NotAuthentic::Stale) } else { Ok(()) }
}

fn sign(secret: &str, time: &str, body: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "whsec_test";
    const NOW: i64 = 1_795_000_000;

    fn header(secret: &str, at: i64, body: &[u8]) -> String {
        let digits: String =
            sign(secret, &at.to_string(), body).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={at},v1={digits},v0=00")
    }

    fn checked(header: Option<&str>, body: &[u8]) -> Result<(), NotAuthentic> {
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        check(header, body, ["whsec_next", SECRET].into_iter(), now)
    }

    #[test]
    fn what_stripe_signed_five_minutes_around_now_is_taken() {
        for at in [NOW, NOW - 300, NOW + 300] {
            assert_eq!(checked(Some(&header(SECRET, at, b"{}")), b"{}"), Ok(()), "{at}");
        }
        assert_eq!(
            checked(Some(&header("whsec_next", NOW, b"{}")), b"{}"),
            Ok(()),
            "the next secret counts too"
        );
    }

    #[test]
    fn of_two_signatures_one_is_enough_while_a_secret_is_changed() {
        let good = header(SECRET, NOW, b"{}");
        let other = header("whsec_other", NOW, b"{}");
        let other = other.split(',').find(|part| part.starts_with("v1=")).unwrap();
        for both in
            [format!("{good},{other}"), format!("t={NOW},{other},{}", &good[good.find("v1=").unwrap()..])]
        {
            assert_eq!(checked(Some(&both), b"{}"), Ok(()), "{both}");
        }
        assert_eq!(checked(Some(&format!("t={NOW},{other},{other}")), b"{}"), Err(NotAuthentic::Forged));
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let good = header(SECRET, NOW, b"{}");
        for (header, body, expected) in [
            (None, &b"{}"[..], NotAuthentic::Unsigned),
            (Some(String::new()), b"{}", NotAuthentic::Unsigned),
            (Some(format!("t={NOW}")), b"{}", NotAuthentic::Unsigned),
            (Some("t=now,v1=00".to_owned()), b"{}", NotAuthentic::Unsigned),
            (Some(good.replace("v1=", "v0=")), b"{}", NotAuthentic::Unsigned),
            (Some(good.clone()), b"{ }", NotAuthentic::Forged),
            (Some(good.replace(&NOW.to_string(), &(NOW + 1).to_string())), b"{}", NotAuthentic::Forged),
            (Some(header("whsec_other", NOW, b"{}")), b"{}", NotAuthentic::Forged),
            (Some(header(SECRET, NOW - 301, b"{}")), b"{}", NotAuthentic::Stale),
            (Some(header(SECRET, NOW + 301, b"{}")), b"{}", NotAuthentic::Stale),
        ] {
            assert_eq!(checked(header.as_deref(), body), Err(expected), "{header:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn no_header_breaks_it(header in "[ -~]{0,200}", body in prop::collection::vec(any::<u8>(), 0..50)) {
            prop_assert!(checked(Some(&header), &body).is_err());
        }

        #[test]
        fn a_changed_body_is_never_taken(body in prop::collection::vec(any::<u8>(), 1..200), at in 0usize..200, bit in 0u8..8) {
            let signed = header(SECRET, NOW, &body);
            let mut changed = body.clone();
            let at = at % changed.len();
            changed[at] ^= 1 << bit;
            prop_assert_eq!(checked(Some(&signed), &changed), Err(NotAuthentic::Forged));
        }
    }
}
