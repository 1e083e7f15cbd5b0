//! Callers that are pages in a browser: told that they may read what they get (CORS), and gRPC in the form that they can
//! speak (gRPC-Web), translated on the way to gRPC and back. Both as a [`Downstream`] around a caller's own.

use std::io;
use std::task::{Context, Poll, ready};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use tokio::time::Instant;
use tollgate_engine::{Denial, Familiar};

use crate::caller::Peer;
use crate::downstream::{Answer, BodyFault, Downstream, Leaving, Length};
use crate::origins::Origins;

const WEB: &[u8] = b"application/grpc-web";
const TEXT: &[u8] = b"application/grpc-web-text";
/// What pages may read besides what they always may.
const EXPOSED: &[u8] =
    b"deprecation, grpc-status, grpc-message, grpc-status-details-bin, link, ratelimit, ratelimit-policy, retry-after, sunset, x-request-id";
/// The flag of the frame that holds trailers.
const TRAILERS: u8 = 0x80;
/// Characters of base 64 that make whole bytes.
const GROUP: usize = 4;

/// How gRPC is spoken to a page.
#[derive(Debug, Clone)]
struct Web {
    /// What calls and answers are for everybody else: `application/grpc` with what follows.
    plain: Vec<u8>,
    /// What the page wants to read.
    wanted: Vec<u8>,
    /// Bytes travel as base 64.
    as_text: bool,
    /// Characters that are not decoded, and bytes that are and were not taken.
    encoded: Vec<u8>,
    decoded: Vec<u8>,
    taken: usize,
}

/// What a page is told of itself.
#[derive(Debug, Clone)]
enum Cors {
    /// Nothing: it is none, or nobody said which may call.
    Silent,
    /// That it may read its answers, since it is from there.
    Allowed(Vec<u8>),
    /// Nothing, whatever the upstream would tell it.
    Denied,
}

/// A page's call.
pub(crate) struct Browser<'c, D> {
    caller: &'c mut D,
    cors: Cors,
    web: Option<Web>,
}

/// A page asks whether it may send a call (CORS, the Fetch standard §4.8).
pub(crate) fn is_preflight<D: Downstream>(caller: &D) -> bool {
    caller.method() == "OPTIONS" && value(caller, b"access-control-request-method").is_some()
}

/// Where a page is from.
pub(crate) fn origin<D: Downstream>(caller: &D) -> Option<&[u8]> {
    value(caller, b"origin")
}

/// Whether a page may send what it sends. It must be asked before a WebSocket is opened, since browsers ask nobody then
/// (ASVS 4.4.2). What comes without an origin is no page's.
///
/// # Errors
/// It may not.
pub(crate) fn check_origin<D: Downstream>(caller: &D, origins: &Origins) -> Result<(), Denial> {
    match origin(caller) {
        Some(origin) if !origins.is_empty() && !origins.allow(origin) => Err(Denial::OriginNotAllowed),
        _ => Ok(()),
    }
}

/// Says to a page that it may send the call that it asks about. No cookie and nothing else of the browser's own is ever
/// let through, so that a key is all that matters.
pub(crate) fn allow_preflight<D: Downstream>(caller: &mut D) {
    let copied = |caller: &D, name: &[u8]| value(caller, name).map(<[u8]>::to_vec);
    let origin = copied(caller, b"origin");
    let method = copied(caller, b"access-control-request-method");
    let names = copied(caller, b"access-control-request-headers");
    caller.begin(204);
    for (name, value) in [
        (&b"access-control-allow-origin"[..], origin),
        (b"access-control-allow-methods", method),
        (b"access-control-allow-headers", names),
    ] {
        if let Some(value) = value {
            caller.field(name, &value);
        }
    }
    caller.field(b"access-control-max-age", b"600");
    caller.field(b"vary", b"origin, access-control-request-method, access-control-request-headers");
    caller.head_done(Answer::Bodyless(None));
    caller.end(std::iter::empty());
}

fn value<'d, D: Downstream>(caller: &'d D, wanted: &[u8]) -> Option<&'d [u8]> {
    caller.fields().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

impl Web {
    fn of<D: Downstream>(caller: &D) -> Option<Self> {
        let sent = value(caller, b"content-type")?;
        let begins = |with: &[u8]| {
            sent.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with))
                && matches!(sent.get(with.len()), None | Some(b'+' | b';'))
        };
        let as_text = begins(TEXT);
        let rest = match (as_text, begins(WEB)) {
            (true, _) => &sent[TEXT.len()..],
            (false, true) => &sent[WEB.len()..],
            (false, false) => return None,
        };
        Some(Self {
            plain: [b"application/grpc", rest].concat(),
            wanted: [if as_text { TEXT } else { WEB }, rest].concat(),
            as_text,
            encoded: Vec::new(),
            decoded: Vec::new(),
            taken: 0,
        })
    }

    /// Takes what came of the body; whole groups are decoded. A group that is padded may stand anywhere: pages encode
    /// piece by piece.
    fn decode(&mut self, bytes: &[u8]) -> Result<(), BodyFault> {
        self.encoded.extend_from_slice(bytes);
        let whole = self.encoded.len() / GROUP * GROUP;
        for group in self.encoded[..whole].chunks(GROUP) {
            let mut out = [0; 3];
            let len = STANDARD.decode_slice(group, &mut out).map_err(|_| BodyFault::Malformed)?;
            self.decoded.extend_from_slice(&out[..len]);
        }
        self.encoded.drain(..whole);
        Ok(())
    }
}

impl<'c, D: Downstream> Browser<'c, D> {
    /// A call of a page that must be told something, or speaks in its own way; every other call stays what it is.
    pub(crate) fn of(caller: &'c mut D, origins: &Origins) -> Result<Self, &'c mut D> {
        let cors = match if origins.is_empty() { None } else { origin(caller) } {
            None => Cors::Silent,
            Some(origin) if origins.allow(origin) => Cors::Allowed(origin.to_vec()),
            Some(_) => Cors::Denied,
        };
        let web = if caller.method() == "POST" { Web::of(caller) } else { None };
        if matches!(cors, Cors::Silent) && web.is_none() {
            return Err(caller);
        }
        Ok(Self { caller, cors, web })
    }
}

impl<D: Downstream> Downstream for Browser<'_, D> {
    fn peer(&self) -> &Peer {
        self.caller.peer()
    }

    fn method(&self) -> &str {
        self.caller.method()
    }

    fn authority(&self) -> Option<&[u8]> {
        self.caller.authority()
    }

    fn target(&self) -> &[u8] {
        self.caller.target()
    }

    fn fields(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> + Clone {
        let plain = self.web.as_ref().map(|web| web.plain.as_slice());
        let own = self.caller.fields().filter(move |(name, _)| {
            plain.is_none() || !is_one_of(name, &[b"content-type", b"accept", b"te", b"x-grpc-web"])
        });
        let ours = plain.map(|plain| [(&b"content-type"[..], plain), (b"te", b"trailers")]);
        own.chain(ours.into_iter().flatten())
    }

    fn length(&self) -> Length {
        match (self.caller.length(), &self.web) {
            (Length::Known(_), Some(web)) if web.as_text => Length::Unknown,
            (length, _) => length,
        }
    }

    fn can_switch(&self) -> bool {
        self.web.is_none() && self.caller.can_switch()
    }

    fn is_of_1_0(&self) -> bool {
        self.caller.is_of_1_0()
    }

    fn take_familiar(&mut self) -> Option<Familiar> {
        self.caller.take_familiar()
    }

    fn keep_familiar(&mut self, familiar: Familiar) {
        self.caller.keep_familiar(familiar);
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<&[u8]>, BodyFault>> {
        let Some(web) = self.web.as_mut().filter(|web| web.as_text) else { return self.caller.poll_body(cx) };
        while web.taken == web.decoded.len() {
            web.decoded.clear();
            web.taken = 0;
            match ready!(self.caller.poll_body(cx))? {
                Some(bytes) => {
                    let here = bytes.len();
                    web.decode(bytes)?;
                    self.caller.took(here);
                }
                None if web.encoded.is_empty() => return Poll::Ready(Ok(None)),
                None => return Poll::Ready(Err(BodyFault::Malformed)),
            }
        }
        Poll::Ready(Ok(Some(&web.decoded[web.taken..])))
    }

    fn took(&mut self, bytes: usize) {
        match self.web.as_mut().filter(|web| web.as_text) {
            Some(web) => web.taken += bytes,
            None => self.caller.took(bytes),
        }
    }

    fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Option<HeaderMap>> {
        self.caller.poll_trailers(cx)
    }

    fn begin(&mut self, status: u16) {
        self.caller.begin(status);
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        // What an upstream says of origins would stand beside what we say, and be read as neither.
        let is_cors = || name.get(..15).is_some_and(|begin| begin.eq_ignore_ascii_case(b"access-control-"));
        if !matches!(self.cors, Cors::Silent) && is_cors() {
            return;
        }
        match &self.web {
            Some(web) if name.eq_ignore_ascii_case(b"content-type") => self.caller.field(name, &web.wanted),
            _ => self.caller.field(name, value),
        }
    }

    fn field_with(&mut self, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        self.caller.field_with(name, write);
    }

    fn head_done(&mut self, follows: Answer) {
        if follows != Answer::Interim {
            if let Cors::Allowed(origin) = &self.cors {
                self.caller.field(b"access-control-allow-origin", origin);
                self.caller.field(b"access-control-expose-headers", EXPOSED);
            }
            if !matches!(self.cors, Cors::Silent) {
                self.caller.field(b"vary", b"origin");
            }
        }
        // What is added at the end has no place in a length that was announced.
        self.caller.head_done(match (follows, &self.web) {
            (Answer::Length(1..), Some(_)) => Answer::Unknown,
            (follows, _) => follows,
        });
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.caller.poll_ready(cx)
    }

    fn data(&mut self, bytes: &[u8]) {
        match &self.web {
            Some(web) if web.as_text => self.caller.data(STANDARD.encode(bytes).as_bytes()),
            _ => self.caller.data(bytes),
        }
    }

    fn end<'t>(&mut self, trailers: impl Iterator<Item = (&'t [u8], &'t [u8])>) {
        if self.web.is_none() {
            return self.caller.end(trailers);
        }
        let mut block = Vec::new();
        for (name, value) in trailers {
            for part in [name, b": ", value, b"\r\n"] {
                block.extend_from_slice(part);
            }
        }
        // An answer without trailers said everything in its head.
        if !block.is_empty() {
            let length = u32::try_from(block.len()).unwrap_or(u32::MAX).to_be_bytes();
            let frame = [&[TRAILERS][..], &length, &block].concat();
            self.data(&frame);
        }
        self.caller.end(std::iter::empty());
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.caller.poll_flush(cx)
    }

    fn unsent(&self) -> usize {
        self.caller.unsent()
    }

    fn close_after(&mut self) {
        self.caller.close_after();
    }

    fn abort(&mut self) {
        self.caller.abort();
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Leaving> {
        self.caller.poll_gone(cx)
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        self.caller.poll_until(cx, due)
    }
}

fn is_one_of(name: &[u8], names: &[&[u8]]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}
