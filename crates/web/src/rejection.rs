//! What axum's extractors refuse, as problems.

use axum::extract::rejection::{
    BytesRejection, FormRejection, JsonRejection, PathRejection, QueryRejection, StringRejection,
};
use http::StatusCode;

use crate::Problem;

/// `from` is what axum says: a status and a sentence without internals.
fn problem(status: StatusCode, text: String) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(status, "body_too_large", "The request body is too large").detail(text)
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new(status, "unsupported_media_type", "The request body has another media type")
                .detail(text)
                .hint("Send the Content-Type that the operation documents.")
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            Problem::new(status, "invalid", "The request is not valid").detail(text)
        }
        status if status.is_server_error() => Problem::internal(),
        _ => Problem::new(StatusCode::BAD_REQUEST, "malformed", "The request cannot be read").detail(text),
    }
}

macro_rules! problems_from {
    ($($rejection:ty),+) => {$(
        impl From<$rejection> for Problem {
            fn from(rejection: $rejection) -> Self {
                problem(rejection.status(), rejection.body_text())
            }
        }
    )+};
}

problems_from!(BytesRejection, FormRejection, JsonRejection, PathRejection, QueryRejection, StringRejection);
