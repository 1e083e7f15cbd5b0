//! A caller's TCP connection as Pingora wants it: strict in what it hands on, with deadlines for heads and bodies.
//!
//! Pingora's own timer starts anew with every read, so what is dripped byte by byte is never cut (and after the first
//! request of a connection there is no timer at all). Here a head's clock starts with its first byte, or with the
//! connection; a body's runs while it is waited for, and every byte that came wins some time back.

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
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};
use tollgate_engine::head::BadHead;

use crate::intake::{Fault, Intake};
use crate::places::Place;
use crate::reply::Unreadable;
use crate::settings::Settings;

/// For answers; requests have the intake's.
const BUFFER_BYTES: usize = 8 * 1024;
/// How long, and how much of, what a caller still sends is read and forgotten after its refusal. Closing on unread
/// bytes would reset the connection, and the refusal might be lost with it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 4 << 20;

/// How a body failed while it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// It breaks its framing.
    Malformed,
    /// It stopped, or came too slowly.
    TooSlow,
}

/// How fast a caller must send.
#[derive(Debug, Clone, Copy)]
struct Pace {
    head_timeout: Duration,
    idle_timeout: Duration,
    half_close_timeout: Duration,
    patience: Duration,
    rate_min: u64,
}

/// One caller's connection.
pub(crate) struct Connection {
    /// Taken only when the connection is dropped.
    io: Option<BufWriter<TcpStream>>,
    fd: i32,
    digest: Arc<SocketDigest>,
    established: SystemTime,
    intake: Intake,
    pace: Pace,
    /// False while the proxy has not seen a request head.
    head_complete: AtomicBool,
    /// Counts the heads that were asked for on this connection.
    heads: AtomicU32,
    /// Which head the intake is at.
    present_head: u32,
    /// Whether the present head has begun to arrive.
    head_begun: bool,
    /// What is left of the time that the present body may be waited for; the deadline while it is.
    patience: Duration,
    waiting: bool,
    half_closed: bool,
    deadline: Instant,
    /// Set to `deadline` only when there is something to wait for: most heads come in one piece.
    timer: Pin<Box<Sleep>>,
    body_fault: Option<BodyFault>,
    unreadable: Arc<Unreadable>,
    /// Our answer to a head that was refused, as far as it is not written.
    refusal: Option<Vec<u8>>,
    /// Whether a head was refused and answered.
    refused: bool,
    /// Taken only when the connection is dropped.
    place: Option<Place>,
}

impl Connection {
    /// Takes over an accepted socket; its place is given back when the connection closes.
    pub(crate) fn new(
        stream: TcpStream,
        place: Place,
        settings: &Settings,
        unreadable: Arc<Unreadable>,
    ) -> Self {
        let pace = Pace {
            head_timeout: settings.head_timeout,
            idle_timeout: settings.idle_timeout,
            half_close_timeout: settings.half_close_timeout,
            patience: settings.body_patience,
            rate_min: settings.body_rate_min.max(1),
        };
        let fd = stream.as_raw_fd();
        let deadline = Instant::now() + pace.head_timeout;
        Self {
            io: Some(BufWriter::with_capacity(BUFFER_BYTES, stream)),
            fd,
            digest: Arc::new(SocketDigest::from_raw_fd(fd)),
            established: SystemTime::now(),
            intake: Intake::default(),
            pace,
            head_complete: AtomicBool::new(false),
            heads: AtomicU32::new(0),
            present_head: 0,
            // A new connection owes its head at once: there is no idle time before the first one.
            head_begun: true,
            patience: pace.patience,
            waiting: false,
            half_closed: false,
            deadline,
            timer: Box::pin(sleep_until(deadline)),
            body_fault: None,
            unreadable,
            refusal: None,
            refused: false,
            place: Some(place),
        }
    }

    /// The proxy has a request head: from now on what Pingora writes is an answer.
    pub(crate) fn head_is_complete(&self) {
        self.head_complete.store(true, Ordering::Relaxed);
        if let Some(place) = &self.place {
            place.serves();
        }
    }

    /// The next request of a kept connection may come.
    pub(crate) fn await_next_head(&self) {
        self.heads.fetch_add(1, Ordering::Relaxed);
        self.head_complete.store(false, Ordering::Relaxed);
        if let Some(place) = &self.place {
            place.waits();
        }
    }

    /// Why the present body ended before its end.
    pub(crate) const fn body_fault(&self) -> Option<BodyFault> {
        self.body_fault
    }

    fn io(&mut self) -> Pin<&mut BufWriter<TcpStream>> {
        Pin::new(self.io.as_mut().expect("taken only when the connection is dropped"))
    }

    fn socket(&mut self) -> &mut TcpStream {
        self.io.as_mut().expect("taken only when the connection is dropped").get_mut()
    }

    fn begin_next(&mut self, head: u32) {
        self.present_head = head;
        self.intake.begin_next();
        self.head_begun = self.intake.has_more();
        self.patience = self.pace.patience;
        self.waiting = false;
        self.body_fault = None;
        let time = if self.head_begun { self.pace.head_timeout } else { self.pace.idle_timeout };
        self.deadline = Instant::now() + time;
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.timer.deadline() != self.deadline {
            self.timer.as_mut().reset(self.deadline);
        }
        self.timer.as_mut().poll(cx)
    }

    /// Reads from the socket, into the buffer or past it. The number of bytes; 0 at the end of the stream.
    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let socket = self.io.as_mut().expect("taken only when the connection is dropped").get_mut();
        let past = usize::try_from(self.intake.unwatched()).unwrap_or(usize::MAX).min(buf.remaining());
        if past > 0 {
            let mut part = ReadBuf::new(buf.initialize_unfilled_to(past));
            ready!(Pin::new(socket).poll_read(cx, &mut part))?;
            let bytes = part.filled().len();
            buf.advance(bytes);
            self.intake.went_past(bytes);
            return Poll::Ready(Ok(bytes));
        }
        let mut space = ReadBuf::new(self.intake.space());
        ready!(Pin::new(socket).poll_read(cx, &mut space))?;
        let bytes = space.filled().len();
        self.intake.received(bytes);
        Poll::Ready(Ok(bytes))
    }

    /// Keeps the clocks: a head's runs from its first byte, a body's only while it is waited for.
    fn came(&mut self, bytes: usize) {
        if self.intake.is_in_head() {
            if !self.head_begun {
                self.head_begun = true;
                self.deadline = Instant::now() + self.pace.head_timeout;
            }
        } else if std::mem::take(&mut self.waiting) {
            let earned = Duration::from_secs_f64(bytes as f64 / self.pace.rate_min as f64);
            let left = self.deadline.saturating_duration_since(Instant::now());
            self.patience = (left + earned).min(self.pace.patience);
        }
    }

    /// Nothing comes: how long yet? Whoever still owes a head leaves when others need the place.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let place = self.place.as_ref().filter(|_| self.intake.is_in_head());
        if place.is_some_and(|place| place.poll_leave(cx).is_ready()) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if !self.intake.is_in_head() && !std::mem::replace(&mut self.waiting, true) {
            self.deadline = Instant::now() + self.patience;
        }
        ready!(self.poll_deadline(cx));
        if !self.intake.is_in_head() {
            self.body_fault = Some(BodyFault::TooSlow);
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// The request is complete; has its caller gone? One that only closed its sending side gets its answer if that
    /// does not take long. What it sends ahead waits.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.intake.has_more() {
            return Poll::Pending;
        }
        if !self.half_closed {
            let mut byte = [0];
            let peeked = ready!(self.socket().poll_peek(cx, &mut ReadBuf::new(&mut byte)))?;
            if peeked > 0 {
                return Poll::Pending;
            }
            self.half_closed = true;
            self.deadline = Instant::now() + self.pace.half_close_timeout;
        }
        self.poll_deadline(cx).map(Ok)
    }

    /// Answers a refused head, then tells Pingora that nothing more comes.
    fn poll_refuse(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(mut refusal) = self.refusal.take_if(|refusal| !refusal.is_empty()) {
            match self.io().poll_write(cx, &refusal) {
                Poll::Ready(Ok(written)) => {
                    refusal.drain(..written);
                    self.refusal = Some(refusal);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.refusal = Some(refusal);
                    return self.poll_patience(cx);
                }
            }
        }
        match self.io().poll_flush(cx) {
            Poll::Ready(flushed) => {
                self.refused = true;
                Poll::Ready(flushed)
            }
            Poll::Pending => self.poll_patience(cx),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let head = *this.heads.get_mut();
        if head != this.present_head {
            this.begin_next(head);
        }
        if this.refusal.is_some() {
            return this.poll_refuse(cx);
        }
        if this.refused || this.body_fault.is_some() || buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            match this.intake.hand_on(buf) {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(Fault::Head(bad)) => {
                    let bodyless = this.intake.is_head_method();
                    this.refusal = Some(this.unreadable.answer(&bad, bodyless));
                    return this.poll_refuse(cx);
                }
                Err(Fault::Body) => {
                    this.body_fault = Some(BodyFault::Malformed);
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                }
            }
            if this.intake.is_complete() {
                return this.poll_gone(cx);
            }
            let before = buf.filled().len();
            match this.poll_receive(cx, buf) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(bytes)) => this.came(bytes),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return this.poll_patience(cx),
            }
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let unread = self.refused
            || self.intake.has_more()
            || !(self.intake.is_in_head() || self.intake.is_complete());
        let (Some(io), Some(place)) = (self.io.take(), self.place.take()) else { return };
        if unread
            && !place.is_needed()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                place.waits();
                // Whoever does not stop sending is cut off all the same, and at once when others need the place.
                tokio::select! {
                    _ = tokio::time::timeout(LINGER, linger(io.into_inner())) => {}
                    () = std::future::poll_fn(|cx| place.poll_leave(cx)) => {}
                }
            });
        }
    }
}

async fn linger(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut forgotten = vec![0; 16 * 1024];
    let mut left = LINGER_BYTES_MAX;
    while left > 0 {
        match stream.read(&mut forgotten).await? {
            0 => break,
            bytes => left = left.saturating_sub(bytes),
        }
    }
    Ok(())
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if *this.head_complete.get_mut() {
            return this.io().poll_write(cx, buf);
        }
        // Pingora answers before the proxy was asked: it refuses what the intake let pass. We do that in its place, and
        // swallow its words.
        if !this.refused {
            let answer = this.unreadable.answer(&BadHead::Malformed("malformed"), false);
            // Nothing else was written since the last flush, so the buffer takes it whole.
            ready!(this.io().poll_write(cx, &answer))?;
            this.refused = true;
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for Connection {
    async fn shutdown(&mut self) {
        // The other side may be gone already; there is nobody left to tell.
        if let Some(io) = &mut self.io {
            let _ = io.shutdown().await;
        }
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
