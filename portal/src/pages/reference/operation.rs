//! One operation.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use tollgate_control::SecretText;
#[cfg(test)]
use tollgate_openapi::Language;

use super::article::Article;
use super::ending::Ending;
use super::nav::Current;
use super::terms::{self, PlanLine, PolicyLine, RefusalLine};
use super::{Crumbs, Reading, chosen_language, remember, twin};
use crate::error::Answer;
use crate::framed::Parts;
use crate::pages::start::sample_key;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "reference/operation.html")]
pub struct View {
    pub shell: Shell,
    pub crumbs: Crumbs,
    pub article: Arc<Article>,
    pub slots: Parts,
    pub markdown_href: String,
    pub try_href: String,
    pub key_href: Option<String>,
    /// Whether the samples work as pasted.
    pub carries_key: bool,
    pub plans: Vec<PlanLine>,
    /// What everybody is held to, whatever the plan.
    pub policies: Vec<PolicyLine>,
    pub refusals: Vec<RefusalLine>,
    pub ending: Option<Ending>,
}

/// What the address may ask for.
#[derive(Debug, Deserialize)]
pub struct Asked {
    lang: Option<String>,
}

/// `GET /products/{slug}/apis/{api}/operations/{operation_id}`, with `.md` as Markdown
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product, api, id)): Path<(String, String, String)>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Answer {
    let reading = Reading::of(&state, &visit, &product, &api).await?;
    let (id, markdown) = twin(&id, |id| reading.document.operation(id).is_some());
    let article = state.articles.of(&reading, Current::Operation(id.to_owned())).await?;
    if markdown {
        return Ok(reading.markdown(&state, &article.markdown));
    }
    let language = chosen_language(&headers, asked.lang.as_deref());
    let shell = visit.shell(Area::Reference, article.title.clone()).await?;
    let plans = terms::plans(&state, &reading.product).await?;
    let key_href = visit.account.is_none().then(|| format!("/signup?product={product}"));
    let href = reading.place.operation(id);
    let key = sample_key(&state, &visit, reading.product.id).await?;
    let key = key.as_ref().map(SecretText::reveal);
    let marks = article.marks(&format!("{} {}", language.id(), key.unwrap_or_default()));
    let view = View {
        shell,
        crumbs: Crumbs::of(&reading),
        slots: marks.clone(),
        markdown_href: format!("{href}.md"),
        try_href: format!("{href}/try"),
        key_href,
        carries_key: key.is_some(),
        plans,
        policies: terms::policies(&state, &reading, id).await?,
        refusals: terms::refusals(),
        ending: reading.ending.clone(),
        article: Arc::clone(&article),
    };
    let page = visit.page_of_parts(&view, &marks, || article.parts(Some((language, key))))?;
    Ok(remember(asked.lang.as_deref(), page))
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let document = super::sample_document();
        let place = super::sample_place();
        let view = |current: Current, path: String| {
            let address = crate::reference::Address::plain("http://127.0.0.1:8080/countries/v1");
            let article = super::article::render(&document, &place, "Countries API", &address, &current)
                .expect("it renders")
                .expect("the sample has it");
            let shell = Shell::sample(Area::Reference, &article.title, &path);
            let plans = vec![PlanLine {
                name: "Free".into(),
                price: "free".into(),
                limits: "10 requests per second, 1,000 calls per month".into(),
                announced: false,
            }];
            Self {
                shell,
                crumbs: super::sample_crumbs(),
                slots: article.parts(Some((Language::Python, None))),
                article: Arc::new(article),
                markdown_href: format!("{path}.md"),
                try_href: format!("{path}/try"),
                key_href: Some("/signup?product=countries".to_owned()),
                carries_key: false,
                plans,
                policies: Vec::new(),
                refusals: terms::refusals(),
                ending: None,
            }
        };
        ["op1", "op3"].map(|id| view(Current::Operation(id.into()), place.operation(id))).into()
    }
}
