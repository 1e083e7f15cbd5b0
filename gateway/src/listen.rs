//! Accepts callers and serves each connection request by request until it closes.
//!
//! Pingora's own listener is not used: it neither bounds the number of connections nor lets the port be 0, and it stops
//! listening the moment a shutdown begins.

use std::sync::Arc;
use std::time::Duration;

use pingora_core::apps::HttpServerApp;
use pingora_core::protocols::Stream;
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::Connection;
use crate::places::{Place, Places};
use crate::reply::Unreadable;
use crate::settings::Settings;

/// After an accept that failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Accepts until `stop`; every connection is a task of `connections`. `shutdown` turning true ends keep-alive.
pub(crate) async fn accept<A>(
    listener: TcpListener,
    app: Arc<A>,
    (settings, places): (Arc<Settings>, Arc<Places>),
    unreadable: Arc<Unreadable>,
    connections: TaskTracker,
    shutdown: ShutdownWatch,
    stop: CancellationToken,
) where
    A: HttpServerApp + Send + Sync + 'static,
{
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = next(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, place)) => {
                // A failure here means that the caller is gone already; the first read will tell.
                let _ = stream.set_nodelay(true);
                let connection = Connection::new(stream, place, &settings, Arc::clone(&unreadable));
                connections.spawn(serve(Box::new(connection), Arc::clone(&app), shutdown.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The next caller that may stay.
async fn next(listener: &TcpListener, places: &Arc<Places>) -> std::io::Result<(TcpStream, Place)> {
    loop {
        let (stream, peer) = listener.accept().await?;
        if let Some(share) = places.share(peer.ip()) {
            return Ok((stream, places.take(share).await?));
        }
    }
}

async fn serve<A>(stream: Stream, app: Arc<A>, shutdown: ShutdownWatch)
where
    A: HttpServerApp + Send + Sync + 'static,
{
    let mut session = ServerSession::new_http1(stream);
    while let Some(reused) = app.process_new_http(session, &shutdown).await {
        let (stream, settings) = reused.consume();
        if let Some(connection) = (*stream).as_any().downcast_ref::<Connection>() {
            connection.await_next_head();
        }
        session = ServerSession::new_http1(stream);
        if let Some(settings) = settings {
            settings.apply_to_session(&mut session);
        }
    }
}
