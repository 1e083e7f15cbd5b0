//! Accepts callers and serves each connection until it closes.
//!
//! Every worker listens on the same socket and serves what it accepts itself, on one thread with a runtime of its own: a
//! call never crosses threads. Whoever is idle accepts first, so no distribution is needed.

use std::net::TcpListener as StdTcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::caller::Peer;
use crate::connection::Connection;
use crate::places::{Place, Places};
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::settings::Settings;

/// After an accept that failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What all workers share.
pub(crate) struct Front {
    pub(crate) settings: Arc<Settings>,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) places: Arc<Places>,
    /// Every connection is a task of it.
    pub(crate) connections: TaskTracker,
    /// Cancelled when no further caller is accepted.
    pub(crate) stop_accepting: CancellationToken,
    /// Cancelled when whoever is still served is cut off.
    pub(crate) stop: CancellationToken,
}

impl Front {
    /// One worker, until it is stopped; to be run on a runtime of one thread.
    pub(crate) async fn work(self: Arc<Self>, listener: StdTcpListener, accepting: TaskTracker) {
        let pool = Arc::new(Pool::new());
        let accept = accepting.track_future(Arc::clone(&self).accept(listener, Arc::clone(&pool)));
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = async { tokio::join!(accept, pool.sweep()); } => {}
        }
    }

    async fn accept(self: Arc<Self>, listener: StdTcpListener, pool: Arc<Pool>) {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "the gateway's listener cannot be used"),
        };
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop_accepting.cancelled() => return,
                accepted = self.next(&listener) => accepted,
            };
            match accepted {
                Ok((stream, peer, place)) => {
                    // A failure here means that the caller is gone already; the first read will tell.
                    let _ = stream.set_nodelay(true);
                    let connection = Connection::new(stream, peer, place, &self.settings);
                    let (proxy, pool) = (Arc::clone(&self.proxy), Arc::clone(&pool));
                    self.connections.spawn(async move { connection.serve(&proxy, &pool).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// The next caller that may stay.
    async fn next(&self, listener: &TcpListener) -> std::io::Result<(TcpStream, Peer, Place)> {
        loop {
            let (stream, address) = listener.accept().await?;
            if let Some(share) = self.places.share(address.ip()) {
                let place = self.places.take(share).await?;
                return Ok((stream, Peer::new(address.ip(), "http"), place));
            }
        }
    }
}
