//! A caller's request and the way back to it, however they came: what a call is served on.
//!
//! HTTP/1 connections are one kind ([`crate::connection`]); a stream of another protocol is another. The chain
//! ([`crate::proxy`]) knows only this: who asks for what, the body piece by piece, and a head, data and an end to answer
//! with. Everything polls instead of waiting, so that both directions of a call run in one task, without a box or a lock.

use std::io;
use std::task::{Context, Poll};

use http::HeaderMap;
use tokio::time::Instant;
use tollgate_engine::Familiar;

use crate::caller::Peer;

/// The length of a body, as far as its head tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// There is no body.
    None,
    /// So many bytes, at least one.
    Known(u64),
    /// It ends when it ends.
    Unknown,
}

/// What comes behind an answer's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Another head: this one was interim (1xx).
    Interim,
    /// Nothing; with the length that another request would have got, where it is known.
    Bodyless(Option<u64>),
    /// So many bytes, 0 included.
    Length(u64),
    /// Data until its end is told.
    Unknown,
    /// A WebSocket (101): from now on the body is whatever the caller sends, and data goes as it is.
    Switched,
}

/// Why a request's body cannot be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// It breaks its framing.
    Malformed,
    /// The caller is gone.
    Gone,
}

/// How a caller that has sent its request goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It will send no more, and may still be reading.
    HalfClosed,
    /// Nobody is left to answer.
    Gone,
}

/// One request and its answer.
///
/// The order of an answer: any number of interim heads, one head, data, [`Downstream::end`]. A head is
/// [`Downstream::begin`], its fields, [`Downstream::head_done`]. All that is written is held back until
/// [`Downstream::poll_flush`], so that what belongs together leaves together.
pub(crate) trait Downstream: Send {
    /// Who is at the other end of the connection.
    fn peer(&self) -> &Peer;

    /// The method, a token.
    fn method(&self) -> &str;

    /// `Host` or `:authority`.
    fn authority(&self) -> Option<&[u8]>;

    /// Path and query as they came.
    fn target(&self) -> &[u8];

    /// All fields in their order, names in any case; no pseudo fields.
    fn fields(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> + Clone;

    /// The body that the head announces.
    fn length(&self) -> Length;

    /// Whether the connection can be switched to another protocol.
    fn can_switch(&self) -> bool;

    /// Whether the caller understands interim answers and trailers.
    fn is_of_1_0(&self) -> bool;

    /// Lends out who the connection's last call was; none where calls come side by side, and nobody is kept.
    fn take_familiar(&mut self) -> Option<Familiar> {
        None
    }

    /// Takes it back, for the next call.
    fn keep_familiar(&mut self, _familiar: Familiar) {}

    /// The next bytes of the body, none at its end. They stay the next until they are [`Downstream::took`].
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<&[u8]>, BodyFault>>;

    /// So many of the bytes that [`Downstream::poll_body`] gave are dealt with.
    fn took(&mut self, bytes: usize);

    /// What the caller says behind its body, once that is read; nothing where its protocol has it dropped.
    fn poll_trailers(&mut self, _cx: &mut Context<'_>) -> Poll<Option<HeaderMap>> {
        Poll::Ready(None)
    }

    /// Begins a head.
    fn begin(&mut self, status: u16);

    /// Adds a field; neither of framing nor of the connection.
    fn field(&mut self, name: &[u8], value: &[u8]);

    /// Adds a field whose value is appended in place.
    fn field_with(&mut self, name: &[u8], write: impl FnOnce(&mut Vec<u8>));

    /// Ends a head and says what follows.
    fn head_done(&mut self, follows: Answer);

    /// Ready where there is room for more data; may send some of what is held back first.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Takes data of the answer's body, after [`Downstream::poll_ready`].
    fn data(&mut self, bytes: &[u8]);

    /// The answer is complete; with trailers where the caller asked for any.
    fn end<'t>(&mut self, trailers: impl Iterator<Item = (&'t [u8], &'t [u8])>);

    /// Sends what is held back.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// How many bytes are held back.
    fn unsent(&self) -> usize;

    /// Nothing is to follow this answer on its connection. To be said before [`Downstream::head_done`].
    fn close_after(&mut self);

    /// The answer ends here, and so that it cannot look complete.
    fn abort(&mut self);

    /// Ready when a caller whose whole request is here goes away.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Leaving>;

    /// Ready at `due`. Cheap to ask again and again with a moment that moves on.
    fn poll_until(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()>;
}
