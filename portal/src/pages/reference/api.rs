//! An API at a glance: its address, how to prove who calls, and its operations.

use askama::Template;
use axum::extract::{Path, State};

use super::ending::Ending;
use super::nav::Current;
use super::{Crumbs, Reading};
use crate::error::Answer;
use crate::framed::Parts;
use crate::reference::Address;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "reference/api.html")]
pub struct View {
    pub shell: Shell,
    pub crumbs: Crumbs,
    pub slots: Parts,
    pub summary: String,
    pub version: String,
    pub address: Address,
    pub document_href: String,
    pub markdown_href: String,
    pub key_href: Option<String>,
    pub ending: Option<Ending>,
}

/// `GET /products/{slug}/apis/{api}`, with `.md` as Markdown
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product, api)): Path<(String, String)>,
) -> Answer {
    // No slug has a dot in it.
    let (api, markdown) = api.strip_suffix(".md").map_or((api.as_str(), false), |stem| (stem, true));
    let reading = Reading::of(&state, &visit, &product, api).await?;
    let article = state.articles.of(&reading, Current::Overview).await?;
    if markdown {
        return Ok(reading.markdown(&state, &article.markdown));
    }
    let marks = article.marks("");
    let view = View {
        shell: visit.shell(Area::Reference, reading.api.name.clone()).await?,
        crumbs: Crumbs::of(&reading),
        slots: marks.clone(),
        summary: reading.api.summary.clone(),
        version: reading.document.version().to_owned(),
        address: reading.address.clone(),
        document_href: reading.place.document(),
        markdown_href: format!("{}.md", reading.place.overview()),
        key_href: visit.account.is_none().then(|| format!("/signup?product={product}")),
        ending: reading.ending,
    };
    visit.page_of_parts(&view, &marks, || article.parts(None))
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let (document, place) = (super::sample_document(), super::sample_place());
        let address = Address::plain("http://127.0.0.1:8080/countries/v1");
        let article =
            super::article::render(&document, &place, "Countries API", &address, &Current::Overview)
                .expect("it renders")
                .expect("every document has an overview");
        vec![Self {
            shell: Shell::sample(Area::Reference, "Countries API", &place.overview()),
            crumbs: super::sample_crumbs(),
            slots: article.parts(None),
            summary: "Names, codes, currencies and populations of 249 countries.".into(),
            version: "1.2.0".into(),
            address,
            document_href: place.document(),
            markdown_href: format!("{}.md", place.overview()),
            key_href: Some("/signup?product=countries".into()),
            ending: Some(Ending::told(
                "2026-11-01T00:00:00Z".parse().ok(),
                "2027-06-30T00:00:00Z".parse().ok(),
                Some(("/products/countries/apis/countries".into(), "Countries API 2".into())),
            )),
        }]
    }
}
