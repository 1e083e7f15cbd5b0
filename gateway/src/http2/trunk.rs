//! Connections to upstreams that are spoken to by HTTP/2: many calls share one.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use tokio::time::{Instant, timeout};
use tollgate_engine::Denial;

use crate::link::Io;

const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
const HEAD_BYTES_MAX: u32 = 64 * 1024;
const HELD_BYTES_MAX: usize = 64 * 1024;
/// Calls on one connection where the upstream allows more; beyond them another one is opened.
const CALLS_MAX: usize = 250;

/// One connection; the worker that opened it drives it.
pub(crate) struct Trunk {
    send: SendRequest<Bytes>,
    pub(crate) address: SocketAddr,
    calls: Arc<AtomicUsize>,
    pub(crate) used: Instant,
}

/// A call's share of a connection, given back when dropped.
pub(crate) struct Lane {
    pub(crate) send: SendRequest<Bytes>,
    calls: Arc<AtomicUsize>,
}

impl Trunk {
    /// Begins to speak on a transport that is ready.
    pub(crate) async fn begin(io: Io, address: SocketAddr, patience: Duration) -> Result<Self, Denial> {
        let mut builder = Builder::new();
        builder
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEAD_BYTES_MAX)
            .max_send_buffer_size(HELD_BYTES_MAX);
        let shaken = timeout(patience, builder.handshake(io)).await.map_err(|_| Denial::UpstreamTimeout)?;
        let (send, connection) = shaken.map_err(|_| Denial::UpstreamFailed)?;
        tokio::spawn(async move {
            // Its calls see how it ends.
            let _ = connection.await;
        });
        Ok(Self { send, address, calls: Arc::default(), used: Instant::now() })
    }

    /// A share for one more call; none where it is full.
    pub(crate) fn lane(&mut self) -> Option<Lane> {
        let most = self.send.current_max_send_streams().clamp(1, CALLS_MAX);
        if self.calls.load(Ordering::Relaxed) >= most {
            return None;
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.used = Instant::now();
        Some(Lane { send: self.send.clone(), calls: Arc::clone(&self.calls) })
    }

    /// Whether it takes further calls: the upstream has neither gone nor said that it goes.
    pub(crate) fn is_open(&mut self) -> bool {
        let ready = self.send.poll_ready(&mut Context::from_waker(Waker::noop()));
        !matches!(ready, Poll::Ready(Err(_)))
    }

    /// Whether no call is on it.
    pub(crate) fn is_idle(&self) -> bool {
        self.calls.load(Ordering::Relaxed) == 0
    }
}

impl Lane {
    /// Waits until a stream may be opened.
    pub(crate) async fn ready(&mut self) -> Result<(), Denial> {
        poll_fn(|cx| self.send.poll_ready(cx)).await.map_err(|_| Denial::UpstreamFailed)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.calls.fetch_sub(1, Ordering::Relaxed);
    }
}
