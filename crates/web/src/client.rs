//! Where a request comes from, through whichever proxies the operator trusts.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use tollgate_boot::TrustedProxies;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of who asks; none where the server did not say who the peer is ([`crate::serve`] does).
#[must_use]
pub fn client_address(trusted: &TrustedProxies, request: &Parts) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions.get::<ConnectInfo<SocketAddr>>()?;
    let fields = request.headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes);
    Some(trusted.client_address(peer.ip(), fields))
}
