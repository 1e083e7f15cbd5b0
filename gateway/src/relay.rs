//! Both directions of one call at once: the request's body on its way up, the answer on its way down.
//!
//! Whoever is slower sets the pace: nothing is read from one side while much is still unsent to the other. Whoever is
//! waited for has a clock: the caller's body and the upstream's answer one that bytes earn back, the writes one that
//! any byte sets back.

mod answer;
mod patience;
mod up;

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;
use tollgate_domain::Outcome;
use tollgate_engine::Denial;
use tollgate_engine::chunked::Chunks;

use crate::clock::Patience;
use crate::downstream::{Downstream, Length};
use crate::exchange::Exchange;
use crate::fields;
use crate::link::Link;
use crate::terms::Terms;

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
}

/// How a call that failed so is metered, where it had been admitted.
pub(crate) fn outcome_of(denial: &Denial) -> Outcome {
    // What the gateway refuses is never charged.
    denial.outcome().unwrap_or(Outcome::Abandoned)
}
