//! The list of APIs for programs: `/.well-known/api-catalog` (RFC 9727), a linkset (RFC 9264).

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::Place;
use super::ending::Ending;
use crate::error::Answer;
use crate::pages::catalog::served_apis;
use crate::session::Visit;
use crate::{PortalState, reference};

/// `GET /.well-known/api-catalog`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let base = &state.settings.portal_url;
    let mut linkset: Vec<Value> = Vec::new();
    for product in state.store.list_offered_products(visit.viewer()).await? {
        for api in served_apis(&state.store, &product).await? {
            let place = Place { product: product.slug.to_string(), api: api.slug.to_string() };
            let mut entry = json!({
                "anchor": reference::base_url(&state.settings.gateway_url, &api),
                "service-doc": [
                    { "href": format!("{base}{}", place.overview()), "type": "text/html" },
                    { "href": format!("{base}{}.md", place.overview()), "type": "text/markdown" },
                ],
                "status": [{ "href": format!("{base}/status"), "type": "text/html" }],
            });
            if api.document_number > 0 {
                entry["service-desc"] =
                    json!([{ "href": format!("{base}{}", place.document()), "type": "application/json" }]);
            }
            if let Some(Ending { successor: Some((href, _)), .. }) = Ending::of(&state, &visit, &api).await? {
                entry["successor-version"] =
                    json!([{ "href": format!("{base}{href}"), "type": "text/html" }]);
            }
            linkset.push(entry);
        }
    }
    let media = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";
    let link = format!("<{base}/.well-known/api-catalog>; rel=\"api-catalog\"");
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (header::LINK, link),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    Ok((headers, json!({ "linkset": linkset }).to_string()).into_response())
}
