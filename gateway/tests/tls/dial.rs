//! A gateway with a TLS listener, and callers that shake hands with it.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tollgate_domain::{Certificate, CertificateSource};
use tollgate_gateway::tls::TlsSettings;
use tollgate_testkit::{Authority, Issued, TrustsEverybody};

use crate::http::{Message, read_message, request};
use crate::stage::{Plot, Stage, id, peppers};

/// A TLS listener on a free port.
pub fn settings() -> TlsSettings {
    TlsSettings::new(SocketAddr::from(([127, 0, 0, 1], 0)))
}

/// A certificate as the control plane hands it out.
pub fn stored(n: u128, version: i64, issued: &Issued, is_default: bool) -> Certificate {
    let place = Certificate::key_place(id(n));
    Certificate {
        id: id(n),
        slug: format!("certificate-{n}"),
        source: CertificateSource::Upload,
        version,
        chain: issued.chain.clone(),
        key_sealed: peppers().seal(&place, &[9; tollgate_engine::NONCE_BYTES], issued.key.as_bytes()),
        is_default,
    }
}

/// A gateway whose TLS listener has these certificates.
pub async fn stage(certificates: Vec<Certificate>) -> Stage {
    let mut plot = Plot::new().await.tune(|settings| settings.tls = Some(self::settings()));
    plot.blueprint.certificates = certificates;
    plot.start().await
}

/// SHA-256 of the first certificate of a chain.
pub fn fingerprint(chain: &str) -> Vec<u8> {
    let first = CertificateDer::from_pem_slice(chain.as_bytes()).expect("a certificate");
    Sha256::digest(&first).to_vec()
}

/// How a caller shakes hands.
#[derive(Clone)]
pub struct Dialler {
    pub config: ClientConfig,
    address: SocketAddr,
}

impl Dialler {
    pub fn new(stage: &Stage, authority: &Authority) -> Self {
        Self::with(stage, authority, None)
    }

    /// One that shows a certificate of its own.
    pub fn with(stage: &Stage, authority: &Authority, own: Option<&Issued>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(own.chain.as_bytes()).collect();
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain.unwrap(), key).unwrap()
            }
        };
        Self { config, address: stage.tls.expect("a TLS listener") }
    }

    /// As authorities are that look for a challenge: what they are shown is nobody's certificate.
    pub fn trusting_everybody(mut self) -> Self {
        self.config.dangerous().set_certificate_verifier(Arc::new(TrustsEverybody));
        self
    }

    pub async fn dial(&self, name: &str) -> std::io::Result<Caller> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let connector = TlsConnector::from(Arc::new(self.config.clone()));
        let mut stream = connector.connect(name, stream).await?;
        stream.flush().await?;
        Ok(Caller { stream })
    }

    /// The certificate that is presented for a name.
    pub async fn presented(&self, name: &str) -> Vec<u8> {
        self.dial(name).await.expect("a handshake").certificate()
    }
}

/// A caller that has shaken hands.
pub struct Caller {
    pub stream: TlsStream<TcpStream>,
}

impl Caller {
    /// SHA-256 of the certificate that it was shown.
    pub fn certificate(&self) -> Vec<u8> {
        let (_, session) = self.stream.get_ref();
        Sha256::digest(&session.peer_certificates().expect("a chain")[0]).to_vec()
    }

    /// One call by HTTP/1.1.
    pub async fn call(&mut self, line: &str, key: &str, fields: &[(&str, &str)]) -> Option<Message> {
        let bearer = format!("Bearer {key}");
        let fields: Vec<_> =
            [("Authorization", bearer.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.stream.write_all(request(line, &fields, "").as_bytes()).await.ok()?;
        self.stream.flush().await.ok()?;
        read_message(&mut self.stream, false).await
    }
}
