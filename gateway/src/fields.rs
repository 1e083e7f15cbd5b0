//! Which fields change on the way: the caller's credential and everything it could pretend to be is taken out, what the
//! gateway knows is put in.

use std::net::IpAddr;

use http::header::{self, HeaderName, HeaderValue};
use pingora_core::Result;
use pingora_http::{RequestHeader, ResponseHeader};
use tollgate_engine::Admission;

use crate::caller::Caller;
use crate::exchange::RequestId;
use crate::upstream::Destination;

/// Never taken over from a caller: its credential, our identity fields, where it says it comes from, and a wish that
/// we have fulfilled ourselves.
const NOT_FROM_CALLERS: [&str; 14] = [
    "expect",
    "authorization",
    "x-api-key",
    "x-consumer-id",
    "x-application-id",
    "x-subscription-id",
    "x-plan",
    "x-request-id",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-real-ip",
];

/// Never taken over from an upstream: what belongs to its own hop, says what it runs on, or is ours to say.
const NOT_FROM_UPSTREAMS: [&str; 12] = [
    "server",
    "via",
    "x-powered-by",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "upgrade",
    "te",
    "x-request-id",
    "proxy-status",
    "ratelimit",
    "ratelimit-policy",
];

/// What `Connection` may name without meaning a field.
const CONNECTION_OPTIONS: [&str; 3] = ["close", "keep-alive", "transfer-encoding"];

/// Makes the caller's request the upstream's.
pub(crate) fn to_upstream(
    request: &mut RequestHeader,
    admission: &Admission,
    destination: &Destination,
    base_path: &str,
    request_id: &RequestId,
    caller: Option<Caller>,
) -> Result<()> {
    let removed: Vec<HeaderName> =
        request.headers.keys().filter(|name| !comes_from_callers(name.as_str())).cloned().collect();
    for name in removed {
        request.remove_header(&name);
    }
    set_target(request, &destination.path_prefix, base_path)?;
    request.insert_header(header::HOST, &destination.authority)?;
    request.insert_header("X-Request-Id", request_id.value())?;
    let consumer = &admission.consumer;
    request.insert_header("X-Consumer-Id", consumer.organization_id().to_string())?;
    request.insert_header("X-Application-Id", consumer.application_id().to_string())?;
    request.insert_header("X-Subscription-Id", consumer.subscription_id().to_string())?;
    request.insert_header("X-Plan", &*admission.plan().slug)?;
    if let Some(caller) = caller {
        set_forwarded(request, caller)?;
    }
    Ok(())
}

/// What `Content-Length` announces; 0 without one.
pub(crate) fn declared_length(request: &RequestHeader) -> u64 {
    let length = request.headers.get(header::CONTENT_LENGTH);
    length.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0)
}

/// Whether the caller holds its body back until it is asked for (RFC 9110 §10.1.1).
pub(crate) fn waits_for_consent(request: &RequestHeader) -> bool {
    let expect = request.headers.get(header::EXPECT);
    request.version == http::Version::HTTP_11
        && expect.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Some servers read `X_Plan` as `X-Plan` (RFC 3875 §4.1.18), hence both are kept out.
fn comes_from_callers(name: &str) -> bool {
    let same = |reserved: &str| {
        reserved.len() == name.len()
            && reserved.bytes().zip(name.bytes()).all(|(r, n)| r == n || (r == b'-' && n == b'_'))
    };
    !NOT_FROM_CALLERS.into_iter().any(same)
        && !name.get(..6).is_some_and(|start| start == "proxy-" || start == "proxy_")
}

/// The target's own path, then the path without what the API has in front, then the query.
fn set_target(request: &mut RequestHeader, prefix: &str, base_path: &str) -> Result<()> {
    if prefix.is_empty() && base_path.is_empty() {
        return Ok(());
    }
    let target = request.raw_path();
    let rest = target.strip_prefix(base_path.as_bytes()).unwrap_or(target);
    let mut path = Vec::with_capacity(prefix.len() + rest.len() + 1);
    path.extend_from_slice(prefix.as_bytes());
    if !rest.starts_with(b"/") && (path.is_empty() || !rest.is_empty()) {
        path.push(b'/');
    }
    path.extend_from_slice(rest);
    request.set_raw_path(&path)
}

/// Set anew: only what we see ourselves, or a trusted proxy does, is true.
fn set_forwarded(request: &mut RequestHeader, caller: Caller) -> Result<()> {
    let Caller { address, scheme, host } = caller;
    // RFC 7239 §6: an IPv6 node stands in brackets and quotes.
    let node = match address {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("\"[{ip}]\""),
    };
    let mut forwarded = format!("for={node};proto={scheme}");
    if let Some(host) = host {
        if let Ok(host) = host.to_str() {
            forwarded.push_str(&format!(";host=\"{host}\""));
        }
        request.insert_header("X-Forwarded-Host", host)?;
    }
    request.insert_header("Forwarded", forwarded)?;
    request.insert_header("X-Forwarded-For", address.to_string())?;
    request.insert_header("X-Forwarded-Proto", scheme)
}

/// Whether an upstream's answer has a status that exists, one end at most, and no control byte in a value: what Pingora
/// lets pass, and callers could read differently.
pub(crate) fn is_in_order(response: &ResponseHeader) -> bool {
    let fields = &response.headers;
    let mut lengths = fields.get_all(header::CONTENT_LENGTH).iter();
    let mut codings = fields.get_all(header::TRANSFER_ENCODING).iter();
    let length = lengths.next().is_none_or(|length| length.as_bytes().iter().all(u8::is_ascii_digit));
    let coding = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    (100..600).contains(&response.status.as_u16())
        && length
        && coding
        && lengths.next().is_none()
        && codings.next().is_none()
        && fields.values().all(|value| !value.as_bytes().iter().any(|b| b.is_ascii_control() && *b != b'\t'))
}

/// Whether a cookie would also be sent to `host`: its `Domain` (RFC 6265 §5.2.3) is that host or above it.
fn is_cookie_for(cookie: &HeaderValue, host: &str) -> bool {
    cookie.as_bytes().split(|byte| *byte == b';').skip(1).any(|attribute| {
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

/// Takes out of the upstream's answer what does not concern the caller, and cookies that would reach the portal.
pub(crate) fn from_upstream(response: &mut ResponseHeader, portal_host: &str) {
    let for_portal = |cookie: &HeaderValue| is_cookie_for(cookie, portal_host);
    if response.headers.get_all(header::SET_COOKIE).iter().any(for_portal) {
        let cookies: Vec<HeaderValue> =
            response.headers.get_all(header::SET_COOKIE).iter().cloned().collect();
        response.remove_header(&header::SET_COOKIE);
        for cookie in cookies.into_iter().filter(|cookie| !for_portal(cookie)) {
            // A field that came in can be put in.
            let _ = response.append_header(header::SET_COOKIE, cookie);
        }
    }
    let named: Vec<HeaderName> = response
        .headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|option| option.trim().to_ascii_lowercase())
        .filter(|option| !CONNECTION_OPTIONS.contains(&option.as_str()))
        .filter_map(|option| option.parse().ok())
        .collect();
    for name in named {
        response.remove_header(&name);
    }
    for name in NOT_FROM_UPSTREAMS {
        response.remove_header(name);
    }
    // RFC 9110 §8.6.
    if response.status == http::StatusCode::NO_CONTENT {
        response.remove_header(&header::CONTENT_LENGTH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(prefix: &str, base_path: &str, target: &str) -> String {
        let mut request = RequestHeader::build("GET", target.as_bytes(), None).unwrap();
        set_target(&mut request, prefix, base_path).unwrap();
        String::from_utf8(request.raw_path().to_vec()).unwrap()
    }

    #[test]
    fn the_base_path_gives_way_to_the_targets_own() {
        assert_eq!(target("", "", "/a?q=1"), "/a?q=1");
        assert_eq!(target("", "/v1", "/v1/a?q=1"), "/a?q=1");
        assert_eq!(target("/up", "/v1", "/v1/a%20b/?q"), "/up/a%20b/?q");
        assert_eq!(target("/up", "", "/a"), "/up/a");
        assert_eq!(target("", "/v1", "/v1"), "/");
        assert_eq!(target("", "/v1", "/v1?q=1"), "/?q=1");
        assert_eq!(target("/up", "/v1", "/v1"), "/up");
    }

    #[test]
    fn what_callers_may_not_say_is_known_in_every_spelling() {
        for name in ["authorization", "x-plan", "x_plan", "x_consumer-id", "proxy-authorization", "proxy_x"] {
            assert!(!comes_from_callers(name), "{name}");
        }
        for name in ["accept", "x-plans", "traceparent", "cookie", "proxy"] {
            assert!(comes_from_callers(name), "{name}");
        }
    }

    #[test]
    fn what_an_upstream_says_to_its_own_hop_goes_no_further() {
        let mut response = ResponseHeader::build(204, None).unwrap();
        for (name, value) in [
            ("Connection", "X-Private, close"),
            ("X-Private", "1"),
            ("Server", "secret/1"),
            ("Keep-Alive", "timeout=5"),
            ("Content-Length", "0"),
            ("ETag", "\"1\""),
        ] {
            response.append_header(name, value).unwrap();
        }
        from_upstream(&mut response, "portal.example");
        for gone in ["x-private", "server", "keep-alive", "content-length"] {
            assert!(!response.headers.contains_key(gone), "{gone}");
        }
        assert!(response.headers.contains_key("etag"));
    }
}
