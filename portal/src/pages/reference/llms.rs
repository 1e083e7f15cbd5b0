//! What programs that read are told first: `/llms.txt`.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::Place;
use super::ending::Ending;
use crate::error::Answer;
use crate::pages::catalog::served_apis;
use crate::say::language;
use crate::session::Visit;
use crate::{PortalState, look};

/// `GET /llms.txt`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let base = &state.settings.portal_url;
    let name = &look::worn().name;
    let mut out = format!("# {name}\n\n> APIs with one key. Every page below is Markdown.\n\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "Calls go to {} and carry a key as `X-API-Key`. A key takes two fields: {base}/signup\n",
        state.settings.gateway_url
    );
    for product in state.store.list_offered_products(visit.viewer()).await? {
        let _ = writeln!(out, "## {}\n\n{}\n", product.name, product.summary);
        for api in served_apis(&state.store, &product).await? {
            let place = Place { product: product.slug.to_string(), api: api.slug.to_string() };
            let _ = write!(out, "- [{}]({base}{}.md)", api.name, place.overview());
            let about = if api.summary.is_empty() { "its operations" } else { &api.summary };
            let _ = write!(out, ": {about} ([OpenAPI]({base}{}))", place.document());
            let ending = Ending::of(&state, &visit, &api).await?;
            let _ = writeln!(out, "{}", ending.map(|it| format!(". {}.", it.title)).unwrap_or_default());
        }
        out.push('\n');
    }
    let guides = state.content.guides(language());
    if !guides.is_empty() {
        out.push_str("## Guides\n\n");
        for guide in guides {
            let _ = writeln!(out, "- [{}]({base}/guides/{}.md): {}", guide.title, guide.slug, guide.summary);
        }
        out.push('\n');
    }
    let pages = state.store.list_pages().await?;
    if !pages.is_empty() {
        out.push_str("## Pages\n\n");
        for page in pages {
            let _ = writeln!(out, "- [{}]({base}/pages/{}.md)", page.title, page.slug);
        }
        out.push('\n');
    }
    let _ = writeln!(
        out,
        "## Refusals\n\n- [Error codes]({base}/problems): why a call was refused, and how to fix it"
    );
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "private, no-cache")];
    Ok((headers, out).into_response())
}
