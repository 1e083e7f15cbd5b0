//! One schema, or one webhook: what has a text and examples, but is no call.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};

use super::article::Article;
use super::ending::Ending;
use super::nav::Current;
use super::{Crumbs, Reading, twin};
use crate::error::Answer;
use crate::framed::Parts;
use crate::say::t;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "reference/schema.html")]
pub struct View {
    pub shell: Shell,
    pub crumbs: Crumbs,
    pub article: Arc<Article>,
    /// What it is: `Schema` or `Webhook`.
    pub what: &'static str,
    pub slots: Parts,
    pub markdown_href: String,
    pub ending: Option<Ending>,
}

/// `GET /products/{slug}/apis/{api}/schemas/{name}`, with `.md` as Markdown
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product, api, name)): Path<(String, String, String)>,
) -> Answer {
    let reading = Reading::of(&state, &visit, &product, &api).await?;
    let (name, markdown) = twin(&name, |name| reading.document.schema(name).is_some());
    let (href, current) = (reading.place.schema(name), Current::Schema(name.to_owned()));
    shown(&state, &visit, &reading, current, t("schema-schema"), href, markdown).await
}

/// `GET /products/{slug}/apis/{api}/webhooks/{id}`, with `.md` as Markdown
pub async fn webhook(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product, api, id)): Path<(String, String, String)>,
) -> Answer {
    let reading = Reading::of(&state, &visit, &product, &api).await?;
    let (id, markdown) = twin(&id, |id| reading.document.webhook(id).is_some());
    let (href, current) = (reading.place.webhook(id), Current::Webhook(id.to_owned()));
    shown(&state, &visit, &reading, current, t("schema-webhook"), href, markdown).await
}

pub async fn shown(
    state: &PortalState,
    visit: &Visit,
    reading: &Reading,
    current: Current,
    what: &'static str,
    href: String,
    markdown: bool,
) -> Answer {
    let article = state.articles.of(reading, current).await?;
    if markdown {
        return Ok(reading.markdown(state, &article.markdown));
    }
    let shell = visit.shell(Area::Reference, article.title.clone()).await?;
    let marks = article.marks("");
    let view = View {
        ending: reading.ending.clone(),
        ..View::of(shell, Crumbs::of(reading), (Arc::clone(&article), marks.clone()), what, &href)
    };
    visit.page_of_parts(&view, &marks, || article.parts(None))
}

impl View {
    fn of(
        shell: Shell,
        crumbs: Crumbs,
        (article, slots): (Arc<Article>, Parts),
        what: &'static str,
        href: &str,
    ) -> Self {
        Self { shell, crumbs, what, slots, article, markdown_href: format!("{href}.md"), ending: None }
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let document = super::sample_document();
        let place = super::sample_place();
        let country = (Current::Schema("Country".into()), "Schema", place.schema("Country"));
        let moved = document.webhooks()[0].operation_id.clone();
        let moved = (Current::Webhook(moved.clone()), "Webhook", place.webhook(&moved));
        let all = (Current::Schemas, "Schemas", place.schemas());
        [country, moved, all]
            .into_iter()
            .map(|(current, what, href)| {
                let article = super::article::render(
                    &document,
                    &place,
                    "Countries API",
                    &crate::reference::Address::plain("http://h"),
                    &current,
                )
                .expect("it renders")
                .expect("the sample has it");
                let shell = Shell::sample(Area::Reference, &article.title, &href);
                let parts = article.parts(None);
                Self::of(shell, super::sample_crumbs(), (Arc::new(article), parts), what, &href)
            })
            .collect()
    }
}
