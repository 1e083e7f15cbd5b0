//! What changed, as a page and as a feed.

use askama::Template;
use axum::extract::State;

use crate::content::News;
use crate::error::Answer;
use crate::feed::{self, Feed};
use crate::markup::{self, Html};
use crate::say::{Language, language, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

/// How many entries the page and the feed have.
const SHOWN: usize = 50;

/// One entry.
pub struct Entry {
    pub id: String,
    pub date: String,
    pub day: String,
    pub title: String,
    pub text: Html,
    /// What it is written in, where that is known.
    pub tag: &'static str,
}

#[derive(Template)]
#[template(path = "guides/changelog.html")]
pub struct View {
    pub shell: Shell,
    pub entries: Vec<Entry>,
}

fn entry(news: &News) -> Entry {
    Entry {
        id: news.name(),
        date: news.date.to_string(),
        day: tollgate_language::day(language(), &news.date),
        title: news.page.title.clone(),
        text: markup::markdown(&news.page.text),
        tag: news.page.tag(),
    }
}

/// `GET /changelog`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    visit.page(&View {
        shell: visit.shell(Area::Public, t("around-changelog")).await?,
        entries: state.content.news(language()).into_iter().take(SHOWN).map(entry).collect(),
    })
}

/// `GET /changelog.atom`
pub async fn atom(State(state): State<PortalState>) -> Answer {
    let entries: Vec<feed::Entry> = state
        .content
        .news(Language::default())
        .into_iter()
        .take(SHOWN)
        .map(|news| {
            let one = entry(news);
            let updated = format!("{}T00:00:00Z", one.date);
            feed::Entry { anchor: one.id, title: one.title, updated, html: one.text.to_string() }
        })
        .collect();
    Ok(Feed { base: &state.settings.portal_url, path: "/changelog", about: "changelog" }.answer(&entries))
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let content = crate::content::Content::read(None);
        let news = content.news(Language::English);
        let shell = || Shell::sample(Area::Public, "Changelog", "/changelog");
        vec![
            Self { shell: shell(), entries: news.into_iter().map(entry).collect() },
            Self { shell: shell(), entries: Vec::new() },
        ]
    }
}
