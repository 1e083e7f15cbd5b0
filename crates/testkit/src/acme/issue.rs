//! From a signing request to a chain.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PublicKeyData, SignatureAlgorithm,
};
use time::OffsetDateTime;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

/// Who signs.
pub(super) struct Issuer {
    root: CertifiedIssuer<'static, KeyPair>,
}

struct Asked(Vec<u8>);

impl PublicKeyData for Asked {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl Issuer {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are no bad names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "Test ACME Root");
        let key = KeyPair::generate().expect("random bytes");
        Self { root: CertifiedIssuer::self_signed(params, key).expect("an authority can be made") }
    }

    pub(super) fn pem(&self) -> String {
        self.root.pem()
    }

    /// Signs what is asked for, if it is for these hosts and nothing else.
    pub(super) fn sign(
        &self,
        csr: &str,
        hosts: &[String],
        lifetime_seconds: u64,
        another_key: bool,
    ) -> Result<String, String> {
        let der = URL_SAFE_NO_PAD.decode(csr).map_err(|error| error.to_string())?;
        let (_, csr) = X509CertificationRequest::from_der(&der).map_err(|error| error.to_string())?;
        let info = &csr.certification_request_info;
        let mut asked: Vec<String> = Vec::new();
        for extension in csr.requested_extensions().into_iter().flatten() {
            if let ParsedExtension::SubjectAlternativeName(names) = extension {
                asked.extend(names.general_names.iter().map(|name| match name {
                    GeneralName::DNSName(host) => (*host).to_owned(),
                    other => other.to_string(),
                }));
            }
        }
        let mut wanted = hosts.to_vec();
        asked.sort();
        wanted.sort();
        if asked != wanted {
            return Err(format!("asks for {asked:?}, which is not {wanted:?}"));
        }
        let mut params = CertificateParams::new(wanted).map_err(|error| error.to_string())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.use_authority_key_identifier_extension = true;
        let now = OffsetDateTime::now_utc() - Duration::from_secs(60);
        (params.not_before, params.not_after) = (now, now + Duration::from_secs(lifetime_seconds));
        let signed = if another_key {
            params.signed_by(&KeyPair::generate().expect("random bytes"), &self.root)
        } else {
            let key = Asked(info.subject_pki.subject_public_key.data.to_vec());
            params.signed_by(&key, &self.root)
        };
        let certificate = signed.map_err(|error| error.to_string())?;
        Ok(format!("{}{}", certificate.pem(), self.pem()))
    }
}
