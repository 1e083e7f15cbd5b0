//! Whether the process lives, whether it can work, and what it understands. Open to everybody.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::App;
use crate::problem::Answer;

/// Whether the process lives
///
/// Says nothing about the database; restart the process when this fails.
#[utoipa::path(
    get, path = "/livez", tag = "Health", operation_id = "livez", security(()),
    responses((status = 200, description = "It lives.", body = String, content_type = "text/plain"))
)]
pub async fn livez() -> &'static str {
    "ok\n"
}

/// Whether the process can work
///
/// Asks the database; send no requests here while this fails.
#[utoipa::path(
    get, path = "/readyz", tag = "Health", operation_id = "readyz", security(()),
    responses((status = 200, description = "It can work.", body = String, content_type = "text/plain"))
)]
pub async fn readyz(State(app): State<App>) -> Answer {
    app.control.store().ping().await?;
    Ok("ready\n".into_response())
}

/// This API as an OpenAPI 3.1 document
#[utoipa::path(
    get, path = "/openapi.json", tag = "Health", operation_id = "getOpenapi", security(()),
    responses((status = 200, description = "The document.", body = Object, content_type = "application/json"))
)]
pub async fn get_openapi() -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, crate::openapi::text()).into_response()
}
