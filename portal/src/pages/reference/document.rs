//! An API's OpenAPI document, as a file.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;

use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::pages::catalog::visible_api;
use crate::session::Visit;

/// `GET /products/{slug}/apis/{api}/openapi.json`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product, api)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (_, api) = visible_api(&state.store, &visit, &product, &api).await?;
    let etag = format!("W/\"{}-{}\"", api.id, api.document_number);
    let caching = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, "private, no-cache".into())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let document = state.documents.of(&state.store, &api).await?.ok_or_else(Fault::not_found)?;
    let file = format!("attachment; filename=\"{}.openapi.json\"", api.slug);
    Ok((caching, [(header::CONTENT_DISPOSITION, file)], axum::Json(document.value())).into_response())
}
