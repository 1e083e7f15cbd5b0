//! The answer on its way down: its heads are read and written anew, its body is handed over as it comes.

use std::task::{Context, Poll};

use tollgate_engine::Denial;
use tollgate_engine::answer::{Answer as Head, End};
use tollgate_engine::chunked::Chunks;

use super::{Body, Failure, INTERIM_MAX, Relay};
use crate::clock::Patience;
use crate::downstream::{Answer, Downstream};
use crate::fields;

impl<D: Downstream> Relay<'_, D> {
    /// Hands over what waits: ready where more must come first.
    pub(super) fn hand_over(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, Failure> {
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
            self.exchange.passes(&waiting[data]);
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
    pub(super) fn over(&mut self, chunks: Option<&Chunks>) {
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
            let ours = self.terms.ours(self.exchange);
            let (reader, bytes) = self.link.read_head();
            fields::from_upstream(self.caller, reader, bytes, &ours);
            self.caller.head_done(Answer::Interim);
        }
    }

    fn switching_head(&mut self) {
        let now = self.now();
        self.exchange.upstream_answered(101, now);
        self.caller.begin(101);
        let ours = self.terms.ours(self.exchange);
        let (reader, bytes) = self.link.read_head();
        fields::from_upstream(self.caller, reader, bytes, &ours);
        self.exchange.write_fields(self.caller);
        self.caller.head_done(Answer::Switched);
        self.body = Body::Switched;
    }

    fn final_head(&mut self, head: &Head) {
        let now = self.now();
        self.exchange.upstream_answered(head.status, now);
        self.caller.begin(head.status);
        let ours = self.terms.ours(self.exchange);
        let (reader, bytes) = self.link.read_head();
        self.exchange.read_head(reader.fields().iter().map(|field| (field.name(bytes), field.value(bytes))));
        if !fields::from_upstream(self.caller, reader, bytes, &ours) {
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
}
