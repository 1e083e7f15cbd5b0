//! A caller's own certificate: verified in the handshake, then told to whoever decides and to upstreams.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderValue;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// What is told of a certificate at most; more alternative names than fit are left out whole.
const NAMES_BYTES_MAX: usize = 2_048;

/// A verified client certificate, ready to be told. Made once for a connection.
#[derive(Clone)]
pub(crate) struct ClientCertificate {
    /// SHA-256 of the certificate, base64url: `x5t#S256` of RFC 8705.
    pub(crate) thumbprint: String,
    /// SHA-256 of its public key (SPKI), base64url: stays the same when a certificate is renewed on its key.
    pub(crate) key_thumbprint: String,
    /// Its subject as RFC 4514 writes it.
    pub(crate) subject: String,
    /// Its alternative names, like `DNS:a.example, URI:spiffe://…`.
    pub(crate) names: String,
    /// `Client-Cert` of RFC 9440.
    pub(crate) field: HeaderValue,
}

impl ClientCertificate {
    /// Reads a certificate that was verified; none where it cannot be told.
    pub(crate) fn of(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let digest = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let names: Vec<String> =
            alternative.iter().flat_map(|names| &names.value.general_names).filter_map(name_of).collect();
        Some(Self {
            thumbprint: digest(der),
            key_thumbprint: digest(certificate.public_key().raw),
            subject: visible(&certificate.subject().to_string()),
            names: Some(visible(&names.join(", "))).filter(|names| names.len() <= NAMES_BYTES_MAX)?,
            field: HeaderValue::from_str(&format!(":{}:", STANDARD.encode(der))).ok()?,
        })
    }

    /// The fields that upstreams get, by name.
    pub(crate) fn fields(&self) -> [(&'static str, HeaderValue); 5] {
        let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        [
            ("client-cert", self.field.clone()),
            ("x-client-cert-subject", text(&self.subject)),
            ("x-client-cert-names", text(&self.names)),
            ("x-client-cert-thumbprint", text(&self.thumbprint)),
            ("x-client-cert-key-thumbprint", text(&self.key_thumbprint)),
        ]
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) => Some(format!("DNS:{host}")),
        GeneralName::URI(uri) => Some(format!("URI:{uri}")),
        GeneralName::RFC822Name(mail) => Some(format!("email:{mail}")),
        _ => None,
    }
}

/// A field's value holds visible ASCII and spaces; anything else of a subject is shown as `?`.
fn visible(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii_graphic() || char == ' ' { char } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;
    use tollgate_testkit::Authority;

    use super::*;

    #[test]
    fn a_certificate_is_told_by_its_subject_its_names_and_its_thumbprints() {
        let issued = Authority::new().issue_client("robot.example");
        let der = CertificateDer::from_pem_slice(issued.chain.as_bytes()).unwrap();
        let told = ClientCertificate::of(&der).unwrap();
        assert_eq!((told.subject.as_str(), told.names.as_str()), ("CN=robot.example", "DNS:robot.example"));
        assert_eq!((told.thumbprint.len(), told.key_thumbprint.len()), (43, 43));
        assert_ne!(told.thumbprint, told.key_thumbprint);
        let field = told.field.to_str().unwrap();
        let inside = field.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).unwrap();
        assert_eq!(STANDARD.decode(inside).unwrap(), der.as_ref());
        assert_eq!(visible("CN=Jos\u{e9}\r\nX: y"), "CN=Jos???X: y");
        assert!(told.fields().iter().all(|(name, _)| name.contains("client-cert")));
    }
}
