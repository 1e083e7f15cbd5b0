//! Every answer that the gateway makes itself: the only place where a refusal becomes bytes.

use bytes::Bytes;
use tollgate_engine::head::BadHead;
use tollgate_engine::websocket::VERSION;
use tollgate_engine::{Denial, Problem, Refusal, portal_of};

use crate::downstream::{Answer, Downstream};
use crate::exchange::Exchange;
use crate::fields::write_number;
use crate::grpc;
use crate::notice::successor_link;
use crate::request_id::RequestId;

/// What is refused, and why.
pub(crate) enum Why<'w> {
    /// By the engine, with the standing of the plan's limits where they were looked at.
    Refused(&'w Refusal),
    /// By the proxy, for a reason that the engine can name.
    Denied(&'w Denial),
    /// Before the engine could be asked.
    BadHead(&'w BadHead),
}

impl<'w> Why<'w> {
    /// What the engine calls it, where it can name it.
    pub(crate) fn denial(&self) -> Option<&'w Denial> {
        match self {
            Self::Refused(refusal) => Some(&refusal.denial),
            Self::Denied(denial) => Some(denial),
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
            Denial::RouteNotFound | Denial::ApiRetired { .. } => "destination_not_found",
            Denial::UpstreamUnreachable | Denial::NotReady => "destination_unavailable",
            Denial::UpstreamTimeout => "http_response_timeout",
            Denial::UpstreamFailed => "http_protocol_error",
            Denial::ConfigInvalid => "proxy_configuration_error",
            Denial::Internal => "proxy_internal_error",
            Denial::BodyTooLarge { .. } | Denial::RequestTimeout | Denial::ExpectationFailed => {
                "http_request_error"
            }
            Denial::CodingNotImplemented
            | Denial::GrpcMessage
            | Denial::WebSocketKey
            | Denial::WebSocketVersion => "http_request_error",
            Denial::UpstreamOverloaded => "connection_limit_reached",
            other if other.status() == 400 || other.status() == 414 => "http_request_error",
            _ => "http_request_denied",
        }
    }
}

/// Writes the answer to a call that is refused; how many bytes its body has. The connection is kept where what is left of
/// the request is little and well framed.
pub(crate) fn write<D: Downstream>(
    caller: &mut D,
    exchange: &Exchange,
    type_base: &str,
    why: &Why<'_>,
) -> u64 {
    if caller.method() == "POST" && grpc::is_call(caller) && wants_trailers(caller) {
        return write_grpc(caller, exchange, type_base, why);
    }
    let to_head = caller.method() == "HEAD";
    let body = body_of(caller, &exchange.request_id, type_base, why);
    if closes(why) {
        caller.close_after();
    }
    caller.begin(why.status());
    write_fields(caller, exchange, type_base, why);
    if to_head {
        caller.head_done(Answer::Bodyless(Some(body.len() as u64)));
    } else {
        caller.head_done(Answer::Length(body.len() as u64));
        caller.data(&body);
    }
    caller.end(std::iter::empty());
    if to_head { 0 } else { body.len() as u64 }
}

fn wants_trailers<D: Downstream>(caller: &D) -> bool {
    caller.fields().any(|(name, value)| {
        name.eq_ignore_ascii_case(b"te")
            && value.to_ascii_lowercase().windows(8).any(|part| part == b"trailers")
    })
}

/// Clients of gRPC read a status of their own, in an answer that has nothing else; the problem's code goes with it.
fn write_grpc<D: Downstream>(caller: &mut D, exchange: &Exchange, type_base: &str, why: &Why<'_>) -> u64 {
    if closes(why) {
        caller.close_after();
    }
    caller.begin(200);
    caller.field(b"content-type", b"application/grpc");
    caller.field(b"grpc-status", grpc::status_of(why));
    caller.field_with(b"grpc-message", |out| {
        let problem = why.denial().map(|denial| (denial.title(), denial.code()));
        let (title, code) = problem.unwrap_or(("The request cannot be read", why.code()));
        grpc::write_message(out, &format!("{title} ({code})"));
    });
    write_common(caller, exchange, type_base, why);
    caller.head_done(Answer::Length(0));
    caller.end(std::iter::empty());
    0
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

fn write_fields<D: Downstream>(caller: &mut D, exchange: &Exchange, type_base: &str, why: &Why<'_>) {
    caller.field(b"content-type", b"application/problem+json");
    write_common(caller, exchange, type_base, why);
}

fn write_common<D: Downstream>(caller: &mut D, exchange: &Exchange, type_base: &str, why: &Why<'_>) {
    caller.field_with(b"date", |out| crate::date::write(out, crate::time::unix_ns()));
    caller.field(b"cache-control", b"no-store");
    caller.field_with(b"proxy-status", |out| {
        out.extend_from_slice(b"tollgate; error=");
        out.extend_from_slice(why.proxy_error().as_bytes());
    });
    let notice = match why {
        Why::Refused(Refusal { matched: Some(matched), .. }) => exchange.notice_of(matched),
        _ => None,
    };
    if let Some(notice) = notice {
        notice.write(caller);
    }
    if let Some(denial) = why.denial() {
        if let Some(challenge) = denial.challenge() {
            caller.field(b"www-authenticate", challenge.as_bytes());
        }
        if let Some(seconds) = denial.retry_after_s() {
            caller.field_with(b"retry-after", |out| write_number(out, seconds));
        }
        match denial {
            Denial::MethodNotAllowed { allow } => caller.field(b"allow", allow.as_bytes()),
            // One that is over by its sunset still has its notice, which says so.
            Denial::ApiRetired { successor: Some(successor) } if notice.is_none() => {
                caller.field(b"link", successor_link(portal_of(type_base), successor).as_bytes());
            }
            Denial::WebSocketVersion => caller.field(b"sec-websocket-version", VERSION.as_bytes()),
            _ => {}
        }
    }
    exchange.write_fields(caller);
    if let Why::Refused(refusal) = why
        && let Some(policy) = refusal.rate_limit_policy()
    {
        caller.field(b"ratelimit-policy", policy);
        caller.field_with(b"ratelimit", |out| refusal.write_rate_limit(out));
    }
}

fn body_of<D: Downstream>(caller: &D, request_id: &RequestId, type_base: &str, why: &Why<'_>) -> Bytes {
    let Some(denial) = why.denial() else { return bad_head_body(request_id, type_base, why) };
    // A target that was refused is not repeated: it may be anything.
    let path = match (denial, why) {
        (Denial::BadRequest(_), _) | (_, Why::BadHead(_)) => None,
        _ => std::str::from_utf8(caller.target()).ok(),
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
            let given = shown["request_id"].as_str().unwrap();
            let request_id = RequestId::of(Some(given.as_bytes()), 0);
            let said = bad_head_body(&request_id, "https://portal.example/problems/", &why);
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&said).unwrap(), shown, "{file}");
            assert!(page.contains(&format!("Status: {}\n", why.status())), "{file}");
        }
    }
}
