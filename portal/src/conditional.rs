//! Pages that a browser has already are not sent again, and what is sent is compressed where nothing secret is in it.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::packed::{Packed, takes_gzip};

/// How large a page may be to be held back and hashed.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Pages that compress to little more than a packet are left as they are.
const PACKED_FROM: usize = 1_024;

/// Gives pages that may be kept a weak tag of what is in them, and answers 304 to those who have it. Those of visitors
/// without a session are taken compressed from where they are kept. Pages that nothing may keep go through as they are.
pub async fn tagged(State(packed): State<Packed>, request: Request, next: Next) -> Response {
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_public = !request.headers().contains_key(header::COOKIE);
    let gzip = *request.method() == Method::GET && is_public && takes_gzip(request.headers());
    let known = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect::<Vec<_>>();
    let response = next.run(request).await;
    let small = response.body().size_hint().upper().is_some_and(|bytes| bytes <= BYTES_MAX);
    let tagged = response.headers().contains_key(header::ETAG);
    if !asks || response.status() != StatusCode::OK || !small || tagged || !may_be_kept(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, BYTES_MAX as usize).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let digest = Sha256::digest(&bytes);
    let is_packed = parts.headers.contains_key(header::CONTENT_ENCODING);
    let tag = format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..12]));
    let is_known = known.iter().filter_map(|value| value.to_str().ok()).any(|value| names(value, &tag));
    let Ok(value) = HeaderValue::from_str(&tag) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.insert(header::ETAG, value);
    if !is_known && gzip && !is_packed && bytes.len() >= PACKED_FROM && is_text(&parts.headers) {
        if let Ok(packed) = packed.gzip(digest.into(), &bytes) {
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
            return Response::from_parts(parts, Body::from(packed));
        }
    }
    if !is_known {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// Whether an `If-None-Match` names a tag (RFC 9110 section 13.1.2: compared weakly).
fn names(value: &str, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    value.trim() == "*" || value.split(',').any(|one| opaque(one) == opaque(tag))
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/") || kind.contains("json") || kind.contains("xml") || kind.contains("yaml")
}

fn may_be_kept(headers: &HeaderMap) -> bool {
    let caching = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    caching.is_some_and(|value| !value.contains("no-store"))
}

/// Only what may be kept is compressed: a page with a secret in it would tell of it by its length.
pub fn compressible(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    may_be_kept(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_one_by_one() {
        assert!(names("\"a\", W/\"b\"", "W/\"b\"") && names("\"b\"", "W/\"b\"") && names("*", "W/\"b\""));
        assert!(!names("\"a\", \"bb\"", "W/\"b\"") && !names("", "W/\"b\""));
    }
}
