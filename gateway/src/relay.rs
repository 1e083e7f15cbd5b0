//! Both directions of one call at once: the request's body on its way up, the answer on its way down.
//!
//! Whoever is slower sets the pace: nothing is read from one side while much is still unsent to the other. Whoever is
//! waited for has a clock: the caller's body and the upstream's answer one that bytes earn back, the writes one that
//! any byte sets back.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;
use tollgate_domain::Outcome;
use tollgate_engine::Denial;
use tollgate_engine::answer::{Answer as Head, End};
use tollgate_engine::chunked::Chunks;

use crate::clock::Patience;
use crate::connection::write_chunk;
use crate::downstream::{Answer, BodyFault, Downstream, Leaving, Length};
use crate::exchange::Exchange;
use crate::fields;
use crate::link::Link;
use crate::proxy::Terms;

/// Of a request's body, no more is held back than this.
const HELD_BYTES_MAX: usize = 32 * 1024;
/// More interim answers (1xx) to one call are no help to anybody.
const INTERIM_MAX: u32 = 10;
/// How often a call that goes on and on is asked whether its caller may still call.
pub(crate) const WATCH_EVERY: Duration = Duration::from_secs(2);

/// How a call failed that was on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// To be answered with this.
    Denied(Denial),
    /// The request itself broke the rules while its body came in.
    BadRequest,
    /// The caller is gone; nobody is left to answer.
    CallerGone,
    /// A connection that was used before ended without a byte of an answer: the upstream may never have seen the request.
    Stale,
    /// The caller may no longer call, and its answer goes on and on.
    NoLongerAllowed,
}

/// How a call ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// The answer is with the caller; whether the link can be used again, and when that was.
    Answered { reusable: bool, at: Instant },
    /// The connection was switched to a WebSocket.
    Switched,
}

/// What a caller asks of the way its call takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wishes {
    /// It holds its body back until it is asked for.
    pub(crate) consent: bool,
    /// It wants trailers.
    pub(crate) trailers: bool,
    /// It wants a WebSocket, and its connection can become one.
    pub(crate) websocket: bool,
    /// What its fields say of their own hop.
    pub(crate) hop: fields::Hop,
}

/// How the answer's body is read.
enum Body {
    /// Its head is not here.
    Head,
    Length(u64),
    Chunked(Box<Chunks>),
    Close,
    /// All of it is handed over, and may be unsent.
    Over,
    /// None: another protocol follows.
    Switched,
}

/// What is on its way in both directions.
pub(crate) struct Relay<'r, D> {
    terms: &'r Terms,
    /// Counts the call, before the last bytes of its answer go out.
    count: &'r (dyn Fn(&mut Exchange, Instant) + Sync),
    exchange: &'r mut Exchange,
    caller: &'r mut D,
    link: &'r mut Link,
    wishes: Wishes,
    /// The present moment, once it was asked for in this turn.
    now: Option<Instant>,
    to_head: bool,
    is_chunked_up: bool,
    /// Whether more of the request's body is to be sent.
    is_sending: bool,
    /// Whether the upstream takes no more of it.
    is_broken_up: bool,
    body: Body,
    keeps: bool,
    interim: u32,
    waits_body: Patience,
    waits_answer: Patience,
    waits_up: Patience,
    waits_down: Patience,
    gone_due: Option<Instant>,
    /// When it is asked next whether the caller may still call.
    watch_due: Option<Instant>,
}

impl<'r, D: Downstream> Relay<'r, D> {
    /// The request's head is in `link`'s outgoing bytes already.
    pub(crate) fn new(
        terms: &'r Terms,
        count: &'r (dyn Fn(&mut Exchange, Instant) + Sync),
        exchange: &'r mut Exchange,
        caller: &'r mut D,
        link: &'r mut Link,
        wishes: Wishes,
    ) -> Self {
        let read_timeout = exchange.read_timeout();
        let length = caller.length();
        Self {
            wishes,
            now: None,
            to_head: caller.method() == "HEAD",
            is_chunked_up: length == Length::Unknown,
            is_sending: length != Length::None,
            is_broken_up: false,
            body: Body::Head,
            keeps: false,
            interim: 0,
            waits_body: Patience::new(terms.body_patience, Some(terms.body_rate_min)),
            waits_answer: Patience::new(read_timeout, None),
            waits_up: Patience::new(read_timeout, None),
            waits_down: Patience::new(terms.write_timeout, None),
            gone_due: None,
            watch_due: None,
            terms,
            count,
            exchange,
            caller,
            link,
        }
    }

    /// Goes on as far as it can; ready once the answer is with the caller.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Done, Failure>> {
        self.now = None;
        match self.poll_both(cx) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(done)) => return Poll::Ready(Ok(done)),
            Err(failure) => return Poll::Ready(Err(failure)),
        }
        self.poll_patience(cx).map(Err)
    }

    /// The present moment. A turn is short, so its clock is read once.
    fn now(&mut self) -> Instant {
        *self.now.get_or_insert_with(Instant::now)
    }

    fn poll_both(&mut self, cx: &mut Context<'_>) -> Result<Poll<Done>, Failure> {
        self.go_up(cx)?;
        loop {
            let has_room = self.go_down(cx)?;
            if matches!(self.body, Body::Over) {
                let now = self.now();
                (self.count)(self.exchange, now);
            }
            let unsent = self.caller.unsent();
            if unsent > 0 {
                let flushed = self.caller.poll_flush(cx).map_err(|_| Failure::CallerGone);
                if self.caller.unsent() < unsent {
                    self.waits_down.came(1);
                }
                match flushed {
                    Poll::Ready(flushed) => flushed?,
                    Poll::Pending => {
                        self.waits_down.waits();
                        return Ok(Poll::Pending);
                    }
                }
            }
            if matches!(self.body, Body::Over) {
                let sent = !self.is_sending && !self.is_broken_up && self.link.unsent() == 0;
                return Ok(Poll::Ready(Done::Answered { reusable: self.keeps && sent, at: self.now() }));
            }
            if matches!(self.body, Body::Switched) {
                return Ok(Poll::Ready(Done::Switched));
            }
            if has_room {
                return Ok(Poll::Pending);
            }
        }
    }

    /// The request's body, up to where it has to wait.
    fn go_up(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if self.is_broken_up || matches!(self.body, Body::Over) {
            return Ok(());
        }
        loop {
            let mut waits = false;
            while self.is_sending && self.link.out.len() < HELD_BYTES_MAX {
                match self.caller.poll_body(cx) {
                    Poll::Ready(Ok(Some(bytes))) => {
                        let taken = bytes.len();
                        if self.is_chunked_up {
                            write_chunk(&mut self.link.out, bytes);
                        } else {
                            self.link.out.extend_from_slice(bytes);
                        }
                        self.caller.took(taken);
                        self.waits_body.came(taken);
                        self.exchange.bytes_in += taken as u64;
                        if self.exchange.bytes_in > self.terms.body_bytes_max {
                            return Err(Failure::Denied(Denial::BodyTooLarge));
                        }
                    }
                    Poll::Ready(Ok(None)) => {
                        self.is_sending = false;
                        self.waits_body.came(0);
                        if self.is_chunked_up {
                            self.link.out.extend_from_slice(b"0\r\n\r\n");
                        }
                    }
                    Poll::Ready(Err(BodyFault::Malformed)) => return Err(Failure::BadRequest),
                    Poll::Ready(Err(BodyFault::Gone)) => return Err(Failure::CallerGone),
                    Poll::Pending => {
                        self.waits_body.waits();
                        waits = true;
                        break;
                    }
                }
            }
            let unsent = self.link.unsent();
            if unsent == 0 {
                return Ok(());
            }
            match self.link.poll_send(cx) {
                Poll::Ready(Ok(())) => self.waits_up.came(1),
                // It may have answered before it broke off.
                Poll::Ready(Err(_)) => {
                    self.is_broken_up = true;
                    self.link.drop_unsent();
                    self.waits_body.came(0);
                    self.waits_up.came(0);
                    return Ok(());
                }
                Poll::Pending => {
                    if self.link.unsent() < unsent {
                        self.waits_up.came(1);
                    }
                    self.waits_up.waits();
                    return Ok(());
                }
            }
            if waits || !self.is_sending {
                return Ok(());
            }
        }
    }

    /// The answer, up to where it has to wait; false where that is for the caller.
    fn go_down(&mut self, cx: &mut Context<'_>) -> Result<bool, Failure> {
        loop {
            if !self.link.waiting().is_empty() && self.hand_over(cx)?.is_pending() {
                return Ok(false);
            }
            if matches!(self.body, Body::Over | Body::Switched) {
                return Ok(true);
            }
            match self.link.poll_fill(cx) {
                // A head has its time as a whole, however it drips.
                Poll::Ready(Ok(1..)) if matches!(self.body, Body::Head) => {}
                Poll::Ready(Ok(bytes @ 1..)) => self.waits_answer.came(bytes),
                Poll::Ready(Ok(0) | Err(_)) => self.ended()?,
                Poll::Pending => {
                    if !self.is_sending || self.is_broken_up || !matches!(self.body, Body::Head) {
                        let now = &mut self.now;
                        self.waits_answer.waits_from(|| *now.get_or_insert_with(Instant::now));
                    }
                    return Ok(true);
                }
            }
        }
    }

    /// The upstream's side is over.
    fn ended(&mut self) -> Result<(), Failure> {
        match self.body {
            Body::Close => {
                self.over(None);
                Ok(())
            }
            Body::Head if self.link.is_reused && self.link.waiting().is_empty() && self.interim == 0 => {
                Err(Failure::Stale)
            }
            _ => Err(Failure::Denied(Denial::UpstreamFailed)),
        }
    }

    /// Hands over what waits: ready where more must come first.
    fn hand_over(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, Failure> {
        while !self.link.waiting().is_empty() {
            match self.caller.poll_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(Failure::CallerGone),
                Poll::Pending => {
                    self.waits_down.waits();
                    return Ok(Poll::Pending);
                }
            }
            if matches!(self.body, Body::Head) {
                if self.head()? {
                    continue;
                }
                break;
            }
            let waiting = self.link.waiting();
            let (read, data) = match &mut self.body {
                Body::Head | Body::Over | Body::Switched => break,
                Body::Close => (waiting.len(), 0..waiting.len()),
                Body::Length(left) => {
                    let here = waiting.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= here as u64;
                    (here, 0..here)
                }
                Body::Chunked(chunks) => {
                    chunks.read(waiting).map_err(|_| Failure::Denied(Denial::UpstreamFailed))?
                }
            };
            self.caller.data(&waiting[data.clone()]);
            self.exchange.bytes_out += data.len() as u64;
            self.link.took(read);
            match &self.body {
                Body::Length(0) => self.over(None),
                Body::Chunked(chunks) if chunks.is_complete() => {
                    if let Body::Chunked(chunks) = std::mem::replace(&mut self.body, Body::Over) {
                        self.over(Some(&chunks));
                    }
                }
                _ => {}
            }
        }
        Ok(Poll::Ready(()))
    }

    /// The answer is complete.
    fn over(&mut self, chunks: Option<&Chunks>) {
        let trailers = chunks.filter(|_| self.wishes.trailers).into_iter().flat_map(Chunks::trailers);
        self.caller.end(fields::trailers(trailers));
        self.body = Body::Over;
        // What the caller still sends does not matter to it.
        self.waits_body.came(0);
        self.waits_answer.came(0);
    }

    /// Reads a head; false where it is not complete.
    fn head(&mut self) -> Result<bool, Failure> {
        let failed = Failure::Denied(Denial::UpstreamFailed);
        let (reader, bytes) = self.link.read_head();
        let Some(head) = reader.read(bytes, self.to_head).map_err(|_| failed.clone())? else {
            return Ok(false);
        };
        if head.status == 101 {
            // Nothing else was asked for, and most calls ask for nothing.
            if !self.wishes.websocket || !fields::switches_to_websocket(reader.fields(), bytes) {
                return Err(failed);
            }
            self.switching_head();
        } else if head.status < 200 {
            self.interim += 1;
            if self.interim > INTERIM_MAX {
                return Err(failed);
            }
            self.interim_head(&head);
        } else {
            self.final_head(&head);
        }
        self.link.took(head.bytes);
        self.link.reader.reset();
        Ok(true)
    }

    fn interim_head(&mut self, head: &Head) {
        self.waits_answer.came(1);
        if !self.caller.is_of_1_0() {
            self.caller.begin(head.status);
            let (reader, bytes) = self.link.read_head();
            fields::from_upstream(self.caller, reader, bytes, &self.terms.portal_host);
            self.caller.head_done(Answer::Interim);
        }
    }

    fn switching_head(&mut self) {
        let now = self.now();
        self.exchange.upstream_answered(101, now);
        self.caller.begin(101);
        let (reader, bytes) = self.link.read_head();
        fields::from_upstream(self.caller, reader, bytes, &self.terms.portal_host);
        self.exchange.write_fields(self.caller);
        self.caller.head_done(Answer::Switched);
        self.body = Body::Switched;
    }

    fn final_head(&mut self, head: &Head) {
        let now = self.now();
        self.exchange.upstream_answered(head.status, now);
        self.caller.begin(head.status);
        let (reader, bytes) = self.link.read_head();
        if !fields::from_upstream(self.caller, reader, bytes, &self.terms.portal_host) {
            self.terms.date(self.caller);
        }
        self.exchange.write_fields(self.caller);
        self.keeps = head.keeps;
        let has_body = !self.to_head && !matches!(head.status, 204 | 304);
        let (follows, body) = match head.end {
            // RFC 9110 §8.6: 204 has no length either.
            End::Empty if head.status == 204 => (Answer::Bodyless(None), Body::Over),
            End::Empty if has_body => (Answer::Length(0), Body::Over),
            End::Empty => (Answer::Bodyless(head.length), Body::Over),
            End::Length(length) => (Answer::Length(length), Body::Length(length)),
            End::Chunked => (Answer::Unknown, Body::Chunked(Box::new(Chunks::keeping_trailers()))),
            End::Close => (Answer::Unknown, Body::Close),
        };
        let is_stream =
            matches!(body, Body::Chunked(_) | Body::Close) && fields::is_event_stream(reader.fields(), bytes);
        self.caller.head_done(follows);
        let mut read_timeout = self.exchange.read_timeout();
        if is_stream {
            read_timeout = read_timeout.max(self.terms.stream_idle_timeout);
        }
        // What says how long it is has a least rate; a stream of events may be as slow as it likes.
        let rate = matches!(body, Body::Length(_)).then_some(self.terms.body_rate_min);
        self.waits_answer = Patience::new(read_timeout, rate);
        let is_over = matches!(body, Body::Over);
        self.body = body;
        if is_over {
            self.over(None);
        }
    }

    /// Everything waits for somebody: for how long yet?
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        if !self.is_sending && self.gone_due.is_none() {
            match self.caller.poll_gone(cx) {
                Poll::Ready(Leaving::Gone) => return Poll::Ready(Failure::CallerGone),
                Poll::Ready(Leaving::HalfClosed) => {
                    self.gone_due = Some(Instant::now() + self.terms.half_close_timeout);
                }
                Poll::Pending => {}
            }
        }
        if !matches!(self.body, Body::Head) && self.watch_due.is_none() {
            self.watch_due = Some(self.now() + WATCH_EVERY);
        }
        loop {
            let Some((due, failure)) = self.next_due() else { return Poll::Pending };
            ready!(self.caller.poll_until(cx, due));
            if failure != Failure::NoLongerAllowed || !self.terms.still_allows(self.exchange) {
                return Poll::Ready(failure);
            }
            self.watch_due = Some(Instant::now() + WATCH_EVERY);
        }
    }

    /// What happens first if nothing else does.
    fn next_due(&self) -> Option<(Instant, Failure)> {
        let clocks = [
            (self.waits_body.due(), Failure::Denied(Denial::RequestTimeout)),
            (self.waits_answer.due(), Failure::Denied(Denial::UpstreamTimeout)),
            (self.waits_up.due(), Failure::Denied(Denial::UpstreamTimeout)),
            (self.waits_down.due(), Failure::CallerGone),
            (self.gone_due, Failure::CallerGone),
            (self.watch_due, Failure::NoLongerAllowed),
        ];
        let set = clocks.into_iter().filter_map(|(due, failure)| Some((due?, failure)));
        set.min_by_key(|next| next.0)
    }
}

/// How a call that failed so is metered, where it had been admitted.
pub(crate) fn outcome_of(denial: &Denial) -> Outcome {
    // What the gateway refuses is never charged.
    denial.outcome().unwrap_or(Outcome::Abandoned)
}
