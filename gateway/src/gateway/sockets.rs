//! The sockets that a gateway listens on: its own, or those of the process that it takes over from.

use std::net::{SocketAddr, TcpListener as StdTcpListener};

use tokio::net::TcpSocket;

use super::StartError;
use crate::handover::Inheritance;

/// Connections that wait in the kernel to be accepted; more than that is only noise (`net.core.somaxconn` caps it).
const BACKLOG: u32 = 4096;

/// An inherited socket, where it has the address that is wanted; else a new one.
pub(super) fn socket(
    inherited: &mut Option<Inheritance>,
    name: &str,
    address: SocketAddr,
) -> Result<StdTcpListener, StartError> {
    if let Some(fd) = inherited.as_mut().and_then(|from| from.take(name)) {
        let listener = StdTcpListener::from(fd);
        if address.port() == 0 || listener.local_addr()? == address {
            return Ok(listener);
        }
    }
    bind(address)
}

fn bind(address: SocketAddr) -> Result<StdTcpListener, StartError> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart must not wait for old connections to be forgotten.
        socket.set_reuseaddr(true)?;
        // What is accepted has it from here: a system call less for each connection.
        socket.set_nodelay(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    listen().map_err(|error| StartError::Listen { address, error })
}
