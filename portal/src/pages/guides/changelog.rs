//! What changed, as a page and as a feed (Atom, RFC 4287).

use std::fmt::Write as _;

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::content::News;
use crate::error::Answer;
use crate::markup::{self, Html};
use crate::say::{language, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters, look};

/// How many entries the page and the feed have.
const SHOWN: usize = 50;

/// One entry.
pub struct Entry {
    pub id: String,
    pub date: String,
    pub day: String,
    pub title: String,
    pub text: Html,
}

#[derive(Template)]
#[template(path = "guides/changelog.html")]
pub struct View {
    pub shell: Shell,
    pub entries: Vec<Entry>,
}

fn entry(news: &News) -> Entry {
    Entry {
        id: format!("{}-{}", news.date, news.page.slug),
        date: news.date.to_string(),
        day: tollgate_language::day(language(), &news.date),
        title: news.page.title.clone(),
        text: markup::markdown(&news.page.text),
    }
}

/// `GET /changelog`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    visit.page(&View {
        shell: visit.shell(Area::Public, t("around-changelog")).await?,
        entries: state.content.news.iter().take(SHOWN).map(entry).collect(),
    })
}

/// `GET /changelog.atom`
pub async fn feed(State(state): State<PortalState>) -> Answer {
    let base = &state.settings.portal_url;
    let escaped = markup::escaped;
    let name = escaped(&look::worn().name);
    let updated =
        state.content.news.first().map_or_else(|| "1970-01-01".to_owned(), |news| news.date.to_string());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <title>{name}: changelog</title>\n<id>{base}/changelog</id>\n<updated>{updated}T00:00:00Z</updated>\n\
         <author><name>{name}</name></author>\n\
         <link rel=\"self\" href=\"{base}/changelog.atom\"/>\n<link href=\"{base}/changelog\"/>\n"
    );
    for news in state.content.news.iter().take(SHOWN) {
        let one = entry(news);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "<entry><title>{}</title><id>{base}/changelog#{id}</id><link href=\"{base}/changelog#{id}\"/>\
             <updated>{}T00:00:00Z</updated><content type=\"html\">{}</content></entry>",
            escaped(&one.title),
            one.date,
            escaped(&one.text.to_string()),
            id = one.id,
        );
    }
    out.push_str("</feed>\n");
    let headers = [
        (header::CONTENT_TYPE, "application/atom+xml; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    Ok((headers, out).into_response())
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let news = crate::content::Content::read(None).news;
        let shell = || Shell::sample(Area::Public, "Changelog", "/changelog");
        vec![
            Self { shell: shell(), entries: news.iter().map(entry).collect() },
            Self { shell: shell(), entries: Vec::new() },
        ]
    }
}
