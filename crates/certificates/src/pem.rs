//! From PEM text to DER.

use std::fmt;

use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::Fault;

/// Longer chains are a mistake: a whole bundle of authorities was pasted.
const CHAIN_MAX: usize = 10;

/// A chain, the server's certificate first, and its key.
pub struct Pair {
    /// Certificates in the order in which they are sent.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the first.
    pub key: PrivateKeyDer<'static>,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

impl Pair {
    /// Reads both texts; says everything that is wrong with their form.
    pub(crate) fn read(chain: &str, key: &str) -> Result<Self, Vec<Fault>> {
        match (read_chain(chain), read_key(key)) {
            (Ok(chain), Ok(key)) => Ok(Self { chain, key }),
            (chain, key) => Err(chain.err().into_iter().chain(key.err()).collect()),
        }
    }
}

fn read_chain(text: &str) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let mut chain = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()) {
        match section.map_err(|_| Fault::chain("is damaged PEM: a section does not end, or is no base64"))? {
            (SectionKind::Certificate, der) => chain.push(CertificateDer::from(der)),
            (SectionKind::RsaPrivateKey | SectionKind::PrivateKey | SectionKind::EcPrivateKey, _) => {
                return Err(Fault::chain("holds a private key; certificates only belong here"));
            }
            _ => return Err(Fault::chain("holds something that is not a certificate")),
        }
    }
    match chain.len() {
        0 => Err(Fault::chain(
            "holds no certificate; expected PEM that begins with -----BEGIN CERTIFICATE-----",
        )),
        1..=CHAIN_MAX => Ok(chain),
        more => Err(Fault::chain(format!("holds {more} certificates; a chain has at most {CHAIN_MAX}"))),
    }
}

fn read_key(text: &str) -> Result<PrivateKeyDer<'static>, Fault> {
    if text.contains("ENCRYPTED") {
        return Err(Fault::key(
            "is encrypted with a passphrase; `openssl pkey -in key.pem` writes it without",
        ));
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(text.as_bytes());
    let expected = "expected PEM that begins with -----BEGIN PRIVATE KEY-----";
    match (keys.next(), keys.next()) {
        (Some(Ok(key)), None) => Ok(key),
        (None, _) => Err(Fault::key(format!("holds no private key; {expected}"))),
        (Some(Ok(_)), Some(_)) => Err(Fault::key("holds more than one private key")),
        (Some(Err(_)), _) => Err(Fault::key(format!("is damaged; {expected}"))),
    }
}
