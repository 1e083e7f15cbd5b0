//! What a chain says about itself.

use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::Fault;

/// What there is to know of a certificate without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The names it is for (subject alternative names), lower case: hosts, `*.` for wildcards, addresses.
    pub names: Vec<String>,
    /// SHA-256 of the first certificate, lower-case hexadecimal.
    pub fingerprint: String,
    /// Who signed it, as far as it says so in a common name or organization.
    pub issuer: String,
    /// Unix seconds from which it holds.
    pub not_before: i64,
    /// Unix seconds until which it holds.
    pub not_after: i64,
}

pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der)
        .ok()
        .filter(|(rest, _)| rest.is_empty())
        .map(|(_, certificate)| certificate)
}

/// Reads the first certificate.
pub(crate) fn of(chain: &[CertificateDer<'_>]) -> Result<Facts, Fault> {
    let first = chain.first().ok_or_else(|| Fault::chain("holds no certificate"))?;
    let certificate = parse(first).ok_or_else(|| Fault::chain("holds a certificate that cannot be read"))?;
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let names = alternative.map(|names| names.value.general_names.iter().filter_map(name_of).collect());
    let issuer = certificate.issuer();
    let says = issuer.iter_common_name().chain(issuer.iter_organization()).next();
    Ok(Facts {
        names: names.unwrap_or_default(),
        fingerprint: Sha256::digest(first).iter().map(|byte| format!("{byte:02x}")).collect(),
        issuer: says.and_then(|name| name.as_str().ok()).unwrap_or("unnamed").to_owned(),
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
    })
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) => Some(host.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(v4) => Some(std::net::Ipv4Addr::from(v4).to_string()),
            Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|v6| std::net::Ipv6Addr::from(v6).to_string()),
        },
        _ => None,
    }
}
