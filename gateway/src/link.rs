//! A connection to an upstream, with what is on its way in both directions.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use pingora_core::protocols::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tollgate_engine::answer::AnswerReader;

/// What answers are read into; larger heads make it grow for a while.
const BUFFER_BYTES: usize = 16 * 1024;
/// What is kept of the room for requests.
const KEPT_BYTES: usize = 4 * 1024;

/// The transport of a link.
pub(crate) enum Io {
    Plain(TcpStream),
    Tls(Stream),
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// One connection to an upstream.
pub(crate) struct Link {
    io: Io,
    pub(crate) address: SocketAddr,
    /// Whether it has carried a call before: then the upstream may have closed it meanwhile.
    pub(crate) is_reused: bool,
    /// When it was last used.
    pub(crate) used: Instant,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// On its way to the upstream.
    pub(crate) out: Vec<u8>,
    sent: usize,
    unflushed: bool,
    pub(crate) reader: AnswerReader,
}

impl Link {
    pub(crate) fn new(io: Io, address: SocketAddr) -> Self {
        Self {
            io,
            address,
            is_reused: false,
            used: Instant::now(),
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            out: Vec::with_capacity(1024),
            sent: 0,
            unflushed: false,
            reader: AnswerReader::default(),
        }
    }

    /// What came and was not taken.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The answer's reader, and all that waits.
    pub(crate) fn read_head(&mut self) -> (&mut AnswerReader, &[u8]) {
        (&mut self.reader, &self.buffer[self.start..self.end])
    }

    /// So many bytes of what waits are dealt with.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.start += bytes;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Reads once. The number of bytes; 0 at the end of the stream.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.end == self.buffer.len() {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else {
                // Only a head is not taken as it comes, and it is refused at its maximum.
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        let mut space = ReadBuf::new(&mut self.buffer[self.end..]);
        ready!(match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_read(cx, &mut space),
            Io::Tls(stream) => Pin::new(stream).poll_read(cx, &mut space),
        })?;
        let bytes = space.filled().len();
        self.end += bytes;
        Poll::Ready(Ok(bytes))
    }

    /// Bytes that are on their way to the upstream.
    pub(crate) fn unsent(&self) -> usize {
        self.out.len() - self.sent + usize::from(self.unflushed)
    }

    /// Sends what is on its way.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.out.len() {
            let rest = &self.out[self.sent..];
            let written = ready!(match &mut self.io {
                Io::Plain(stream) => Pin::new(stream).poll_write(cx, rest),
                Io::Tls(stream) => Pin::new(stream).poll_write(cx, rest),
            })?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += written;
            self.unflushed = matches!(self.io, Io::Tls(_));
        }
        self.out.clear();
        self.sent = 0;
        if self.unflushed
            && let Io::Tls(stream) = &mut self.io
        {
            ready!(Pin::new(stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Forgets what is on its way: nobody reads it any more.
    pub(crate) fn drop_unsent(&mut self) {
        self.out.clear();
        self.sent = 0;
    }

    /// Makes it ready for the next call, after one that ended in order; not where bytes are left over, which are
    /// nobody's answer.
    pub(crate) fn rest(&mut self) -> bool {
        if self.start < self.end || self.unsent() > 0 {
            return false;
        }
        self.is_reused = true;
        self.reader.reset();
        self.out.shrink_to(KEPT_BYTES);
        if self.buffer.len() > BUFFER_BYTES {
            self.buffer.truncate(BUFFER_BYTES);
            self.buffer.shrink_to_fit();
        }
        true
    }

    /// Whether nothing came since it was put to rest, neither bytes nor the end. Costs no system call as long as the
    /// kernel has announced nothing.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.poll_fill(&mut Context::from_waker(Waker::noop())).is_pending()
    }
}
