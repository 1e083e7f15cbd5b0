//! What a server shows when an authority asks it for a challenge by a handshake (TLS-ALPN-01, RFC 8737).

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

use crate::Pair;

/// The protocol that only an authority asks for (RFC 8737 §6.2).
pub const CHALLENGE_PROTOCOL: &[u8] = b"acme-tls/1";

/// A certificate of its own for one host, which holds the digest of what the authority wants to be told. None where the
/// host is none.
#[must_use]
pub fn challenge_certificate(host: &str, key_authorization: &str) -> Option<Pair> {
    let digest = Sha256::digest(key_authorization.as_bytes());
    let mut params = CertificateParams::new(vec![host.to_owned()]).ok()?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(&digest)];
    let key = KeyPair::generate().ok()?;
    let certificate = params.self_signed(&key).ok()?;
    Some(Pair {
        chain: vec![certificate.der().clone()],
        key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_for_one_host_and_holds_the_digest_as_critical() {
        let pair = challenge_certificate("a.example", "token.thumbprint").expect("a host");
        let certificate = crate::facts::parse(&pair.chain[0]).expect("it can be read");
        let extension = certificate
            .extensions()
            .iter()
            .find(|it| it.oid.to_id_string() == "1.3.6.1.5.5.7.1.31")
            .expect("there");
        assert!(extension.critical);
        // An OCTET STRING of 32 bytes.
        assert_eq!(extension.value[..2], [0x04, 0x20]);
        assert_eq!(extension.value[2..], Sha256::digest(b"token.thumbprint")[..]);
        assert_eq!(crate::facts::of(&pair.chain).expect("facts").names, ["a.example"]);
        assert!(challenge_certificate("caf\u{e9}", "x").is_none());
    }
}
