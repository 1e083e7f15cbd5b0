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

/// Gives pages that may be kept a tag of what is in them, and answers 304 to those who have it. Pages that nothing may
/// keep, and those that have a tag already, go through as they are.
pub async fn tagged(request: Request, next: Next) -> Response {
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    let asked = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect::<Vec<_>>();
    let response = next.run(request).await;
    let small = response.body().size_hint().upper().is_some_and(|bytes| bytes <= BYTES_MAX);
    let has_tag = response.headers().contains_key(header::ETAG);
    if !asks || response.status() != StatusCode::OK || !small || has_tag || !may_be_kept(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, BYTES_MAX as usize).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = tag_of(&bytes);
    if let Some(known) = known(&asked, &tag) {
        return not_modified(parts.headers, known);
    }
    set_tag(&mut parts.headers, &tag);
    parts.extensions.insert(Whole(bytes.len()));
    Response::from_parts(parts, Body::from(bytes))
}

/// Names the coding in the tag of an answer that was compressed: it is another run of bytes than the page as it is, and
/// a strong tag names one (RFC 9110 section 8.8.3).
pub async fn coded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let coding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let tag = headers.get(header::ETAG).and_then(|value| value.to_str().ok());
    // What came compressed has its own tag.
    if let (Some(coding), Some(tag)) = (coding, tag.and_then(plain)) {
        let tag = format!("{tag}.{coding}");
        set_tag(headers, &tag);
    }
    response
}

/// How many bytes a page has that was held back whole; an extension of its answer.
#[derive(Debug, Clone, Copy)]
pub struct Whole(pub usize);

/// The tag of what is in something, without its quotes; it has no dot in it.
#[must_use]
pub fn tag_of(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..16])
}

/// Says which tag an answer has; one of letters that no field may have is left out.
pub fn set_tag(headers: &mut HeaderMap, tag: &str) {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        headers.insert(header::ETAG, value);
    }
}

/// The tag as `If-None-Match` has it, in whichever coding, if it names this one; compared weakly (RFC 9110 section 13.1.2).
pub fn known<'v>(fields: impl IntoIterator<Item = &'v HeaderValue>, tag: &str) -> Option<String> {
    let texts = fields.into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim).find_map(|one| match one {
        "*" => Some(tag.to_owned()),
        one => opaque(one).filter(|one| stem(one) == stem(tag)).map(str::to_owned),
    })
}

/// What stands between the quotes.
fn opaque(tag: &str) -> Option<&str> {
    tag.trim_start_matches("W/").strip_prefix('"')?.strip_suffix('"')
}

/// A tag that names no coding.
fn plain(tag: &str) -> Option<&str> {
    opaque(tag).filter(|tag| !tag.contains('.') && !tag.ends_with("-gz"))
}

/// A tag without its coding.
fn stem(tag: &str) -> &str {
    tag.split_once('.').map_or(tag, |(stem, _)| stem)
}

/// 304 with the fields that 200 would have, but for those of its body, and the tag as the asker has it.
pub fn not_modified(mut headers: HeaderMap, tag: String) -> Response {
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
        headers.remove(name);
    }
    set_tag(&mut headers, &tag);
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

/// Whether an answer may be kept and asked for again.
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
    fn tags_are_compared_weakly_one_by_one_and_in_any_coding() {
        let known = |field: &'static str, tag: &str| known([&HeaderValue::from_static(field)], tag);
        for field in ["\"a\", W/\"b\"", "\"b\"", "*"] {
            assert_eq!(known(field, "b").as_deref(), Some("b"), "{field}");
        }
        assert_eq!(known("\"b.br\"", "b").as_deref(), Some("b.br"));
        assert_eq!(known("\"b\"", "b.gzip").as_deref(), Some("b"));
        for field in ["\"a\", \"bb\"", "", "b", "\"a.b\""] {
            assert_eq!(known(field, "b"), None, "{field}");
        }
    }

    #[tokio::test]
    async fn a_compressed_answer_has_a_tag_of_its_own() {
        let tag = async |coding: Option<&'static str>, tag: &'static str| {
            let mut response = ([(header::ETAG, tag)], "x").into_response();
            if let Some(coding) = coding {
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
            }
            coded(response).await.headers()[header::ETAG].clone()
        };
        assert_eq!(tag(None, "\"a\"").await, "\"a\"");
        assert_eq!(tag(Some("br"), "\"a\"").await, "\"a.br\"");
        assert_eq!(tag(Some("gzip"), "\"a-gz\"").await, "\"a-gz\"", "a file names its own coding");
    }
}
