//! A WebSocket: bytes both ways as they are, for as long as its caller may call and somebody speaks.
//!
//! Nothing is taken apart but the frames' lengths on their way down, for where the gateway ends a tunnel it says why in a
//! closing frame, and that may stand only between two others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::time::Instant;
use tollgate_engine::websocket::{CloseCode, Frames};

use crate::downstream::Downstream;
use crate::exchange::Exchange;
use crate::link::Link;
use crate::relay::WATCH_EVERY;
use crate::terms::Terms;

/// Of one direction, no more is held back than this.
const HELD_BYTES_MAX: usize = 32 * 1024;

/// A connection that was switched.
pub(crate) struct Tunnel<'r, D> {
    terms: &'r Terms,
    exchange: &'r mut Exchange,
    caller: &'r mut D,
    link: &'r mut Link,
    draining: &'r AtomicBool,
    down: Frames,
    idle_due: Instant,
    watch_due: Instant,
}

/// What one direction came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moved {
    Nothing,
    Something,
    End,
}

impl<'r, D: Downstream> Tunnel<'r, D> {
    pub(crate) fn new(
        terms: &'r Terms,
        exchange: &'r mut Exchange,
        caller: &'r mut D,
        link: &'r mut Link,
        draining: &'r AtomicBool,
    ) -> Self {
        let now = Instant::now();
        let (idle_due, watch_due) = (now + terms.tunnel_idle_timeout, now + WATCH_EVERY);
        Self { terms, exchange, caller, link, draining, down: Frames::default(), idle_due, watch_due }
    }

    /// Ready when either side has ended it, or the gateway has; what is to be said last is then held back by the caller.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match (self.go_up(cx), self.go_down(cx)) {
                (Moved::End, _) | (_, Moved::End) => return Poll::Ready(()),
                (Moved::Nothing, Moved::Nothing) => {}
                _ => {
                    self.idle_due = Instant::now() + self.terms.tunnel_idle_timeout;
                    continue;
                }
            }
            if self.caller.poll_until(cx, self.idle_due.min(self.watch_due)).is_pending() {
                return Poll::Pending;
            }
            if let Some(code) = self.why_end() {
                if self.down.is_between() {
                    self.caller.data(&code.frame());
                } else {
                    self.caller.abort();
                }
                return Poll::Ready(());
            }
            self.watch_due = Instant::now() + WATCH_EVERY;
        }
    }

    fn why_end(&self) -> Option<CloseCode> {
        if !self.terms.still_allows(self.exchange) {
            return Some(CloseCode::PolicyViolation);
        }
        let silent = Instant::now() >= self.idle_due;
        (silent || self.draining.load(Ordering::Acquire)).then_some(CloseCode::GoingAway)
    }

    fn go_up(&mut self, cx: &mut Context<'_>) -> Moved {
        let mut moved = Moved::Nothing;
        if self.link.unsent() < HELD_BYTES_MAX {
            match self.caller.poll_body(cx) {
                Poll::Ready(Ok(Some(bytes))) => {
                    let taken = bytes.len();
                    self.link.out.extend_from_slice(bytes);
                    self.caller.took(taken);
                    self.exchange.bytes_in += taken as u64;
                    moved = Moved::Something;
                }
                Poll::Ready(Ok(None) | Err(_)) => return Moved::End,
                Poll::Pending => {}
            }
        }
        match self.link.poll_send(cx) {
            Poll::Ready(Err(_)) => Moved::End,
            Poll::Ready(Ok(())) | Poll::Pending => moved,
        }
    }

    fn go_down(&mut self, cx: &mut Context<'_>) -> Moved {
        let mut moved = Moved::Nothing;
        match self.caller.poll_ready(cx) {
            Poll::Ready(Err(_)) => return Moved::End,
            Poll::Pending => return moved,
            Poll::Ready(Ok(())) => {}
        }
        let waiting = self.link.waiting();
        if waiting.is_empty() {
            match self.link.poll_fill(cx) {
                Poll::Ready(Ok(1..)) => return Moved::Something,
                Poll::Ready(Ok(0) | Err(_)) => return Moved::End,
                Poll::Pending => {}
            }
        } else {
            let taken = waiting.len();
            self.caller.data(waiting);
            self.down.pass(waiting);
            self.link.took(taken);
            self.exchange.bytes_out += taken as u64;
            moved = Moved::Something;
        }
        match self.caller.poll_flush(cx) {
            Poll::Ready(Err(_)) => Moved::End,
            Poll::Ready(Ok(())) | Poll::Pending => moved,
        }
    }
}
