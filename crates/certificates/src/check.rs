//! What must not be served: expired, nameless, weak, or with another certificate's key.

use rustls::crypto::ring::sign::any_supported_type;
use x509_parser::prelude::{ParsedExtension, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::facts::parse;
use crate::{Facts, Fault, Pair};

/// RSA keys below this are broken by those who can pay (NIST SP 800-57).
const RSA_BITS_MIN: usize = 2048;
/// What clocks may differ by.
const CLOCK_SLACK_S: i64 = 300;
/// sha1WithRSAEncryption, md5WithRSAEncryption, ecdsa-with-SHA1.
const BROKEN_SIGNATURES: [&str; 3] = ["1.2.840.113549.1.1.5", "1.2.840.113549.1.1.4", "1.2.840.10045.4.1"];

/// All faults of what was brought.
pub(crate) fn faults(pair: &Pair, facts: &Facts, now: i64) -> Vec<Fault> {
    let mut faults = Vec::new();
    let certificates: Option<Vec<_>> = pair.chain.iter().map(parse).collect();
    let Some(certificates) = certificates else {
        return vec![Fault::chain("holds a certificate that cannot be read")];
    };
    let first = &certificates[0];
    if facts.not_after <= now {
        faults.push(Fault::chain(format!("expired on {}", first.validity().not_after)));
    }
    if facts.not_before > now + CLOCK_SLACK_S {
        faults.push(Fault::chain(format!("is valid only from {}", first.validity().not_before)));
    }
    if facts.names.is_empty() {
        faults.push(Fault::chain(
            "names no host: it has no subject alternative name, and clients look nowhere else",
        ));
    }
    if let Some(name) = facts.names.iter().find(|name| !is_servable(name)) {
        faults.push(Fault::chain(format!(
            "is for {name}, which is no host; a wildcard stands alone in the first label"
        )));
    }
    faults.extend(purpose_fault(first));
    faults.extend(strength_fault(first));
    for (position, pair) in certificates.windows(2).enumerate() {
        if pair[0].issuer().as_raw() != pair[1].subject().as_raw() {
            let message = format!(
                "is out of order: certificate {} did not sign certificate {}; the server's own comes first",
                position + 2,
                position + 1
            );
            faults.push(Fault::chain(message));
            break;
        }
    }
    if certificates.iter().any(is_signed_weakly) {
        faults.push(Fault::chain("is signed with SHA-1 or MD5, which no client accepts"));
    }
    faults.extend(key_fault(pair));
    faults
}

/// Whether the key can be used, and is the first certificate's.
pub(crate) fn key_fault(pair: &Pair) -> Option<Fault> {
    let Ok(signer) = any_supported_type(&pair.key) else {
        return Some(Fault::key(
            "is of a kind that cannot be served; use RSA from 2048 bits, P-256, P-384 or Ed25519",
        ));
    };
    let certificate = parse(pair.chain.first()?)?;
    let matches = signer.public_key().is_some_and(|public| &*public == certificate.public_key().raw);
    (!matches).then(|| Fault::key("is not the key of the first certificate"))
}

fn is_servable(name: &str) -> bool {
    let host = name.strip_prefix("*.").unwrap_or(name);
    !host.is_empty() && !host.contains('*') && (name == host || host.contains('.'))
}

fn purpose_fault(certificate: &X509Certificate<'_>) -> Option<Fault> {
    let purposes = certificate.extended_key_usage().ok().flatten()?.value;
    (!purposes.server_auth && !purposes.any)
        .then(|| Fault::chain("is not for servers: its extended key usage lacks serverAuth"))
}

fn strength_fault(certificate: &X509Certificate<'_>) -> Option<Fault> {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(rsa)) if rsa.key_size() < RSA_BITS_MIN => Some(Fault::chain(format!(
            "has an RSA key of {} bits; at least {RSA_BITS_MIN} are needed",
            rsa.key_size()
        ))),
        Ok(PublicKey::DSA(_)) => Some(Fault::chain("has a DSA key, which no client accepts")),
        _ => None,
    }
}

/// Roots are trusted by name; how they signed themselves is of no interest.
fn is_signed_weakly(certificate: &X509Certificate<'_>) -> bool {
    let broken =
        BROKEN_SIGNATURES.contains(&certificate.signature_algorithm.algorithm.to_id_string().as_str());
    let authority = certificate.extensions().iter().any(
        |extension| matches!(extension.parsed_extension(), ParsedExtension::BasicConstraints(of) if of.ca),
    );
    broken && !(authority && certificate.issuer() == certificate.subject())
}
