//! Pages that a browser has already are not sent again, and what is sent is compressed where nothing secret is in it.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// How large a page may be to be held back and hashed.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Gives pages that may be kept a weak tag of what is in them, and answers 304 to those who have it. Pages that
/// nothing may keep go through as they are.
pub async fn tagged(request: Request, next: Next) -> Response {
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
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
    let tag = format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..12]));
    let Ok(value) = HeaderValue::from_str(&tag) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.insert(header::ETAG, value);
    parts.extensions.insert(Whole(bytes.len()));
    if is_known(&known, &tag) {
        return not_modified(parts.headers);
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// How many bytes a page has that was held back whole; an extension of its answer.
#[derive(Debug, Clone, Copy)]
pub struct Whole(pub usize);

/// Whether `If-None-Match` names a tag.
pub fn is_known<'v>(fields: impl IntoIterator<Item = &'v HeaderValue>, tag: &str) -> bool {
    fields.into_iter().filter_map(|value| value.to_str().ok()).any(|value| names(value, tag))
}

/// 304 with the fields that 200 would have, but for those of its body.
pub fn not_modified(mut headers: HeaderMap) -> Response {
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
        headers.remove(name);
    }
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

/// Whether an `If-None-Match` names a tag (RFC 9110 section 13.1.2: compared weakly).
fn names(value: &str, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    value.trim() == "*" || value.split(',').any(|one| opaque(one) == opaque(tag))
}

pub fn may_be_kept(headers: &HeaderMap) -> bool {
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
