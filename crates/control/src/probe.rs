//! Whether a service can be reached: a look from here, which tells an operator more than a failed call does.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpStream, lookup_host};
use tollgate_domain::ServiceId;

use crate::services::is_metadata_address;
use crate::{Action, Actor, Control, Result};

/// Longer than this nobody waits on a page.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// What a look at one target found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetProbe {
    /// The target's URL.
    pub url: String,
    /// The address that took the connection and how long that took, or why none did.
    pub found: std::result::Result<(SocketAddr, Duration), String>,
}

impl Control {
    /// Opens a TCP connection to every target of a service and closes it again: no request is sent. This is the control
    /// plane's view; gateways elsewhere may see another network.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn probe_service(&self, actor: &Actor, id: ServiceId) -> Result<Vec<TargetProbe>> {
        actor.authorize(Action::Publish)?;
        let service = self.store.get_service(id).await?;
        let wait = Duration::from_millis(u64::from(service.connect_timeout_ms.unsigned_abs())).min(WAIT_MAX);
        let looks = service.targets.into_iter().take(16).map(|target| async move {
            let found = match tokio::time::timeout(wait, reach(&target.url, target.weight)).await {
                Ok(found) => found,
                Err(_) => Err(format!("no answer within {} ms", wait.as_millis())),
            };
            TargetProbe { url: target.url, found }
        });
        let mut probes = Vec::new();
        // At once: sixteen that are silent take no longer than one.
        let tasks: Vec<_> = looks.map(tokio::spawn).collect();
        for task in tasks {
            probes.push(task.await.map_err(|error| crate::Error::Internal(Box::new(error)))?);
        }
        Ok(probes)
    }
}

async fn reach(url: &str, weight: u16) -> std::result::Result<(SocketAddr, Duration), String> {
    let target = tollgate_engine::parse_target(url, weight).map_err(|fault| fault.to_string())?;
    let addresses = lookup_host((&*target.host, target.port)).await;
    let addresses: Vec<SocketAddr> =
        addresses.map_err(|_| "the name cannot be resolved".to_owned())?.collect();
    let mut last = "the name has no address".to_owned();
    for address in addresses {
        if is_metadata_address(address.ip()) {
            return Err("the name leads to a link-local address, which is never an upstream".to_owned());
        }
        let began = Instant::now();
        match TcpStream::connect(address).await {
            Ok(_) => return Ok((address, began.elapsed())),
            Err(error) => last = format!("{address}: {}", plain(&error)),
        }
    }
    Err(last)
}

fn plain(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "nothing listens there (connection refused)",
        std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable => "no way leads there",
        std::io::ErrorKind::TimedOut => "no answer in time",
        _ => "the connection failed",
    }
}
