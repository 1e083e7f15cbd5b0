//! One HTTP/2 stream as the chain sees it: a request, and the way back to its caller.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::header::{CONTENT_LENGTH, COOKIE, HOST, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use tokio::time::Instant;
use tollgate_engine::head::BadHead;
use tollgate_engine::head2::{Pseudo, check};

use crate::caller::Peer;
use crate::clock::Alarm;
use crate::downstream::{Answer, BodyFault, Downstream, Leaving, Length};

/// A stream may be asked for its next deadline only much later; this one is never waited for.
const FAR: std::time::Duration = std::time::Duration::from_secs(3_600);

/// Room for the fields of a common answer, so that it is taken once.
const FIELDS: usize = 20;

/// What of an answer was said.
enum Out {
    /// Its final head is not sent.
    Head(SendResponse<Bytes>),
    Body(SendStream<Bytes>),
    /// It is complete, or cut off.
    Over,
}

/// One stream.
pub(crate) struct Call {
    peer: Arc<Peer>,
    head: http::request::Parts,
    fields: Vec<(HeaderName, HeaderValue)>,
    length: Length,
    body: RecvStream,
    /// What came of the body and is not dealt with.
    chunk: Bytes,
    out: Out,
    answer: Response<()>,
    /// Where a field's value is written before its length is known.
    written: Vec<u8>,
    /// Whether trailers may follow a body of a known length.
    wants_trailers: bool,
    /// Of the answer's body, what its head announced and was not handed to the library; none where it did not say, or
    /// where its last byte may not be the end.
    left: Option<u64>,
    /// Of the answer's body, what the caller's windows do not allow yet.
    held: BytesMut,
    /// Said once the answer has no more data.
    trailers: Option<HeaderMap>,
    alarm: Alarm,
}

impl Call {
    /// Takes a stream over.
    pub(crate) fn new(request: Request<RecvStream>, respond: SendResponse<Bytes>, peer: Arc<Peer>) -> Self {
        let (mut head, body) = request.into_parts();
        let declared = head.headers.get(CONTENT_LENGTH);
        let declared = declared.and_then(|length| length.to_str().ok()?.parse().ok());
        let length = match declared {
            _ if body.is_end_stream() => Length::None,
            Some(0) => Length::None,
            Some(length) => Length::Known(length),
            None => Length::Unknown,
        };
        let wants_trailers = head.headers.contains_key(TE);
        let fields = fields_of(&mut head.headers);
        Self {
            peer,
            head,
            fields,
            length,
            body,
            chunk: Bytes::new(),
            out: Out::Head(respond),
            answer: Response::new(()),
            written: Vec::new(),
            wants_trailers,
            left: None,
            held: BytesMut::new(),
            trailers: None,
            alarm: Alarm::new(Instant::now() + FAR),
        }
    }

    /// Whether its head is in order.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub(crate) fn check(&self) -> Result<(), BadHead> {
        let pseudo = Pseudo {
            method: self.head.method.as_str(),
            scheme: self.head.uri.scheme_str(),
            authority: self.head.uri.authority().map(|authority| authority.as_str().as_bytes()),
            target: self.target(),
        };
        check(pseudo, self.fields())
    }

    /// Hands on what the caller's windows allow of these bytes. How many that were; all of them where nobody reads them.
    fn send_within_window(&mut self, bytes: &[u8]) -> usize {
        let Out::Body(data) = &mut self.out else { return bytes.len() };
        data.reserve_capacity(bytes.len());
        let sent = bytes.len().min(data.capacity());
        if sent == 0 {
            return 0;
        }
        // What is announced ends with its last byte, in one frame.
        self.left = self.left.map(|left| left.saturating_sub(sent as u64));
        let ends = self.left == Some(0);
        let handed_on = data.send_data(Bytes::copy_from_slice(&bytes[..sent]), ends);
        if ends {
            self.out = Out::Over;
        }
        // It fails only where the caller has reset the stream; the next look at the window tells.
        if handed_on.is_ok() { sent } else { bytes.len() }
    }

    fn send_held(&mut self) {
        let held = std::mem::take(&mut self.held);
        let sent = self.send_within_window(&held);
        self.held = held;
        self.held.advance(sent);
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let Out::Body(data) = &mut self.out else {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            };
            data.reserve_capacity(self.held.len());
            match ready!(data.poll_capacity(cx)) {
                Some(Ok(_)) => self.send_held(),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        self.send_end();
        Poll::Ready(Ok(()))
    }

    /// Ends the stream once nothing is held back.
    fn send_end(&mut self) {
        if !self.held.is_empty() || self.trailers.is_none() {
            return;
        }
        let trailers = self.trailers.take().unwrap_or_default();
        let Out::Body(mut data) = std::mem::replace(&mut self.out, Out::Over) else { return };
        // Both fail only where the caller has reset the stream.
        let _ = match trailers.is_empty() {
            true => data.send_data(Bytes::new(), true),
            false => data.send_trailers(trailers),
        };
    }

    fn put(&mut self, name: &[u8], value: HeaderValue) {
        if let Ok(name) = HeaderName::from_bytes(name) {
            self.answer.headers_mut().append(name, value);
        }
    }
}

/// RFC 9113 §8.2.3: a cookie may come in crumbs, and is one field for everybody else.
fn fields_of(headers: &mut HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let mut crumbs = headers.get_all(COOKIE).iter();
    if let (Some(first), Some(second)) = (crumbs.next(), crumbs.next()) {
        let all: Vec<&[u8]> = [first, second].into_iter().chain(crumbs).map(HeaderValue::as_bytes).collect();
        if let Ok(whole) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
            headers.insert(COOKIE, whole);
        }
    }
    let mut fields: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(headers.len());
    for (name, value) in headers.drain() {
        // A name stands only before its first value.
        let Some(name) = name.or_else(|| fields.last().map(|(name, _)| name.clone())) else { continue };
        fields.push((name, value));
    }
    fields
}

impl Downstream for Call {
    fn peer(&self) -> &Peer {
        &self.peer
    }

    fn method(&self) -> &str {
        self.head.method.as_str()
    }

    fn authority(&self) -> Option<&[u8]> {
        let authority = self.head.uri.authority().map(|authority| authority.as_str().as_bytes());
        authority.or_else(|| {
            let host = self.fields.iter().find(|(name, _)| *name == HOST);
            host.map(|(_, value)| value.as_bytes())
        })
    }

    fn target(&self) -> &[u8] {
        self.head.uri.path_and_query().map_or(b"", |target| target.as_str().as_bytes())
    }

    fn fields(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> + Clone {
        self.fields.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
    }

    fn length(&self) -> Length {
        self.length
    }

    /// RFC 9113 §8.6 has no upgrades; extended CONNECT is not spoken.
    fn can_switch(&self) -> bool {
        false
    }

    fn is_of_1_0(&self) -> bool {
        false
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<&[u8]>, BodyFault>> {
        while self.chunk.is_empty() {
            match ready!(self.body.poll_data(cx)) {
                Some(Ok(chunk)) => self.chunk = chunk,
                // What breaks the frames' rules, a length that does not hold among them, resets the stream.
                Some(Err(error)) if error.is_library() => return Poll::Ready(Err(BodyFault::Malformed)),
                Some(Err(_)) => return Poll::Ready(Err(BodyFault::Gone)),
                None => return Poll::Ready(Ok(None)),
            }
        }
        Poll::Ready(Ok(Some(&self.chunk)))
    }

    fn took(&mut self, bytes: usize) {
        self.chunk.advance(bytes);
        // The window opens again only for what was dealt with. That fails only on a stream that is gone.
        let _ = self.body.flow_control().release_capacity(bytes);
    }

    fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Option<HeaderMap>> {
        // A stream that breaks off here is noticed where its reset is.
        self.body.poll_trailers(cx).map(|trailers| trailers.ok().flatten())
    }

    fn begin(&mut self, status: u16) {
        *self.answer.headers_mut() = HeaderMap::with_capacity(FIELDS);
        *self.answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            self.put(name, value);
        }
    }

    fn field_with(&mut self, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        self.written.clear();
        write(&mut self.written);
        if let Ok(value) = HeaderValue::from_bytes(&self.written) {
            self.put(name, value);
        }
    }

    fn head_done(&mut self, follows: Answer) {
        let Out::Head(mut respond) = std::mem::replace(&mut self.out, Out::Over) else { return };
        let mut answer = std::mem::replace(&mut self.answer, Response::new(()));
        let length = match follows {
            Answer::Interim => {
                // Nobody is bound to understand it, and a caller that is gone is noticed with the final head.
                let _ = respond.send_informational(answer);
                self.out = Out::Head(respond);
                return;
            }
            Answer::Bodyless(length) => length,
            Answer::Length(length) => Some(length),
            Answer::Unknown | Answer::Switched => None,
        };
        if let Some(length) = length {
            answer.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        self.left = length.filter(|_| !self.wants_trailers);
        let ends = matches!(follows, Answer::Bodyless(_) | Answer::Length(0));
        // It fails only where the caller has reset the stream, and then everything after it does too.
        if let Ok(data) = respond.send_response(answer, ends)
            && !ends
        {
            self.out = Out::Body(data);
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    fn data(&mut self, bytes: &[u8]) {
        let sent = if self.held.is_empty() { self.send_within_window(bytes) } else { 0 };
        self.held.extend_from_slice(&bytes[sent..]);
    }

    fn end<'t>(&mut self, trailers: impl Iterator<Item = (&'t [u8], &'t [u8])>) {
        self.trailers = Some(
            trailers
                .filter_map(|(name, value)| {
                    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
                })
                .collect(),
        );
        self.send_end();
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    /// What is within the caller's windows is the connection's to send.
    fn unsent(&self) -> usize {
        self.held.len()
    }

    /// Streams end one by one; the connection goes on.
    fn close_after(&mut self) {}

    fn abort(&mut self) {
        match std::mem::replace(&mut self.out, Out::Over) {
            Out::Head(mut respond) => respond.send_reset(Reason::INTERNAL_ERROR),
            Out::Body(mut data) => data.send_reset(Reason::INTERNAL_ERROR),
            Out::Over => {}
        }
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Leaving> {
        let reset = match &mut self.out {
            Out::Head(respond) => respond.poll_reset(cx),
            Out::Body(data) => data.poll_reset(cx),
            Out::Over => return Poll::Pending,
        };
        reset.map(|_| Leaving::Gone)
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        self.alarm.poll_until(cx, due)
    }
}
