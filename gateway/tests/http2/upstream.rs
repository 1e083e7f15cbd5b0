//! An upstream that speaks HTTP/2, remembers what it was asked, and answers as it is told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, Request, Response};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tollgate_testkit::Issued;

/// What it saw of a request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub head: Request<()>,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

/// How it answers.
pub enum Reply {
    /// A head, data in these pieces, and trailers.
    Whole(Response<()>, Vec<Bytes>, Option<HeaderMap>),
    /// A head and some data, then a reset.
    Broken(Response<()>, Bytes),
    /// A reset at once.
    Refused(Reason),
    Silence,
    /// A head and one piece of data, and nothing more.
    Open(Response<()>, Bytes),
}

pub type Behaviour = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

#[derive(Clone)]
pub struct H2Upstream {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    connections: Arc<AtomicUsize>,
    behaviour: Behaviour,
}

impl H2Upstream {
    pub async fn start(behaviour: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(behaviour, None).await
    }

    /// One that speaks TLS with this certificate, and these protocols.
    pub async fn start_tls(
        issued: &Issued,
        protocols: &[&[u8]],
        behaviour: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(issued.chain.as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain.unwrap(), key);
        let mut config = config.unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Self::start_with(behaviour, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start_with(
        behaviour: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
            connections: Arc::default(),
            behaviour: Arc::new(behaviour),
        };
        let serving = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::Relaxed);
                let serving = serving.clone();
                match tls.clone() {
                    None => drop(tokio::spawn(serving.serve(stream))),
                    Some(tls) => drop(tokio::spawn(async move {
                        if let Ok(stream) = tls.accept(stream).await {
                            serving.serve(stream).await;
                        }
                    })),
                }
            }
        });
        upstream
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Ok(mut connection) = h2::server::handshake(stream).await else { return };
        while let Some(Ok((request, respond))) = connection.accept().await {
            tokio::spawn(self.clone().answer(request, respond));
        }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    async fn answer(self, request: Request<h2::RecvStream>, mut respond: h2::server::SendResponse<Bytes>) {
        let (head, mut stream) = request.into_parts();
        let mut body = Vec::new();
        while let Some(Ok(chunk)) = stream.data().await {
            stream.flow_control().release_capacity(chunk.len()).unwrap();
            body.extend_from_slice(&chunk);
        }
        let trailers = stream.trailers().await.ok().flatten();
        let asked = Asked { head: Request::from_parts(head, ()), body, trailers };
        self.asked.lock().unwrap().push(asked.clone());
        match (self.behaviour)(&asked) {
            Reply::Whole(head, pieces, trailers) => {
                let ends = pieces.is_empty() && trailers.is_none();
                let mut data = respond.send_response(head, ends).unwrap();
                let last = pieces.len().saturating_sub(1);
                for (index, piece) in pieces.into_iter().enumerate() {
                    data.send_data(piece, index == last && trailers.is_none()).unwrap();
                }
                if let Some(trailers) = trailers {
                    data.send_trailers(trailers).unwrap();
                }
            }
            Reply::Broken(head, piece) => {
                let mut data = respond.send_response(head, false).unwrap();
                data.send_data(piece, false).unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                data.send_reset(Reason::INTERNAL_ERROR);
            }
            Reply::Refused(reason) => respond.send_reset(reason),
            Reply::Open(head, piece) => {
                let mut data = respond.send_response(head, false).unwrap();
                data.send_data(piece, false).unwrap();
                std::future::pending().await
            }
            Reply::Silence => std::future::pending().await,
        }
    }
}

/// An answer of 200 with these fields.
pub fn ok(fields: &[(&'static str, &'static str)]) -> Response<()> {
    let mut response = Response::new(());
    response.headers_mut().extend(map(fields));
    response
}

pub fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}
