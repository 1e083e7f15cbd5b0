//! A certificate authority for tests: chains for any names and times, clients included.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;
use x509_parser::pem::parse_x509_pem;

/// An authority with a key of its own.
pub struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate, then the authority's.
    pub chain: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// When the system has no random bytes, as all of this.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are no bad names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "Test Root");
        let key = KeyPair::generate().expect("random bytes");
        Self { root: CertifiedIssuer::self_signed(params, key).expect("an authority can be made") }
    }

    /// What clients are to trust, in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.root.pem()
    }

    /// A server's certificate for an hour.
    #[must_use]
    pub fn issue(&self, names: &[&str]) -> Issued {
        let now = OffsetDateTime::now_utc();
        self.issue_for(names, now - Duration::from_secs(60), now + Duration::from_secs(3_600))
    }

    /// A server's certificate that ended a minute ago.
    #[must_use]
    pub fn issue_expired(&self, names: &[&str]) -> Issued {
        let now = OffsetDateTime::now_utc();
        self.issue_for(names, now - Duration::from_secs(3_600), now - Duration::from_secs(60))
    }

    /// A client's certificate with a common name and one DNS name.
    #[must_use]
    pub fn issue_client(&self, name: &str) -> Issued {
        let mut params = self.params(&[name]);
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    /// A list of certificates that it has revoked, in PEM, for an hour.
    #[must_use]
    pub fn revoke(&self, revoked: &[&Issued]) -> String {
        let now = OffsetDateTime::now_utc();
        let entry = |issued: &&Issued| {
            let (_, pem) = parse_x509_pem(issued.chain.as_bytes()).expect("a certificate");
            let serial = pem.parse_x509().expect("a certificate").raw_serial().to_vec();
            RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: now - Duration::from_secs(1),
                reason_code: None,
                invalidity_date: None,
            }
        };
        let params = CertificateRevocationListParams {
            this_update: now - Duration::from_secs(1),
            next_update: now + Duration::from_secs(3_600),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.root).expect("a list can be signed").pem().expect("it can be written")
    }

    fn issue_for(&self, names: &[&str], from: OffsetDateTime, until: OffsetDateTime) -> Issued {
        let mut params = self.params(names);
        (params.not_before, params.not_after) = (from, until);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    fn params(&self, names: &[&str]) -> CertificateParams {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names that can stand in a certificate");
        // Version 3 certificates without it are refused by some clients.
        params.use_authority_key_identifier_extension = true;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
    }

    fn sign(&self, params: &CertificateParams) -> Issued {
        let key = KeyPair::generate().expect("random bytes");
        let certificate = params.signed_by(&key, &self.root).expect("a certificate can be signed");
        Issued { chain: format!("{}{}", certificate.pem(), self.pem()), key: key.serialize_pem() }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
