//! Taking addresses, with an error that says which setting to change.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

/// Binds an address that `flag` named.
///
/// # Errors
/// One sentence with the address, the reason, and the flag and variable to change.
pub async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let variable = format!("TOLLGATE_{}", flag.to_uppercase().replace('-', "_"));
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another with --{flag} or {variable}"))?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// The URL of a listener, as somebody on this machine reaches it.
pub fn url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", address.port())
    } else {
        format!("http://{address}")
    }
}
