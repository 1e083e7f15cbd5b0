//! Accepts callers and serves each connection until it closes.
//!
//! Every worker listens on the same socket, on one thread with a runtime of its own. Whoever is idle accepts first; where
//! another worker has fewer callers, the connection is brought there ([`crate::desks`]). From then on it stays: a call
//! never crosses threads.

use std::future::poll_fn;
use std::net::{IpAddr, TcpListener as StdTcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::caller::Peer;
use crate::connection::Connection;
use crate::desks::{Brought, Desks, Seat};
use crate::http2;
use crate::places::{Place, Places};
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::settings::Settings;
use crate::tls::Server;

/// After an accept that failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Where callers come in.
pub(crate) struct Listeners {
    pub(crate) plain: StdTcpListener,
    pub(crate) tls: Option<(StdTcpListener, Server)>,
}

impl Listeners {
    /// The same sockets once more.
    pub(crate) fn try_clone(&self) -> std::io::Result<Self> {
        let tls = match &self.tls {
            Some((listener, server)) => Some((listener.try_clone()?, server.clone())),
            None => None,
        };
        Ok(Self { plain: self.plain.try_clone()?, tls })
    }
}

/// What all workers share.
pub(crate) struct Front {
    pub(crate) settings: Arc<Settings>,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) places: Arc<Places>,
    pub(crate) desks: Arc<Desks>,
    /// Every connection is a task of it.
    pub(crate) connections: TaskTracker,
    /// Cancelled when no further caller is accepted.
    pub(crate) stop_accepting: CancellationToken,
    /// Cancelled when whoever is still served is cut off.
    pub(crate) stop: CancellationToken,
}

impl Front {
    /// One worker with the desk of this number, until it is stopped; to be run on a runtime of one thread.
    pub(crate) async fn work(
        self: Arc<Self>,
        (number, brought): (usize, UnboundedReceiver<Brought>),
        listeners: Listeners,
        accepting: TaskTracker,
    ) {
        let Listeners { plain, tls } = listeners;
        let server = tls.as_ref().map(|(_, server)| server.clone());
        let pool = Arc::new(Pool::new(self.settings.upstream_roots.as_deref()));
        let desk = Desk { front: Arc::clone(&self), number, pool, server };
        let plain = accepting.track_future(desk.accept(plain, false));
        let tls = tls.map(|(listener, _)| accepting.track_future(desk.accept(listener, true)));
        let tls = async {
            if let Some(tls) = tls {
                tls.await;
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = async { tokio::join!(plain, tls, desk.receive(brought), desk.pool.sweep(self.settings.give_back)); } => {}
        }
    }

    /// The next caller that may stay.
    async fn next(&self, listener: &TcpListener) -> std::io::Result<(TcpStream, IpAddr, Place)> {
        loop {
            let (stream, address) = listener.accept().await?;
            if let Some(share) = self.places.share(address.ip()) {
                let place = self.places.take(share).await?;
                return Ok((stream, address.ip(), place));
            }
        }
    }

    /// A caller on the TLS listener.
    async fn serve_tls(
        &self,
        server: Server,
        stream: TcpStream,
        address: IpAddr,
        place: Place,
        pool: Arc<Pool>,
    ) {
        // Whoever is slow with its handshake is among the first to make room.
        let shaken = tokio::select! {
            shaken = server.shake_hands(stream) => shaken,
            () = poll_fn(|cx| place.poll_leave(cx, false)) => None,
        };
        let Some(agreed) = shaken else { return };
        let peer = match &agreed.client {
            Some(certificate) => Peer::with_certificate(address, "https", certificate),
            None => Peer::new(address, "https"),
        };
        if agreed.is_h2 {
            http2::serve(agreed.stream, peer, place, &self.settings, &self.proxy, &pool).await;
        } else {
            let connection = Connection::new(agreed.stream, peer, place, &self.settings);
            connection.serve(&self.proxy, &pool).await;
        }
    }

    /// A caller who may begin with the preface of HTTP/2, which no request of HTTP/1 can be taken for.
    async fn serve_either(&self, stream: TcpStream, address: IpAddr, place: Place, pool: Arc<Pool>) {
        let peer = Peer::new(address, "http");
        let is_h2 = tokio::select! {
            is_h2 = tokio::time::timeout(self.settings.head_timeout, http2::begins_with_preface(&stream)) => {
                is_h2.unwrap_or(false)
            }
            () = poll_fn(|cx| place.poll_leave(cx, false)) => return,
        };
        if is_h2 {
            http2::serve(stream, peer, place, &self.settings, &self.proxy, &pool).await;
        } else {
            Connection::new(stream, peer, place, &self.settings).serve(&self.proxy, &pool).await;
        }
    }
}

/// Where one worker serves.
struct Desk {
    front: Arc<Front>,
    number: usize,
    pool: Arc<Pool>,
    /// For callers who speak TLS.
    server: Option<Server>,
}

impl Desk {
    async fn accept(&self, listener: StdTcpListener, speaks_tls: bool) {
        let front = &self.front;
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "the gateway's listener cannot be used"),
        };
        loop {
            let accepted = tokio::select! {
                biased;
                () = front.stop_accepting.cancelled() => return,
                accepted = front.next(&listener) => accepted,
            };
            let taken = accepted.and_then(|(stream, address, place)| {
                let seat = front.desks.seat(self.number);
                if seat.is_at(self.number) {
                    self.serve(stream, address, place, speaks_tls, seat);
                } else {
                    let (stream, awaited) = (stream.into_std()?, front.connections.token());
                    Brought { stream, address, place, speaks_tls, seat, awaited }.go();
                }
                Ok(())
            });
            if let Err(error) = taken {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    /// Serves whom other workers bring.
    async fn receive(&self, mut brought: UnboundedReceiver<Brought>) {
        while let Some(Brought { stream, address, place, speaks_tls, seat, awaited }) = brought.recv().await {
            match TcpStream::from_std(stream) {
                Ok(stream) => self.serve(stream, address, place, speaks_tls, seat),
                Err(error) => tracing::warn!(%error, "cannot serve a connection"),
            }
            drop(awaited);
        }
    }

    /// Serves a caller until it leaves, beside the others; until then its seat is taken, and it is waited for. Each way is
    /// made where it runs: a task is not moved once it is large.
    fn serve(&self, stream: TcpStream, address: IpAddr, place: Place, speaks_tls: bool, seat: Seat) {
        let (front, pool) = (Arc::clone(&self.front), Arc::clone(&self.pool));
        let present = (seat, front.connections.token());
        match &self.server {
            Some(server) if speaks_tls => {
                let server = server.clone();
                tokio::spawn(async move {
                    front.serve_tls(server, stream, address, place, pool).await;
                    drop(present);
                });
            }
            _ if front.settings.h2c => {
                tokio::spawn(async move {
                    front.serve_either(stream, address, place, pool).await;
                    drop(present);
                });
            }
            _ => {
                tokio::spawn(async move {
                    let peer = Peer::new(address, "http");
                    Connection::new(stream, peer, place, &front.settings).serve(&front.proxy, &pool).await;
                    drop(present);
                });
            }
        }
    }
}
