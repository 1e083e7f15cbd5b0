//! The forms that a good answer has.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// 200 with a body.
pub fn ok(body: impl Serialize) -> Response {
    Json(body).into_response()
}

/// 204.
pub fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// 202: it is taken up, and done in a moment.
pub fn accepted() -> Response {
    StatusCode::ACCEPTED.into_response()
}

/// 201 with a body and where to find it: `/v1/{collection}/{id}`.
pub fn created(collection: &str, id: impl std::fmt::Display, body: impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    let location =
        HeaderValue::from_str(&format!("/v1/{collection}/{id}")).expect("ids are letters and digits");
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Adds the entity tag of a version.
pub fn tagged(version: i64, mut response: Response) -> Response {
    let tag = HeaderValue::from_str(&format!("\"v{version}\"")).expect("a number in quotes");
    response.headers_mut().insert(ETAG, tag);
    response
}
