//! The handshake: TLS 1.3 and 1.2 with authenticated ciphers only, within one deadline.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{HandshakeKind, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tollgate_certificates::CHALLENGE_PROTOCOL;

use super::client::ClientCertificate;
use super::clients::Clients;
use super::settings::TlsSettings;
use super::{Certificates, Challenges, FileFault, TlsMetrics};

const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// Why a TLS listener cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileFault),
    /// Callers' certificates are wanted, but nobody is trusted to sign them.
    #[error("client certificates are asked for, but no file says who may sign them")]
    NoAuthorities,
    /// The library refused.
    #[error(transparent)]
    Library(#[from] rustls::Error),
}

/// What a caller agreed to.
pub(crate) struct Agreed {
    pub(crate) stream: TlsStream<TcpStream>,
    /// Whether HTTP/2 is spoken on it.
    pub(crate) is_h2: bool,
    pub(crate) client: Option<Arc<ClientCertificate>>,
}

/// The server's side of every handshake.
#[derive(Clone)]
pub(crate) struct Server {
    config: Arc<ServerConfig>,
    /// For authorities that look for a challenge.
    challenges: Arc<ServerConfig>,
    clients: Option<Arc<Clients>>,
    metrics: Arc<TlsMetrics>,
    deadline: Duration,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    /// Prepares the listener's side.
    ///
    /// # Errors
    /// The file that cannot be used, by name.
    pub(crate) fn new(
        settings: &TlsSettings,
        certificates: Arc<Certificates>,
        challenges: Arc<Challenges>,
        metrics: Arc<TlsMetrics>,
        deadline: Duration,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = || {
            ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        };
        let mut challenges = builder()?.with_no_client_auth().with_cert_resolver(challenges);
        challenges.alpn_protocols = vec![CHALLENGE_PROTOCOL.to_vec()];
        let builder = builder()?;
        let clients = Clients::new(settings)?;
        let mut config = match clients.clone() {
            Some(clients) => builder.with_client_cert_verifier(clients),
            None => builder.with_no_client_auth(),
        }
        .with_cert_resolver(Arc::clone(&certificates) as _);
        if let Some(clients) = &clients {
            certificates.follow(Arc::clone(clients));
        }
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        config.alpn_protocols = vec![H2.to_vec(), HTTP_1_1.to_vec()];
        Ok(Self { config: Arc::new(config), challenges: Arc::new(challenges), clients, metrics, deadline })
    }

    /// Shakes hands; none where that fails or takes too long, or where there is nothing to say after it. Whoever fails is
    /// told by an alert, and nobody else.
    pub(crate) async fn shake_hands(&self, stream: TcpStream) -> Option<Agreed> {
        let shaken = tokio::time::timeout(self.deadline, self.accept(stream)).await;
        let result = match &shaken {
            Ok(Ok(_)) => "completed",
            Ok(Err(_)) => "failed",
            Err(_) => "timed_out",
        };
        self.metrics.ended(result);
        let stream = match shaken {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                return None;
            }
            Err(_) => return None,
        };
        let (_, session) = stream.get_ref();
        if session.alpn_protocol() == Some(CHALLENGE_PROTOCOL) {
            // It has seen what it came for.
            return None;
        }
        let is_h2 = session.alpn_protocol() == Some(H2);
        let client = session.peer_certificates().and_then(|chain| chain.first());
        let client = client.and_then(ClientCertificate::of).map(Arc::new);
        Some(Agreed { stream, is_h2, client })
    }

    async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let begun = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        let asks_for_challenge =
            begun.client_hello().alpn().is_some_and(|mut offered| offered.any(|it| it == CHALLENGE_PROTOCOL));
        let config = if asks_for_challenge { &self.challenges } else { &self.config };
        let stream = begun.into_stream(Arc::clone(config)).await?;
        let (_, session) = stream.get_ref();
        // Its certificate was looked at when the session was new.
        if let (Some(clients), Some(chain), Some(HandshakeKind::Resumed)) =
            (&self.clients, session.peer_certificates(), session.handshake_kind())
            && !clients.still_takes(chain)
        {
            return Err(std::io::Error::other("its certificate is good no more"));
        }
        Ok(stream)
    }
}

/// Reads a file of roots for nothing but the faults that it has.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_roots(path: &Path) -> Result<(), FileFault> {
    authorities(path).map(drop)
}

pub(super) fn authorities(path: &Path) -> Result<RootCertStore, FileFault> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| fault(path, error))? {
        roots.add(certificate.map_err(|error| fault(path, error))?).map_err(|error| fault(path, error))?;
    }
    if roots.is_empty() { Err(fault(path, "holds no certificate")) } else { Ok(roots) }
}

pub(super) fn fault(path: &Path, reason: impl ToString) -> FileFault {
    FileFault { path: PathBuf::from(path), reason: reason.to_string() }
}
