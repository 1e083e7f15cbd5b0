//! Every answer that the gateway makes itself: the only place where a refusal becomes bytes.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use pingora_core::Result;
use pingora_http::ResponseHeader;
use pingora_proxy::Session;
use tollgate_engine::head::BadHead;
use tollgate_engine::{Admission, Denial, Problem, Refusal};

use crate::exchange::{RequestId, unix_ns};
use crate::fields::declared_length;
use crate::metrics::Metrics;
use crate::request_log::{Ending, RequestLog, Text};

/// An unread body larger than this is not worth reading to keep a connection.
const DRAIN_BYTES_MAX: u64 = 64 * 1024;

/// What is refused, and why.
pub(crate) enum Why<'w> {
    /// By the engine, with the standing of the plan's limits where they were looked at.
    Refused(&'w Refusal),
    /// By the proxy, for a reason that the engine can name; with the admission where the call had one.
    Denied(&'w Denial, Option<&'w Admission>),
    /// Before the engine could be asked.
    BadHead(&'w BadHead),
}

impl<'w> Why<'w> {
    fn denial(&self) -> Option<&'w Denial> {
        match self {
            Self::Refused(refusal) => Some(&refusal.denial),
            Self::Denied(denial, _) => Some(denial),
            Self::BadHead(BadHead::Denied(denial)) => Some(denial),
            Self::BadHead(_) => None,
        }
    }

    /// The HTTP status of the answer.
    pub(crate) fn status(&self) -> u16 {
        match (self, self.denial()) {
            (_, Some(denial)) => denial.status(),
            (Self::BadHead(BadHead::TooLarge), None) => 431,
            (_, None) => 400,
        }
    }

    /// The problem's stable word.
    pub(crate) fn code(&self) -> &'static str {
        match (self, self.denial()) {
            (_, Some(denial)) => denial.code(),
            (Self::BadHead(BadHead::TooLarge), None) => "head_too_large",
            (Self::BadHead(BadHead::Malformed(_)), None) => "malformed_request",
            (_, None) => "ambiguous_request",
        }
    }

    /// The error type of RFC 9209 §2.3.
    fn proxy_error(&self) -> &'static str {
        let Some(denial) = self.denial() else { return "http_request_error" };
        match denial {
            Denial::RouteNotFound => "destination_not_found",
            Denial::UpstreamUnreachable | Denial::NotReady => "destination_unavailable",
            Denial::UpstreamTimeout => "http_response_timeout",
            Denial::UpstreamFailed => "http_protocol_error",
            Denial::Internal => "proxy_internal_error",
            Denial::BodyTooLarge | Denial::RequestTimeout | Denial::ExpectationFailed => "http_request_error",
            Denial::CodingNotImplemented => "http_request_error",
            other if other.status() == 400 || other.status() == 414 => "http_request_error",
            _ => "http_request_denied",
        }
    }
}

/// Answers a head that is refused before Pingora sees it.
pub(crate) struct Unreadable {
    type_base: String,
    metrics: Arc<Metrics>,
    log: Arc<RequestLog>,
}

impl Unreadable {
    pub(crate) fn new(type_base: String, metrics: Arc<Metrics>, log: Arc<RequestLog>) -> Self {
        Self { type_base, metrics, log }
    }

    /// The whole answer; the connection closes behind it. `bodyless` for HEAD.
    pub(crate) fn answer(&self, bad: &BadHead, bodyless: bool) -> Vec<u8> {
        let why = Why::BadHead(bad);
        let request_id = RequestId::fresh();
        self.metrics.refused(why.code());
        self.note(&request_id, &why);
        tracing::debug!(request_id = request_id.as_str(), code = why.code(), "refused");
        let body = match why.denial() {
            Some(denial) => {
                let (type_base, request_id) = (self.type_base.as_str(), request_id.as_str());
                Bytes::from(Problem { denial, type_base, request_id, instance: None }.to_json())
            }
            None => bad_head_body(&request_id, &self.type_base, &why),
        };
        let Ok(head) = head_of(&request_id, &why, body.len()) else { return Vec::new() };
        let mut bytes = format!(
            "HTTP/1.1 {} {}\r\n",
            head.status.as_str(),
            head.status.canonical_reason().unwrap_or("-")
        )
        .into_bytes();
        for (name, value) in &head.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"connection: close\r\n\r\n");
        if !bodyless {
            bytes.extend_from_slice(&body);
        }
        bytes
    }

    /// Nothing of the call but its refusal is known.
    fn note(&self, request_id: &RequestId, why: &Why<'_>) {
        let (status, code) = (why.status(), Some(why.code()));
        self.log.note(Ending { at_ns: unix_ns(), status, code, known: false }, |slot| {
            slot.minted = request_id.is_minted();
            slot.denial = why.denial().cloned();
            slot.write(Text::RequestId, request_id.as_str().as_bytes());
        });
    }
}

/// Answers a call with a refusal. The connection is kept where what is left of the request is little and well framed.
pub(crate) async fn refuse(
    session: &mut Session,
    request_id: &RequestId,
    type_base: &str,
    why: &Why<'_>,
) -> Result<()> {
    let head_only = session.req_header().method == Method::HEAD;
    let body = body_of(session, request_id, type_base, why);
    if closes(why) || !rest_is_small(session) {
        session.set_keepalive(None);
    } else {
        // The rest is read after the answer; Pingora would close instead.
        session.set_close_on_response_before_downstream_finish(false);
    }
    let head = head_of(request_id, why, body.len())?;
    session.write_response_header(Box::new(head), head_only).await?;
    if !head_only {
        session.write_response_body(Some(body), true).await?;
    }
    Ok(())
}

/// Whoever sends what is not in order, or is told that it came too slowly, has to begin anew.
fn closes(why: &Why<'_>) -> bool {
    let of_form = |denial: &Denial| {
        matches!(
            denial,
            Denial::BadRequest(_) | Denial::BadMethod | Denial::MethodNotImplemented | Denial::RequestTimeout
        )
    };
    matches!(why, Why::BadHead(_)) || why.denial().is_some_and(of_form)
}

fn head_of(request_id: &RequestId, why: &Why<'_>, body_bytes: usize) -> Result<ResponseHeader> {
    let mut head = ResponseHeader::build(why.status(), Some(12))?;
    head.insert_header(header::CONTENT_TYPE, "application/problem+json")?;
    head.insert_header(header::CONTENT_LENGTH, body_bytes)?;
    head.insert_header(header::CACHE_CONTROL, "no-store")?;
    head.insert_header("X-Request-Id", request_id.value())?;
    head.insert_header("Proxy-Status", format!("tollgate; error={}", why.proxy_error()))?;
    if let Some(denial) = why.denial() {
        if let Some(challenge) = denial.challenge() {
            head.insert_header(header::WWW_AUTHENTICATE, challenge)?;
        }
        if let Some(seconds) = denial.retry_after_s() {
            head.insert_header(header::RETRY_AFTER, seconds)?;
        }
        if let Denial::MethodNotAllowed { allow } = denial {
            head.insert_header(header::ALLOW, &**allow)?;
        }
    }
    let mut level = Vec::new();
    match why {
        Why::Refused(refusal) => {
            refusal.write_rate_limit(&mut level);
            write_limits(&mut head, refusal.rate_limit_policy(), level)?;
        }
        Why::Denied(_, Some(admission)) => {
            admission.write_rate_limit(&mut level);
            write_limits(&mut head, admission.rate_limit_policy(), level)?;
        }
        Why::Denied(_, None) | Why::BadHead(_) => {}
    }
    Ok(head)
}

/// Adds `RateLimit-Policy` and `RateLimit` where the plan shows any limit.
pub(crate) fn write_limits(head: &mut ResponseHeader, policy: Option<&Bytes>, level: Vec<u8>) -> Result<()> {
    if let Some(policy) = policy
        && let Ok(policy) = HeaderValue::from_maybe_shared(policy.clone())
        && let Ok(level) = HeaderValue::from_maybe_shared(Bytes::from(level))
    {
        head.insert_header("RateLimit-Policy", policy)?;
        head.insert_header("RateLimit", level)?;
    }
    Ok(())
}

fn body_of(session: &Session, request_id: &RequestId, type_base: &str, why: &Why<'_>) -> Bytes {
    let Some(denial) = why.denial() else { return bad_head_body(request_id, type_base, why) };
    // A target that was refused is not repeated: it may be anything.
    let path = match denial {
        Denial::BadRequest(_) => None,
        _ => std::str::from_utf8(session.req_header().raw_path()).ok(),
    };
    let instance = path.map(|target| target.split_once('?').map_or(target, |(path, _)| path));
    let problem = Problem { denial, type_base, request_id: request_id.as_str(), instance };
    Bytes::from(problem.to_json())
}

fn bad_head_body(request_id: &RequestId, type_base: &str, why: &Why<'_>) -> Bytes {
    let (title, reason, hint) = match why {
        Why::BadHead(BadHead::Malformed(reason)) => (
            "The request is no valid HTTP",
            *reason,
            "Send HTTP/1.1 as RFC 9112 defines it: one Host, one length, no stray bytes.",
        ),
        Why::BadHead(BadHead::Ambiguous(reason)) => (
            "The request can be read in more than one way",
            *reason,
            "Send one Host, and either one Content-Length or Transfer-Encoding: chunked.",
        ),
        _ => (
            "The request head is too large",
            "head_too_large",
            "Send at most 64 KiB of head and 100 fields of 8 KiB each.",
        ),
    };
    let problem = serde_json::json!({
        "type": format!("{type_base}{}", why.code()),
        "title": title,
        "status": why.status(),
        "detail": format!("The request was refused before routing: {reason}."),
        "code": why.code(),
        "request_id": request_id.as_str(),
        "hint": hint,
        "reason": reason,
    });
    Bytes::from(problem.to_string())
}

fn rest_is_small(session: &mut Session) -> bool {
    if session.is_body_done() {
        return true;
    }
    // A chunked body has no announced length and may be of any size; one that waits for our consent never comes.
    let headers = &session.req_header().headers;
    !headers.contains_key(header::EXPECT)
        && (1..=DRAIN_BYTES_MAX).contains(&declared_length(session.req_header()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_before_the_engine_has_its_page_with_the_same_words() {
        for bad in [
            BadHead::Malformed("malformed"),
            BadHead::Ambiguous("transfer_encoding_and_content_length"),
            BadHead::TooLarge,
        ] {
            let why = Why::BadHead(&bad);
            let file = format!("{}/../docs/problems/{}.md", env!("CARGO_MANIFEST_DIR"), why.code());
            let page = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{file} is missing"));
            let example = page.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
            let shown: serde_json::Value = serde_json::from_str(example).unwrap();
            let mut request = pingora_http::RequestHeader::build("GET", b"/", None).unwrap();
            request.append_header("X-Request-Id", shown["request_id"].as_str().unwrap()).unwrap();
            let said = bad_head_body(&RequestId::of(&request), "https://portal.example/problems/", &why);
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&said).unwrap(), shown, "{file}");
            assert!(page.contains(&format!("Status: {}\n", why.status())), "{file}");
        }
    }
}
