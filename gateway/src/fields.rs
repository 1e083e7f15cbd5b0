//! Which fields change on the way: the caller's credential and everything it could pretend to be is taken out, what the
//! gateway knows is put in.

mod names;
mod onward;
mod said;

use tollgate_engine::answer::AnswerReader;
use tollgate_engine::head::Field;

use crate::downstream::Downstream;
use names::Names;
pub(crate) use onward::ToUpstream;
pub(crate) use said::{Hop, Said};

/// Never taken over from a caller: what belongs to its hop or frames its body, its credential, our identity fields, where
/// it says it comes from, and a wish that we have fulfilled ourselves.
const NOT_FROM_CALLERS: Names<25> = Names::sorted([
    "te",
    "host",
    "expect",
    "x-plan",
    "upgrade",
    "trailer",
    "x-api-key",
    "forwarded",
    "x-real-ip",
    "connection",
    "keep-alive",
    "client-cert",
    "x-request-id",
    "authorization",
    "x-consumer-id",
    "http2-settings",
    "content-length",
    "x-forwarded-for",
    "x-application-id",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "transfer-encoding",
    "x-subscription-id",
    "client-cert-chain",
]);

/// Never taken over from an upstream: what belongs to its own hop, says what it runs on, or is ours to say.
const NOT_FROM_UPSTREAMS: Names<16> = Names::sorted([
    "te",
    "via",
    "server",
    "upgrade",
    "ratelimit",
    "connection",
    "keep-alive",
    "x-powered-by",
    "x-request-id",
    "proxy-status",
    "content-length",
    "ratelimit-policy",
    "proxy-connection",
    "transfer-encoding",
    "proxy-authenticate",
    "proxy-authentication-info",
]);

/// What a trailer may not say besides (RFC 9110 §6.5.1): it would come too late, or about something else.
const NOT_IN_TRAILERS: [&str; 5] =
    ["set-cookie", "trailer", "content-encoding", "content-type", "content-range"];

/// Appends a number in decimal digits.
pub(crate) fn write_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// What of an upstream's answer is ours to say, here and now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ours<'o> {
    /// No cookie may reach it.
    pub(crate) portal_host: &'o str,
    /// Whether the API's own deprecation is told: each of these fields is one item, and two would be none.
    pub(crate) deprecation: bool,
}

impl Ours<'_> {
    fn keeps_out(&self, name: &[u8], value: &[u8]) -> bool {
        (is(name, "set-cookie") && is_cookie_for(value, self.portal_host))
            || (self.deprecation && is_one_of(name, &["deprecation", "sunset"]))
    }
}

/// Hands the fields of an upstream's answer over, without what does not concern the caller and without cookies that
/// would reach the portal. Says whether one of them was a `Date`.
pub(crate) fn from_upstream<D: Downstream>(
    caller: &mut D,
    answer: &AnswerReader,
    head: &[u8],
    ours: &Ours<'_>,
) -> bool {
    let all = || answer.fields().iter().map(|field| (field.name(head), field.value(head)));
    let connection = || all().filter(|(name, _)| is(name, "connection")).map(|(_, value)| value);
    let mut dated = false;
    for (name, value) in all() {
        if !comes_from_upstreams(name)
            || ours.keeps_out(name, value)
            || (answer.names_fields()
                && connection().any(|value| options(value).any(|option| option.eq_ignore_ascii_case(name))))
        {
            continue;
        }
        dated |= is(name, "date");
        caller.field(name, value);
    }
    dated
}

/// As [`from_upstream`], of an answer that came in frames, which have no fields of a connection.
pub(crate) fn of_frames<'f, D: Downstream>(
    caller: &mut D,
    all: impl Iterator<Item = (&'f [u8], &'f [u8])>,
    ours: &Ours<'_>,
) -> bool {
    let mut dated = false;
    for (name, value) in all {
        if comes_from_upstreams(name) && !ours.keeps_out(name, value) {
            dated |= is(name, "date");
            caller.field(name, value);
        }
    }
    dated
}

/// Whether an answer with status 101 switches to what was asked for.
pub(crate) fn switches_to_websocket(fields: &[Field], head: &[u8]) -> bool {
    let mut upgrade = fields.iter().filter(|field| is(field.name(head), "upgrade"));
    matches!((upgrade.next(), upgrade.next()), (Some(field), None) if is(field.value(head), "websocket"))
}

/// Whether an answer is a stream of events, which may be silent for long.
pub(crate) fn is_event_stream(fields: &[Field], head: &[u8]) -> bool {
    let mut types = fields.iter().filter(|field| is(field.name(head), "content-type"));
    types.any(|field| names_event_stream(field.value(head)))
}

/// As [`is_event_stream`], of a content type.
pub(crate) fn names_event_stream(value: &[u8]) -> bool {
    value.get(..17).is_some_and(|start| start.eq_ignore_ascii_case(b"text/event-stream"))
}

/// The trailers of an upstream's answer that may go on.
pub(crate) fn trailers<'t>(
    all: impl Iterator<Item = (&'t [u8], &'t [u8])>,
) -> impl Iterator<Item = (&'t [u8], &'t [u8])> {
    all.filter(|(name, _)| comes_from_upstreams(name) && !is_one_of(name, &NOT_IN_TRAILERS))
}

/// The trailers of a caller that may go on.
pub(crate) fn callers_trailers<'t>(
    all: impl Iterator<Item = (&'t [u8], &'t [u8])>,
) -> impl Iterator<Item = (&'t [u8], &'t [u8])> {
    all.filter(|(name, _)| comes_from_callers(name) && !is_one_of(name, &NOT_IN_TRAILERS))
}

/// Some servers read `X_Plan` as `X-Plan` (RFC 3875 §4.1.18), hence both are kept out.
fn comes_from_callers(name: &[u8]) -> bool {
    let same = |reserved: &&str| {
        let mut letters = reserved.bytes().zip(name);
        letters.all(|(r, n)| r == n.to_ascii_lowercase() || (r == b'-' && *n == b'_'))
    };
    let begins = |start: &[u8]| name.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start));
    !NOT_FROM_CALLERS.as_long_as(name).iter().any(same)
        && !begins(b"proxy-")
        && !begins(b"proxy_")
        && !begins(b"x-client-cert")
}

fn comes_from_upstreams(name: &[u8]) -> bool {
    let mut known = NOT_FROM_UPSTREAMS.as_long_as(name).iter();
    !known.any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

fn is(name: &[u8], known: &str) -> bool {
    name.len() == known.len() && name.eq_ignore_ascii_case(known.as_bytes())
}

fn is_one_of(name: &[u8], known: &[&str]) -> bool {
    known.iter().any(|known| is(name, known))
}

fn options(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// Whether a cookie would also be sent to `host`: its `Domain` (RFC 6265 §5.2.3) is that host or above it.
fn is_cookie_for(cookie: &[u8], host: &str) -> bool {
    cookie.split(|byte| *byte == b';').skip(1).any(|attribute| {
        let mut parts = attribute.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
        let (Some(name), Some(domain)) = (parts.next(), parts.next()) else { return false };
        let domain = domain.strip_prefix(b".").unwrap_or(domain).to_ascii_lowercase();
        name.eq_ignore_ascii_case(b"domain")
            && host
                .as_bytes()
                .strip_suffix(&*domain)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with(b"."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_may_not_say_is_known_in_every_spelling() {
        for name in
            ["authorization", "X-Plan", "x_plan", "x_consumer-id", "proxy-authorization", "Proxy_x", "TE"]
        {
            assert!(!comes_from_callers(name.as_bytes()), "{name}");
        }
        for name in ["accept", "x-plans", "traceparent", "cookie", "proxy"] {
            assert!(comes_from_callers(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_trailer_says_nothing_of_framing_cookies_or_ours() {
        let all: [(&[u8], &[u8]); 5] = [
            (b"Grpc-Status", b"0"),
            (b"Content-Length", b"5"),
            (b"Set-Cookie", b"a=b"),
            (b"X-Request-Id", b"forged"),
            (b"Digest", b"x"),
        ];
        let kept: Vec<&[u8]> = trailers(all.into_iter()).map(|(name, _)| name).collect();
        assert_eq!(kept, [b"Grpc-Status".as_slice(), b"Digest"]);
    }
}
