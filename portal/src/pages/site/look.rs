//! The publisher's colours and picture, as files of their own: pages hold no style (CSP), and browsers keep them.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::error::{Answer, Fault};
use crate::{PortalState, look};

/// Which version a page names: what is in it.
#[derive(Debug, Deserialize)]
pub struct Named {
    #[serde(default)]
    v: String,
}

/// `GET /theme/accent.css`
pub async fn accent(
    State(state): State<PortalState>,
    Query(named): Query<Named>,
    headers: HeaderMap,
) -> Answer {
    let row = state.store.get_look().await?;
    let css =
        look::colours(row.accent.as_deref(), row.accent_dark.as_deref()).ok_or_else(Fault::not_found)?;
    let tag = look::tag(&css);
    Ok(kept("text/css; charset=utf-8", &tag, named.v == tag, &headers, css.into_bytes()))
}

/// `GET /theme/logo`
pub async fn logo(
    State(state): State<PortalState>,
    Query(named): Query<Named>,
    headers: HeaderMap,
) -> Answer {
    let (portal, digest) =
        (state.store.get_portal().await?.portal, state.store.get_look().await?.logo_digest);
    let logo = portal.logo.zip(digest);
    let (url, digest) = logo.ok_or_else(Fault::not_found)?;
    let picture = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let (media, encoded) = picture.ok_or_else(Fault::not_found)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| Fault::not_found())?;
    Ok(kept(media, &digest, named.v == digest, &headers, bytes))
}

/// Kept for ever where the address names what is in it, asked for again where it does not.
fn kept(media: &str, tag: &str, is_named: bool, asked: &HeaderMap, bytes: Vec<u8>) -> Response {
    let tag = format!("\"{tag}\"");
    let caching = if is_named { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let caching = [(header::CACHE_CONTROL, caching.to_owned()), (header::ETAG, tag)];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, media.to_owned())], bytes).into_response()
}
