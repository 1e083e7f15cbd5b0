//! A caller's TCP connection as Pingora wants it, with a deadline for the request head.
//!
//! Pingora's own timer starts anew with every read, so a head dripped byte by byte is never cut (and after the
//! first request of a connection there is no timer at all). Here the clock starts with the first byte of a head, or
//! with the connection, and the proxy stops it when the head is complete.

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use pingora_core::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest,
    UniqueID, UniqueIDType, raw_connect::ProxyDigest,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufStream, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::reply::Unreadable;
use crate::settings::Settings;

/// Both ways; 8 KiB keep an idle connection small.
const BUFFER_BYTES: usize = 8 * 1024;

/// One caller's connection.
pub(crate) struct Connection {
    io: BufStream<TcpStream>,
    fd: i32,
    digest: Arc<SocketDigest>,
    established: SystemTime,
    head_timeout: Duration,
    idle_timeout: Duration,
    /// False while a request head is awaited or being read.
    head_complete: AtomicBool,
    /// Counts the heads that were asked for on this connection.
    heads: AtomicU32,
    /// Which head the clock below is for.
    clocked_head: u32,
    /// Whether the present head has begun to arrive.
    head_begun: bool,
    deadline: Instant,
    /// Set to `deadline` only when there is something to wait for: most heads come in one piece.
    timer: Pin<Box<Sleep>>,
    unreadable: Arc<Unreadable>,
    /// Whether `unreadable` has answered.
    refused: bool,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Takes over an accepted socket; `permit` is given back when the connection closes.
    pub(crate) fn new(
        stream: TcpStream,
        permit: OwnedSemaphorePermit,
        settings: &Settings,
        unreadable: Arc<Unreadable>,
    ) -> Self {
        let Settings { head_timeout, idle_timeout, .. } = *settings;
        let fd = stream.as_raw_fd();
        Self {
            io: BufStream::with_capacity(BUFFER_BYTES, BUFFER_BYTES, stream),
            fd,
            digest: Arc::new(SocketDigest::from_raw_fd(fd)),
            established: SystemTime::now(),
            head_timeout,
            idle_timeout,
            head_complete: AtomicBool::new(false),
            heads: AtomicU32::new(0),
            clocked_head: 0,
            // A new connection owes its head at once: there is no idle time before the first one.
            head_begun: true,
            deadline: Instant::now() + head_timeout,
            timer: Box::pin(sleep_until(Instant::now() + head_timeout)),
            unreadable,
            refused: false,
            _permit: permit,
        }
    }

    /// Stops the clock: the head has been read, bodies have their own timers.
    pub(crate) fn head_is_complete(&self) {
        self.head_complete.store(true, Ordering::Relaxed);
    }

    /// Starts the clock for the next request of a kept connection.
    pub(crate) fn await_next_head(&self) {
        self.heads.fetch_add(1, Ordering::Relaxed);
        self.head_complete.store(false, Ordering::Relaxed);
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.timer.deadline() != self.deadline {
            self.timer.as_mut().reset(self.deadline);
        }
        self.timer.as_mut().poll(cx)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if *this.head_complete.get_mut() {
            return Pin::new(&mut this.io).poll_read(cx, buf);
        }
        let head = *this.heads.get_mut();
        if head != this.clocked_head {
            this.clocked_head = head;
            this.head_begun = false;
            this.deadline = Instant::now() + this.idle_timeout;
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.io).poll_read(cx, buf) {
            Poll::Ready(result) => {
                if buf.filled().len() > before && !this.head_begun {
                    this.head_begun = true;
                    this.deadline = Instant::now() + this.head_timeout;
                }
                Poll::Ready(result)
            }
            Poll::Pending => this.poll_deadline(cx).map(|()| Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if *this.head_complete.get_mut() {
            return Pin::new(&mut this.io).poll_write(cx, buf);
        }
        // Pingora answers before the proxy was asked: it refuses. We do that in its place, and swallow its words.
        if !this.refused {
            let answer = this.unreadable.answer(buf);
            // Nothing else was written since the last flush, so the buffer takes it whole.
            ready!(Pin::new(&mut this.io).poll_write(cx, &answer))?;
            this.refused = true;
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for Connection {
    async fn shutdown(&mut self) {
        // The other side may be gone already; there is nobody left to tell.
        let _ = AsyncWriteExt::shutdown(&mut self.io).await;
    }
}

impl UniqueID for Connection {
    fn id(&self) -> UniqueIDType {
        self.fd
    }
}

impl Ssl for Connection {}

impl GetTimingDigest for Connection {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        vec![Some(TimingDigest { established_ts: self.established, ..Default::default() })]
    }
}

impl GetProxyDigest for Connection {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        None
    }
}

impl GetSocketDigest for Connection {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        Some(Arc::clone(&self.digest))
    }
}

impl Peek for Connection {}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("fd", &self.fd).finish_non_exhaustive()
    }
}
