//! Whose certificates callers may show: those that an authority of one file has signed, and that are on none of the lists of
//! revoked ones in another. The lists are followed while the gateway runs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::FileFault;
use super::files::{Stamp, stamp};
use super::server::{TlsError, authorities, fault};
use super::settings::{ClientCertificates, TlsSettings};

/// What is asked of callers' certificates. A session that is taken up again is asked again: it was agreed before.
pub(crate) struct Clients {
    authorities: (PathBuf, Arc<RootCertStore>),
    lists: Option<PathBuf>,
    is_optional: bool,
    hints: Vec<DistinguishedName>,
    now: ArcSwap<Lists>,
    seen: Mutex<Option<Stamp>>,
}

/// The lists in force.
struct Lists {
    verifier: Arc<dyn ClientCertVerifier>,
    /// When the first of them should be followed by its next, in Unix seconds.
    next_update: Option<i64>,
}

impl Clients {
    /// None where callers are asked for no certificates.
    ///
    /// # Errors
    /// The file that cannot be used.
    pub(crate) fn new(settings: &TlsSettings) -> Result<Option<Arc<Self>>, TlsError> {
        if settings.client_certificates == ClientCertificates::Off {
            return Ok(None);
        }
        let path = settings.client_authorities.clone().ok_or(TlsError::NoAuthorities)?;
        let roots = Arc::new(authorities(&path)?);
        let is_optional = settings.client_certificates == ClientCertificates::Optional;
        let lists = settings.client_revocations.clone();
        let seen = lists.as_deref().and_then(|lists| stamp(lists).ok());
        let (authorities, seen) = ((path, roots), Mutex::new(seen));
        let first = read(&authorities, lists.as_deref(), is_optional)?;
        let hints = first.verifier.root_hint_subjects().to_vec();
        Ok(Some(Arc::new(Self {
            authorities,
            lists,
            is_optional,
            hints,
            now: ArcSwap::from_pointee(first),
            seen,
        })))
    }

    /// Reads the lists again where their file changed. What cannot be read leaves those in force that were.
    pub(crate) fn look(&self) {
        let Some(path) = self.lists.as_deref() else { return };
        let present = stamp(path).ok();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == present {
            return;
        }
        *seen = present;
        match read(&self.authorities, Some(path), self.is_optional) {
            Ok(lists) => {
                self.now.store(Arc::new(lists));
                tracing::info!(file = %path.display(), "the lists of revoked certificates were read again");
            }
            Err(fault) => tracing::error!(
                file = %fault.path.display(),
                reason = fault.reason,
                "the lists of revoked certificates cannot be read again; those read before hold on"
            ),
        }
    }

    /// When the first of the lists should be followed by its next, in Unix seconds.
    pub(crate) fn next_update(&self) -> Option<i64> {
        self.now.load().next_update
    }

    /// Whether a certificate that was good once still is.
    pub(crate) fn still_takes(&self, chain: &[CertificateDer<'_>]) -> bool {
        let Some((own, others)) = chain.split_first() else { return true };
        self.verify_client_cert(own, others, UnixTime::now()).is_ok()
    }
}

fn read(
    (path, roots): &(PathBuf, Arc<RootCertStore>),
    lists: Option<&Path>,
    is_optional: bool,
) -> Result<Lists, FileFault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider);
    let mut next_update = None;
    if let Some(lists) = lists {
        let of_file =
            CertificateRevocationListDer::pem_file_iter(lists).map_err(|error| fault(lists, error))?;
        let all: Vec<_> = of_file.collect::<Result<_, _>>().map_err(|error| fault(lists, error))?;
        if all.is_empty() {
            return Err(fault(lists, "holds no list of revoked certificates"));
        }
        let next = |der: &CertificateRevocationListDer<'_>| {
            let (_, list) = CertificateRevocationList::from_der(der).ok()?;
            Some(list.next_update()?.timestamp())
        };
        next_update = all.iter().filter_map(next).min();
        // An authority without a list has revoked nothing.
        builder = builder.with_crls(all).allow_unknown_revocation_status();
    }
    if is_optional {
        builder = builder.allow_unauthenticated();
    }
    let verifier = builder.build().map_err(|error| fault(lists.unwrap_or(path), error))?;
    Ok(Lists { verifier, next_update })
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        !self.is_optional
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.now.load().verifier.verify_client_cert(own, others, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.now.load().verifier.verify_tls12_signature(message, own, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.now.load().verifier.verify_tls13_signature(message, own, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.now.load().verifier.supported_verify_schemes()
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}
