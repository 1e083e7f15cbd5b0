//! The way to a target: its address, its timeouts, and what its failures mean.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use pingora_core::protocols::l4::socket::SocketAddr;
use pingora_core::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy, PeerOptions, Scheme};
use pingora_core::{Error, ErrorSource, ErrorType};
use tollgate_engine::Denial;
use tollgate_engine::snapshot::{Service, Target};

use crate::resolve::{Addresses, Resolver};

/// For the TLS handshake, on top of the connection.
const TLS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept. Shorter than what common servers keep theirs, so that they rarely close
/// one that is just being used.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// One target of a service, ready to be connected to.
pub(crate) struct Destination {
    addresses: Arc<Addresses>,
    scheme: Scheme,
    /// The name that TLS verifies; Pingora would verify nothing without one.
    sni: String,
    /// The value of `Host`.
    pub(crate) authority: HeaderValue,
    /// What stands before every forwarded path.
    pub(crate) path_prefix: Box<str>,
    options: PeerOptions,
}

impl Destination {
    pub(crate) fn new(service: &Service, target: &Target, resolver: &Resolver) -> Self {
        let connect = Duration::from_millis(service.connect_timeout_ms.into());
        let read = Duration::from_millis(service.read_timeout_ms.into());
        let mut options = PeerOptions::new();
        options.connection_timeout = Some(connect);
        options.total_connection_timeout = Some(connect + TLS_TIMEOUT);
        options.read_timeout = Some(read);
        options.write_timeout = Some(read);
        options.idle_timeout = Some(IDLE_TIMEOUT);
        // Upgraded connections would outlive every limit and revocation; they need a feature of their own.
        options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        Self {
            addresses: resolver.addresses(&target.host, target.port),
            scheme: Scheme::from_tls_bool(target.tls),
            sni: if target.tls { target.host.to_string() } else { String::new() },
            authority: HeaderValue::from_str(&target.authority)
                .unwrap_or_else(|_| HeaderValue::from_static("invalid")),
            path_prefix: target.path_prefix.clone(),
            options,
        }
    }

    /// A peer at its next address; none while its name is not resolved.
    pub(crate) fn peer(&self) -> Option<Box<HttpPeer>> {
        let address = self.addresses.next()?;
        Some(Box::new(HttpPeer {
            _address: SocketAddr::Inet(address),
            scheme: self.scheme.clone(),
            sni: self.sni.clone(),
            proxy: None,
            client_cert_key: None,
            group_key: 0,
            options: self.options.clone(),
        }))
    }
}

/// How a call failed that was on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// To be answered with this.
    Denied(Denial),
    /// The request itself broke the rules while its body came in.
    BadRequest,
    /// The caller is gone; nobody is left to answer.
    CallerGone,
}

/// Reads Pingora's errors. Nothing of their text ever reaches a caller: it may quote the upstream.
pub(crate) fn failure_of(error: &Error) -> Failure {
    use ErrorType::{
        BindError, ConnectError, ConnectNoRoute, ConnectRefused, ConnectTimedout, ConnectionClosed,
        HTTPStatus, InternalError, InvalidCert, ReadError, ReadTimedout, SocketError, TLSHandshakeFailure,
        TLSHandshakeTimedout, TLSWantX509Lookup, WriteError, WriteTimedout,
    };
    let denial = match (error.esource(), error.etype()) {
        (_, HTTPStatus(413)) => Denial::BodyTooLarge,
        (ErrorSource::Upstream, ConnectTimedout | TLSHandshakeTimedout | ReadTimedout | WriteTimedout) => {
            Denial::UpstreamTimeout
        }
        (
            ErrorSource::Upstream,
            ConnectRefused | ConnectNoRoute | ConnectError | BindError | SocketError | InternalError
            | InvalidCert | TLSHandshakeFailure | TLSWantX509Lookup,
        ) => Denial::UpstreamUnreachable,
        (ErrorSource::Upstream, _) => Denial::UpstreamFailed,
        (
            ErrorSource::Downstream,
            ReadError | WriteError | ConnectionClosed | ReadTimedout | WriteTimedout,
        ) => return Failure::CallerGone,
        (ErrorSource::Downstream, _) => return Failure::BadRequest,
        (ErrorSource::Internal | ErrorSource::Unset, _) => Denial::Internal,
    };
    Failure::Denied(denial)
}
