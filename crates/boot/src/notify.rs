//! Tells systemd that the process is ready, and that it is the main one from now on (`Type=notify`, sd_notify(3)).

use std::os::unix::net::UnixDatagram;

/// Says that the process is ready, where somebody wants to know (`NOTIFY_SOCKET`).
pub fn ready() {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let message = format!("READY=1\nMAINPID={}", std::process::id());
    let said = UnixDatagram::unbound().and_then(|from| {
        #[cfg(target_os = "linux")]
        if let Some(name) = std::os::unix::ffi::OsStrExt::as_bytes(socket.as_os_str()).strip_prefix(b"@") {
            use std::os::linux::net::SocketAddrExt;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            return from.send_to_addr(message.as_bytes(), &address);
        }
        from.send_to(message.as_bytes(), &socket)
    });
    if let Err(error) = said {
        tracing::warn!(%error, "cannot tell the service manager that the process is ready");
    }
}
