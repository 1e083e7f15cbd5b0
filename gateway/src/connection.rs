//! A caller's HTTP/1 connection: one request after the other, each read strictly and in time.
//!
//! A head's clock starts with its first byte, or with the connection, and does not start anew with every read: what is
//! dripped byte by byte is cut. What a call does with a request is not known here ([`crate::proxy`]); this is one of the
//! kinds of [`Downstream`] that calls are served on.

mod answer;
mod downstream;
#[cfg(test)]
mod tests;

pub(crate) use answer::write_chunk;

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout};
use tollgate_engine::Familiar;
use tollgate_engine::head::{BadHead, Framing};

use crate::caller::Peer;
use crate::clock::Alarm;
use crate::downstream::Downstream;
use crate::intake::{Intake, Next};
use crate::places::Place;
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::settings::Settings;

/// How long, and how much of, what a caller still sends is read and forgotten after its refusal. Closing on unread
/// bytes would reset the connection, and the refusal might be lost with it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 4 << 20;
/// How long an unread rest of a refused request is read, to keep the connection.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// An unread body larger than this is not worth reading to keep a connection.
const DRAIN_BYTES_MAX: u64 = 64 * 1024;
/// How long a connection may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(1);

/// How fast a caller must send heads, and how many.
#[derive(Debug, Clone, Copy)]
struct Pace {
    head_timeout: Duration,
    idle_timeout: Duration,
    requests_max: u32,
}

/// Whether the connection goes on behind the present answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Going {
    On,
    /// It closes behind it.
    Closes,
    /// It is cut off.
    Cut,
}

/// Why no further request is served.
enum Ended {
    /// The caller left, or was too slow, or has to make room.
    Left,
    Refused(BadHead),
}

/// One caller's connection.
pub(crate) struct Connection<S> {
    io: S,
    peer: Peer,
    place: Place,
    pace: Pace,
    intake: Intake,
    /// Whether the present head has begun to arrive.
    head_begun: bool,
    deadline: Instant,
    alarm: Alarm,
    half_closed: bool,
    requests: u32,
    /// Who the last call was.
    familiar: Familiar,
    out: answer::Out,
    /// Whether bytes were written that the transport may still hold.
    unflushed: bool,
    going: Going,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    /// Takes over an established connection; its place is given back when it closes.
    pub(crate) fn new(io: S, peer: Peer, place: Place, settings: &Settings) -> Self {
        let pace = Pace {
            head_timeout: settings.head_timeout,
            idle_timeout: settings.idle_timeout,
            requests_max: settings.requests_per_connection,
        };
        // A new connection owes its head at once: there is no idle time before the first one.
        let deadline = Instant::now() + pace.head_timeout;
        Self {
            io,
            peer,
            place,
            pace,
            intake: Intake::default(),
            head_begun: true,
            deadline,
            alarm: Alarm::new(deadline),
            half_closed: false,
            requests: 0,
            familiar: Familiar::default(),
            out: answer::Out::default(),
            unflushed: false,
            going: Going::On,
        }
    }

    /// Serves requests until the connection ends.
    pub(crate) async fn serve(mut self, proxy: &Proxy, pool: &Pool) {
        loop {
            match poll_fn(|cx| self.poll_head(cx)).await {
                Ok(()) => {}
                Err(Ended::Left) => return,
                Err(Ended::Refused(bad)) => {
                    proxy.refuse_unreadable(&mut self, &bad).await;
                    return self.leave().await;
                }
            }
            self.place.serves();
            self.requests += 1;
            if self.requests >= self.pace.requests_max || !self.caller_stays() || proxy.is_draining() {
                self.going = Going::Closes;
            }
            let mut ended = proxy.serve(pool, &mut self).await;
            if self.going == Going::On && !self.intake.is_complete() {
                self.drain_request().await;
                ended = None;
            }
            match self.going {
                Going::On => self.begin_next(ended.unwrap_or_else(Instant::now)),
                Going::Closes => return self.leave().await,
                Going::Cut => return,
            }
        }
    }

    /// Ready once a head is complete.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        loop {
            match self.intake.read_head() {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(bad) => return Poll::Ready(Err(Ended::Refused(bad))),
            }
            match self.poll_receive(cx) {
                Poll::Ready(Ok(1..)) if self.head_begun => {}
                Poll::Ready(Ok(1..)) => {
                    self.head_begun = true;
                    self.deadline = Instant::now() + self.pace.head_timeout;
                }
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Ended::Left)),
                Poll::Pending => {
                    let is_idle = self.requests > 0 && !self.head_begun;
                    if self.place.poll_leave(cx, is_idle).is_pending() {
                        ready!(self.alarm.poll_until(cx, self.deadline));
                    }
                    return Poll::Ready(Err(Ended::Left));
                }
            }
        }
    }

    /// Reads once. The number of bytes; 0 at the end of the stream. Pending where nothing may come yet.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let space = self.intake.space();
        if space.is_empty() {
            return Poll::Pending;
        }
        let mut space = ReadBuf::new(space);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut space))?;
        let bytes = space.filled().len();
        self.intake.received(bytes);
        Poll::Ready(Ok(bytes))
    }

    /// Whether the caller wants to send another request here.
    fn caller_stays(&self) -> bool {
        let (reader, head) = self.intake.head();
        let mut stays = !reader.is_of_1_0();
        if !reader.has_connection() {
            return stays;
        }
        for field in reader.fields() {
            if field.name(head).eq_ignore_ascii_case(b"connection") {
                let says = |known: &[u8]| {
                    let mut options = field.value(head).split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                    options.any(|option| option.eq_ignore_ascii_case(known))
                };
                stays = (stays || says(b"keep-alive")) && !says(b"close");
            }
        }
        stays
    }

    /// Whether so little of the request is unread that it is read to keep the connection. A chunked body may be of any
    /// size; one that waits for our consent never comes.
    fn rest_is_small(&self) -> bool {
        let (reader, head) = self.intake.head();
        let small = match self.intake.framing() {
            Framing::Empty => true,
            Framing::Length(length) => length <= DRAIN_BYTES_MAX,
            Framing::Chunked => false,
        };
        small && !reader.fields().iter().any(|field| field.name(head).eq_ignore_ascii_case(b"expect"))
    }

    /// Reads what is left of a request that was answered before its end.
    async fn drain_request(&mut self) {
        let due = Instant::now() + DRAIN_TIMEOUT;
        let drained = poll_fn(|cx| {
            loop {
                match self.intake.next() {
                    Ok(Next::End) => return Poll::Ready(true),
                    Ok(Next::Data(bytes)) => self.intake.took(bytes),
                    Err(_) => return Poll::Ready(false),
                    Ok(Next::More) => match self.poll_receive(cx) {
                        Poll::Ready(Ok(1..)) => {}
                        Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(false),
                        Poll::Pending => return self.poll_until(cx, due).map(|()| false),
                    },
                }
            }
        });
        if !drained.await {
            self.going = Going::Closes;
        }
    }

    fn begin_next(&mut self, now: Instant) {
        self.intake.begin_next();
        self.out.reset();
        self.place.waits_since(now.into_std());
        self.head_begun = self.intake.has_more();
        let time = if self.head_begun { self.pace.head_timeout } else { self.pace.idle_timeout };
        self.deadline = now + time;
    }

    /// Closes in order. Whoever does not stop sending is cut off all the same, and at once when others need the place.
    async fn leave(mut self) {
        let unread = self.intake.has_more() || !self.intake.is_complete();
        // Closing says it all where nothing is left to be read; TLS says goodbye itself.
        if !unread && self.peer.scheme == "http" {
            return;
        }
        if timeout(FAREWELL, self.io.shutdown()).await.is_err() || !unread || self.place.is_needed() {
            return;
        }
        self.place.waits();
        let Self { mut io, place, .. } = self;
        tokio::select! {
            _ = timeout(LINGER, forget(&mut io)) => {}
            () = poll_fn(|cx| place.poll_leave(cx, false)) => {}
        }
    }
}

async fn forget(io: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut forgotten = vec![0; 16 * 1024];
    let mut left = LINGER_BYTES_MAX;
    while left > 0 {
        match io.read(&mut forgotten).await? {
            0 => break,
            bytes => left = left.saturating_sub(bytes),
        }
    }
    Ok(())
}
