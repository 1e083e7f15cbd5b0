//! Both directions of one call whose upstream speaks HTTP/2.
//!
//! The clocks are those of [`crate::relay`]: whoever is waited for has one, and bytes earn it back.

mod patience;
mod up;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream, SendStream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use tokio::time::Instant;
use tollgate_engine::Denial;

use crate::clock::Patience;
use crate::downstream::{Answer, Downstream, Length};
use crate::exchange::Exchange;
use crate::fields;
use crate::grpc::messages::Messages;
use crate::relay::Failure;
use crate::terms::Terms;

/// The head as HTTP/1 writes it, in frames: what goes on is decided in one place for both.
pub(crate) fn head_of(written: &[u8], scheme: &str) -> Option<Request<()>> {
    let text = std::str::from_utf8(written).ok()?;
    let mut lines = text.split("\r\n");
    let mut request_line = lines.next()?.split(' ');
    let (method, target) = (request_line.next()?, request_line.next()?);
    let mut request = Request::builder().method(method).body(()).ok()?;
    *request.version_mut() = http::Version::HTTP_2;
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name {
            "host" => {
                let parts = Uri::builder().scheme(scheme).authority(value).path_and_query(target);
                *request.uri_mut() = parts.build().ok()?;
            }
            // The frames say where the body ends.
            "connection" | "transfer-encoding" => {}
            _ => {
                let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
                request.headers_mut().append(name, HeaderValue::from_str(value).ok()?);
            }
        }
    }
    Some(request)
}

/// Where the answer stands.
enum Down {
    Head(ResponseFuture),
    Body(RecvStream),
    Over,
}

/// What a caller asks of the way its call takes.
pub(crate) struct Asked {
    /// It wants trailers.
    pub(crate) trailers: bool,
    /// When the whole call has to be over, where the caller says so.
    pub(crate) due: Option<Instant>,
    /// It is one of gRPC: its messages are looked at.
    pub(crate) messages: Option<Messages>,
}

/// What is on its way.
pub(crate) struct Carry<'r, D> {
    terms: &'r Terms,
    /// Counts the call, before the last bytes of its answer go out.
    count: &'r (dyn Fn(&mut Exchange) + Sync),
    exchange: &'r mut Exchange,
    caller: &'r mut D,
    up: SendStream<Bytes>,
    down: Down,
    chunk: Bytes,
    asked: Asked,
    to_head: bool,
    is_sending: bool,
    waits_body: Patience,
    waits_answer: Patience,
    waits_up: Patience,
    waits_down: Patience,
    gone_due: Option<Instant>,
    /// When it is asked next whether the caller may still call.
    watch_due: Option<Instant>,
}

impl<'r, D: Downstream> Carry<'r, D> {
    /// The request's head is sent.
    pub(crate) fn new(
        terms: &'r Terms,
        count: &'r (dyn Fn(&mut Exchange) + Sync),
        exchange: &'r mut Exchange,
        caller: &'r mut D,
        (response, up): (ResponseFuture, SendStream<Bytes>),
        asked: Asked,
    ) -> Self {
        let read_timeout = exchange.read_timeout();
        Self {
            to_head: caller.method() == "HEAD",
            is_sending: caller.length() != Length::None,
            up,
            down: Down::Head(response),
            chunk: Bytes::new(),
            // Whoever streams messages may be silent for as long as the other side may.
            waits_body: match asked.messages {
                Some(_) => Patience::new(read_timeout, None),
                None => Patience::new(terms.body_patience, Some(terms.body_rate_min)),
            },
            asked,
            watch_due: None,
            count,
            waits_answer: Patience::new(read_timeout, None),
            waits_up: Patience::new(read_timeout, None),
            waits_down: Patience::new(terms.write_timeout, None),
            gone_due: None,
            terms,
            exchange,
            caller,
        }
    }

    /// Goes on as far as it can; ready once the answer is with the caller.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let gone = self.go_up(cx).and_then(|()| self.go_down(cx));
        match gone {
            Ok(Poll::Pending) => self.poll_patience(cx).map(Err),
            Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
            Err(failure) => Poll::Ready(Err(failure)),
        }
    }

    fn go_down(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, Failure> {
        loop {
            match &mut self.down {
                Down::Head(response) => match Pin::new(response).poll(cx) {
                    Poll::Ready(Ok(answer)) => self.head(answer)?,
                    Poll::Ready(Err(error)) => return Err(failure_of(&error)),
                    Poll::Pending => {
                        if !self.is_sending {
                            self.waits_answer.waits();
                        }
                        return Ok(Poll::Pending);
                    }
                },
                Down::Body(_) => {
                    if self.body(cx)?.is_pending() {
                        // What the caller may have by now is not held back.
                        let _ = self.caller.poll_flush(cx).map_err(|_| Failure::CallerGone)?;
                        return Ok(Poll::Pending);
                    }
                }
                Down::Over => match self.caller.poll_flush(cx).map_err(|_| Failure::CallerGone)? {
                    Poll::Ready(()) => return Ok(Poll::Ready(())),
                    Poll::Pending => {
                        self.waits_down.waits();
                        return Ok(Poll::Pending);
                    }
                },
            }
        }
    }

    fn head(&mut self, answer: Response<RecvStream>) -> Result<(), Failure> {
        let (head, body) = answer.into_parts();
        let status = head.status.as_u16();
        if !(200..600).contains(&status) {
            return Err(Failure::Denied(Denial::UpstreamFailed));
        }
        self.exchange.upstream_answered(status, Instant::now());
        self.caller.begin(status);
        let all = || head.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        self.exchange.read_head(all());
        if !fields::of_frames(self.caller, all(), &self.terms.ours(self.exchange)) {
            self.terms.date(self.caller);
        }
        self.exchange.write_fields(self.caller);
        let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let follows = match length {
            _ if status == 204 => Answer::Bodyless(None),
            length if self.to_head || status == 304 => Answer::Bodyless(length),
            _ if body.is_end_stream() => Answer::Length(0),
            Some(length) => Answer::Length(length),
            None => Answer::Unknown,
        };
        self.caller.head_done(follows);
        self.waits_answer.came(1);
        let mut read_timeout = self.exchange.read_timeout();
        let kind = head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        if follows == Answer::Unknown && kind.is_some_and(fields::names_event_stream) {
            read_timeout = read_timeout.max(self.terms.stream_idle_timeout);
        }
        let rate = matches!(follows, Answer::Length(_)).then_some(self.terms.body_rate_min);
        self.waits_answer = Patience::new(read_timeout, rate);
        if matches!(follows, Answer::Bodyless(_) | Answer::Length(0)) {
            self.over(None);
        } else {
            self.down = Down::Body(body);
        }
        Ok(())
    }

    /// The answer's body, up to where it has to wait.
    fn body(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, Failure> {
        let Down::Body(body) = &mut self.down else { return Ok(Poll::Ready(())) };
        loop {
            match self.caller.poll_ready(cx).map_err(|_| Failure::CallerGone)? {
                Poll::Ready(()) => self.waits_down.came(1),
                Poll::Pending => {
                    self.waits_down.waits();
                    return Ok(Poll::Pending);
                }
            }
            if !self.chunk.is_empty() {
                let bytes = self.chunk.len();
                self.caller.data(&self.chunk);
                self.exchange.passes(&self.chunk);
                self.chunk.advance(bytes);
                // It fails only on a stream that is gone.
                let _ = body.flow_control().release_capacity(bytes);
            }
            match body.poll_data(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    self.waits_answer.came(chunk.len());
                    self.chunk = chunk;
                }
                Poll::Ready(Some(Err(error))) => return Err(failure_of(&error)),
                Poll::Ready(None) => break,
                Poll::Pending => {
                    self.waits_answer.waits();
                    return Ok(Poll::Pending);
                }
            }
        }
        match body.poll_trailers(cx) {
            Poll::Ready(Ok(trailers)) => {
                self.over(trailers);
                Ok(Poll::Ready(()))
            }
            Poll::Ready(Err(error)) => Err(failure_of(&error)),
            Poll::Pending => {
                self.waits_answer.waits();
                Ok(Poll::Pending)
            }
        }
    }

    fn over(&mut self, trailers: Option<HeaderMap>) {
        (self.count)(self.exchange);
        let trailers = trailers.filter(|_| self.asked.trailers).unwrap_or_default();
        let all = trailers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        self.caller.end(fields::trailers(all));
        self.down = Down::Over;
        if std::mem::take(&mut self.is_sending) {
            // What the caller still sends does not matter to it.
            self.up.send_reset(Reason::CANCEL);
        }
        self.waits_body.came(0);
        self.waits_answer.came(0);
        self.waits_up.came(0);
    }
}

/// A stream that was refused, or a connection that went before the stream was looked at, may be tried again.
fn failure_of(error: &h2::Error) -> Failure {
    match error.reason() {
        Some(Reason::REFUSED_STREAM) => Failure::Stale,
        _ if error.is_go_away() && error.is_remote() && error.reason() == Some(Reason::NO_ERROR) => {
            Failure::Stale
        }
        _ => Failure::Denied(Denial::UpstreamFailed),
    }
}
