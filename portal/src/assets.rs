//! Static files, embedded, named by the hash of what is in them.

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "../static/"]
struct Files;

struct Asset {
    url: String,
    etag: String,
    media: &'static str,
    bytes: Vec<u8>,
    /// The same compressed, where that makes it smaller; fonts are compressed already.
    gzip: Option<Vec<u8>>,
}

/// Every file that is served, by its name below `static/`.
static BY_NAME: LazyLock<HashMap<String, Asset>> = LazyLock::new(load);
static NAME_BY_URL: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| BY_NAME.iter().map(|(name, asset)| (asset.url.as_str(), name.as_str())).collect());

fn media(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "woff2" => Some("font/woff2"),
        _ => None,
    }
}

fn load() -> HashMap<String, Asset> {
    let mut assets = HashMap::new();
    let mut names: Vec<String> = Files::iter().map(String::from).collect();
    // Style sheets name other files, so these get their hashed names first.
    names.sort_by_key(|name| name.ends_with(".css"));
    for name in names {
        let (Some(media), Some(file)) = (media(&name), Files::get(&name)) else { continue };
        let mut bytes = file.data.into_owned();
        if name.ends_with(".css") {
            bytes = with_hashed_names(&bytes, &assets);
        }
        let digest = Sha256::digest(&bytes);
        let hash = URL_SAFE_NO_PAD.encode(&digest[..9]);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
        let url = format!("/static/{stem}.{hash}.{extension}");
        assets.insert(name, Asset { url, etag: hash, media, gzip: gzip(&bytes), bytes });
    }
    assets
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().filter(|smaller| smaller.len() < bytes.len() * 9 / 10)
}

fn with_hashed_names(css: &[u8], assets: &HashMap<String, Asset>) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(css).into_owned();
    for (name, asset) in assets {
        text = text.replace(&format!("url(\"{name}\")"), &format!("url(\"{}\")", asset.url));
    }
    text.into_bytes()
}

/// The URL of a static file; its plain name under `/static` where there is no such file, which a test forbids.
#[must_use]
pub fn url(name: &str) -> String {
    BY_NAME.get(name).map_or_else(|| format!("/static/{name}"), |asset| asset.url.clone())
}

/// `GET /static/{path}`: cached for ever, since another content has another name.
pub async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response<Body> {
    let url = format!("/static/{path}");
    let Some(asset) = NAME_BY_URL.get(url.as_str()).and_then(|name| BY_NAME.get(*name)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let wants =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let gzip = asset.gzip.as_deref().filter(|_| wants.split(',').any(|one| one.trim() == "gzip"));
    let etag = format!("\"{}{}\"", asset.etag, if gzip.is_some() { "-gz" } else { "" });
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|tags| tags.as_bytes() == etag.as_bytes() || tags.as_bytes() == b"*");
    let caching = [
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::VARY, "Accept-Encoding".to_owned()),
        (header::ETAG, etag),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let media = [(header::CONTENT_TYPE, asset.media)];
    match gzip {
        Some(bytes) => (caching, media, [(header::CONTENT_ENCODING, "gzip")], bytes).into_response(),
        None => (caching, media, asset.bytes.as_slice()).into_response(),
    }
}

/// All files with their URLs, for a look at rendered samples.
#[cfg(test)]
pub fn all() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    BY_NAME.values().map(|asset| (asset.url.as_str(), asset.bytes.as_slice()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_style_sheet_names_fonts_by_their_hash() {
        let css = String::from_utf8_lossy(&BY_NAME["tollgate.css"].bytes).into_owned();
        assert!(css.contains(&url("vendor/geist.woff2")));
        assert!(!css.contains("url(\"vendor/"));
    }

    #[tokio::test]
    async fn a_known_file_is_not_sent_again() {
        let path = url("portal.js").trim_start_matches("/static/").to_owned();
        let first = serve(Path(path.clone()), HeaderMap::new()).await;
        assert_eq!(first.status(), StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(serve(Path(path.clone()), headers.clone()).await.status(), StatusCode::NOT_MODIFIED);
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br, gzip"));
        let compressed = serve(Path(path), headers).await;
        assert_eq!(compressed.status(), StatusCode::OK, "the compressed form has a tag of its own");
        assert_eq!(compressed.headers()[header::CONTENT_ENCODING], "gzip");
        let other = serve(Path("vendor.sh".into()), HeaderMap::new()).await;
        assert_eq!(other.status(), StatusCode::NOT_FOUND);
    }
}
