//! A transport whose frames are counted on their way to the library that reads them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::frames::{Flood, Frames};

const FLOODS: [Flood; 6] =
    [Flood::Ping, Flood::Settings, Flood::Priority, Flood::WindowUpdate, Flood::Reset, Flood::EmptyFrames];

/// What the transport tells whoever drives the connection. Both run in one task.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Which of [`FLOODS`], plus one.
    flood: AtomicU64,
    /// Milliseconds since the connection began, plus one, at which a head that is not complete began.
    head_since: AtomicU64,
}

impl Told {
    /// The kind of frame that came too often; from then on nothing is read.
    pub(crate) fn flood(&self) -> Option<Flood> {
        let number = usize::try_from(self.flood.load(Ordering::Relaxed)).unwrap_or(0);
        FLOODS.get(number.checked_sub(1)?).copied()
    }

    /// How long after the connection began the head began that is not complete.
    pub(crate) fn head_since(&self) -> Option<Duration> {
        self.head_since.load(Ordering::Relaxed).checked_sub(1).map(Duration::from_millis)
    }
}

/// The transport.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    io: S,
    began: Instant,
    frames: Frames,
    told: Arc<Told>,
}

impl<S> Watched<S> {
    pub(crate) fn new(io: S, began: Instant) -> (Self, Arc<Told>) {
        let told = Arc::new(Told::default());
        (Self { io, began, frames: Frames::new(began), told: Arc::clone(&told) }, told)
    }

    fn look(&mut self, bytes: &[u8]) {
        let now = Instant::now();
        if let Err(flood) = self.frames.pass(bytes, now) {
            let number = FLOODS.iter().position(|known| *known == flood).unwrap_or(0) + 1;
            self.told.flood.store(number as u64, Ordering::Relaxed);
        }
        let since = self.frames.head_since().map_or(0, |since| {
            let after = since.saturating_duration_since(self.began).as_millis();
            u64::try_from(after).map_or(u64::MAX, |after| after.saturating_add(1))
        });
        self.told.head_since.store(since, Ordering::Relaxed);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // Whoever drives the connection looks after every poll, so nobody needs to be woken.
        if this.told.flood().is_some() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        this.look(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        self.frames.sent(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))?;
        self.frames.sent(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
