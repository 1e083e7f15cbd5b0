//! The way to a target: its address, its timeouts, and a connection to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pingora_core::connectors::TransportConnector;
use pingora_core::protocols::l4::socket::SocketAddr as PeerAddress;
use pingora_core::upstreams::peer::{ALPN, HttpPeer, PeerOptions, Scheme};
use pingora_core::{Error, ErrorType};
use tokio::net::TcpStream;
use tollgate_domain::ServiceProtocol;
use tollgate_engine::Denial;
use tollgate_engine::snapshot::{Service, Target};

use crate::health::Health;
use crate::link::{Io, Link};
use crate::resolve::{Addresses, Resolver};

/// For the TLS handshake, on top of the connection.
const TLS_TIMEOUT: Duration = Duration::from_secs(5);

/// One target of a service, ready to be connected to.
pub(crate) struct Destination {
    addresses: Arc<Addresses>,
    /// What TLS needs; none for a plain connection.
    tls: Option<Tls>,
    /// The value of `Host`.
    pub(crate) authority: Box<str>,
    /// What stands before every forwarded path.
    pub(crate) path_prefix: Box<str>,
    pub(crate) connect_timeout: Duration,
    /// How it is spoken to.
    pub(crate) protocol: ServiceProtocol,
    /// How long an answer is waited for, and any part of it.
    pub(crate) read_timeout: Duration,
}

struct Tls {
    /// The name that is verified; Pingora would verify nothing without one.
    name: String,
    options: PeerOptions,
}

/// What connections can be used alike: those to one place, spoken to in one way.
pub(crate) type PlaceKey = (u64, bool);

impl Destination {
    pub(crate) fn new(service: &Service, target: &Target, resolver: &Resolver) -> Self {
        let connect_timeout = Duration::from_millis(service.connect_timeout_ms.into());
        let tls = target.tls.then(|| {
            let mut options = PeerOptions::new();
            options.connection_timeout = Some(connect_timeout);
            if service.protocol == ServiceProtocol::H2 {
                options.alpn = ALPN::H2;
            }
            options.total_connection_timeout = Some(connect_timeout + TLS_TIMEOUT);
            Tls { name: target.host.to_string(), options }
        });
        Self {
            addresses: resolver.addresses(&target.host, target.port),
            tls,
            authority: target.authority.clone(),
            path_prefix: target.path_prefix.clone(),
            connect_timeout,
            protocol: service.protocol,
            read_timeout: Duration::from_millis(service.read_timeout_ms.into()),
        }
    }

    /// Its next address; none while its name is not resolved.
    pub(crate) fn next_address(&self) -> Option<SocketAddr> {
        self.addresses.next()
    }

    /// How it does.
    pub(crate) fn health(&self) -> &Health {
        &self.addresses.health
    }

    /// What its connections are kept under.
    pub(crate) fn place(&self) -> PlaceKey {
        (self.addresses.number, self.tls.is_some())
    }

    /// What it is spoken to with, as a URL says it.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Opens a connection for HTTP/1.
    pub(crate) async fn connect(
        &self,
        address: SocketAddr,
        connector: &TransportConnector,
    ) -> Result<Link, Denial> {
        Ok(Link::new(self.open(address, connector).await?, address))
    }

    /// Opens a connection.
    pub(crate) async fn open(
        &self,
        address: SocketAddr,
        connector: &TransportConnector,
    ) -> Result<Io, Denial> {
        Ok(match &self.tls {
            None => {
                let connecting = tokio::time::timeout(self.connect_timeout, TcpStream::connect(address));
                let stream = connecting
                    .await
                    .map_err(|_| Denial::UpstreamTimeout)?
                    .map_err(|_| Denial::UpstreamUnreachable)?;
                // A failure here means that it is gone already; the first read will tell.
                let _ = stream.set_nodelay(true);
                Io::Plain(stream)
            }
            Some(tls) => {
                let peer = HttpPeer {
                    _address: PeerAddress::Inet(address),
                    scheme: Scheme::HTTPS,
                    sni: tls.name.clone(),
                    proxy: None,
                    client_cert_key: None,
                    group_key: 0,
                    options: tls.options.clone(),
                };
                let stream = connector.new_stream(&peer).await.map_err(|error| denial_of(&error))?;
                if self.protocol == ServiceProtocol::H2 && stream.selected_alpn_proto() != Some(ALPN::H2) {
                    return Err(Denial::UpstreamFailed);
                }
                Io::Tls(stream)
            }
        })
    }
}

/// Reads Pingora's errors. Nothing of their text ever reaches a caller: it may quote the upstream.
fn denial_of(error: &Error) -> Denial {
    match error.etype() {
        ErrorType::ConnectTimedout | ErrorType::TLSHandshakeTimedout => Denial::UpstreamTimeout,
        _ => Denial::UpstreamUnreachable,
    }
}
