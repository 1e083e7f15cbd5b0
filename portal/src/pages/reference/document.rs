//! An API's OpenAPI document, as a file.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;

use crate::error::{Answer, Fault};
use crate::pages::catalog::visible_api;
use crate::session::Visit;
use crate::{PortalState, conditional};

/// `GET /products/{slug}/apis/{api}/openapi.json`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product, api)): Path<(String, String)>,
) -> Answer {
    let (_, api) = visible_api(&state.store, &visit, &product, &api).await?;
    let tag = format!("{}-{}", api.id, api.document_number);
    if let Some(known) = conditional::known(&visit.known, &tag) {
        return Ok(conditional::not_modified(caching(&tag), known));
    }
    let document = state.documents.of(&state.store, &api).await?.ok_or_else(Fault::not_found)?;
    let file = format!("attachment; filename=\"{}.openapi.json\"", api.slug);
    Ok((caching(&tag), [(header::CONTENT_DISPOSITION, file)], axum::Json(document.value())).into_response())
}

fn caching(tag: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    conditional::set_tag(&mut headers, tag);
    headers
}
