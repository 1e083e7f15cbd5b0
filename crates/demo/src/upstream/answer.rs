//! Answers: JSON with an entity tag, and problems (RFC 9457).

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

/// The records change with a release only. `private`: whoever stands between may not answer for the gateway.
const CACHE: &str = "private, max-age=300";

/// 200 with the value as JSON, or 304 where the caller has it already.
pub(super) fn found(request: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value).map_err(|_| Problem::internal())?;
    let tag = format!("\"{:08x}-{:x}\"", crc32fast::hash(&body), body.len());
    let cached = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = cached
        .flat_map(|list| list.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*");
    let headers = [(ETAG, tag.as_str()), (CACHE_CONTROL, CACHE)];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, [(CONTENT_TYPE, "application/json")], Body::from(body)).into_response())
}

/// A refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    /// Parameters at fault, with what was expected of each.
    errors: Vec<(String, String)>,
}

impl Problem {
    /// 404
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, detail: detail.into(), errors: Vec::new() }
    }

    /// 405
    pub(super) fn method_not_allowed() -> Self {
        let detail = "The Atlas is read only; use GET.".to_owned();
        Self { status: StatusCode::METHOD_NOT_ALLOWED, detail, errors: Vec::new() }
    }

    /// 422, naming every parameter that cannot be taken.
    pub(super) fn parameters(errors: Vec<(String, String)>) -> Self {
        let names: Vec<&str> = errors.iter().map(|(name, _)| name.as_str()).collect();
        let detail = format!("Cannot take the parameter {}.", names.join(", "));
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail, errors }
    }

    fn internal() -> Self {
        let detail = "The answer could not be written.".to_owned();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, detail, errors: Vec::new() }
    }

    fn body(&self) -> Value {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if !self.errors.is_empty() {
            let errors =
                self.errors.iter().map(|(name, detail)| json!({ "parameter": name, "detail": detail }));
            body["errors"] = errors.collect();
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE, "application/problem+json"), (CACHE_CONTROL, "no-store")];
        (self.status, headers, self.body().to_string()).into_response()
    }
}
