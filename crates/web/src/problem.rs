//! The JSON error of both faces: RFC 9457 problem details, with a code, field errors and a hint.

use std::borrow::Cow;
use std::ops::Deref;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize, Serializer};

/// `application/problem+json`, RFC 9457 §3.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A refusal or failure, as one face says it. Built where the error is known; the request's own facts
/// (`instance`, `request_id`, the absolute `type`) are filled in by [`crate::Face`].
#[derive(Debug, Clone)]
pub struct Problem {
    // Boxed: handlers return it in every `Result`.
    content: Box<Content>,
    headers: Option<Box<HeaderMap>>,
}

/// The members of a problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Where the kind of problem is explained: an URL that the portal serves.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in a few words, the same for every occurrence.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    #[serde(serialize_with = "status_number", deserialize_with = "status_from_number")]
    pub status: StatusCode,
    /// The kind as a word for programs; the last segment of `type`.
    pub code: Cow<'static, str>,
    /// What happened this time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<Cow<'static, str>>,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<String>,
    /// The request's id, as in `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// What is wrong with which part of the request.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldFault>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<Cow<'static, str>>,
    /// What the request was about, as it stands now: for whoever changed it in an older state.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current: Option<serde_json::Value>,
}

/// One fault of one part of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// Where it is: `pointer` or `parameter`.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong with it.
    pub detail: String,
}

/// A part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A JSON Pointer (RFC 6901) into the body.
    Pointer(String),
    /// A query or path parameter, or a header.
    Parameter(String),
}

impl Problem {
    /// A problem of a kind: its code is a word of `docs/problems`, its title the same everywhere.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        title: impl Into<Cow<'static, str>>,
    ) -> Self {
        let code = code.into();
        let content = Content {
            kind: format!("/problems/{code}"),
            title: title.into(),
            status,
            code,
            detail: None,
            instance: None,
            request_id: None,
            errors: Vec::new(),
            hint: None,
            current: None,
        };
        Self { content: Box::new(content), headers: None }
    }

    /// Says what happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.content.detail = Some(detail.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.content.hint = Some(hint.into());
        self
    }

    /// Shows what the request was about, as it stands now.
    #[must_use]
    pub fn current(mut self, current: serde_json::Value) -> Self {
        self.content.current = Some(current);
        self
    }

    /// Adds a fault of the body, by JSON Pointer (`/limits/0/amount`).
    #[must_use]
    pub fn at_pointer(self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.fault(Place::Pointer(pointer.into()), detail)
    }

    /// Adds a fault of a query or path parameter or a header.
    #[must_use]
    pub fn at_parameter(self, parameter: impl Into<String>, detail: impl Into<String>) -> Self {
        self.fault(Place::Parameter(parameter.into()), detail)
    }

    /// Adds a header to the answer: `Retry-After`, `WWW-Authenticate`, `Allow`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.get_or_insert_default().append(name, value);
        self
    }

    fn fault(mut self, place: Place, detail: impl Into<String>) -> Self {
        self.content.errors.push(FieldFault { place, detail: detail.into() });
        self
    }

    /// 404: there is nothing here, or nothing the caller may know of.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found")
            .detail("There is nothing at this path that you can see.")
    }

    /// 500 without internals; the cause is in the log under the request id.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on our side")
            .detail("The cause was logged under this request id.")
            .hint("Try again; if it stays, give the request id to the operator.")
    }

    /// 503: what is needed to answer is away.
    #[must_use]
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Temporarily unavailable")
            .detail(detail)
            .header(http::header::RETRY_AFTER, HeaderValue::from_static("5"))
    }

    /// Fills in what only the request knows: where kinds are explained, its path and its id.
    pub fn locate(&mut self, type_base: &str, instance: &str, request_id: &str) {
        self.content.kind = format!("{}/{}", type_base.trim_end_matches('/'), self.content.code);
        self.content.instance.get_or_insert_with(|| instance.to_owned());
        self.content.request_id = Some(request_id.to_owned());
    }

    /// The headers that go with it, apart from the content type.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.headers.as_deref()
    }
}

impl Deref for Problem {
    type Target = Content;

    fn deref(&self) -> &Content {
        &self.content
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&*self.content).unwrap_or_default();
        let mut response = (self.status, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        if let Some(headers) = self.headers() {
            response.headers_mut().extend(headers.clone());
        }
        // The face writes it again, with what only the request knows.
        response.extensions_mut().insert(self);
        response
    }
}

fn status_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

fn status_from_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
    let number = u16::deserialize(deserializer)?;
    StatusCode::from_u16(number).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_rfc_9457_says() {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request is not valid")
            .at_pointer("/limits/0/amount", "must be at least 1")
            .at_parameter("limit", "must be a number")
            .hint("Correct the fields.");
        assert_eq!(
            serde_json::to_string(&*problem).unwrap(),
            r#"{"type":"/problems/invalid","title":"The request is not valid","status":422,"code":"invalid","#
                .to_owned()
                + r#""errors":[{"pointer":"/limits/0/amount","detail":"must be at least 1"},"#
                + r#"{"parameter":"limit","detail":"must be a number"}],"hint":"Correct the fields."}"#
        );
        let back: Content = serde_json::from_str(&serde_json::to_string(&*problem).unwrap()).unwrap();
        assert_eq!(back, *problem);
    }
}
