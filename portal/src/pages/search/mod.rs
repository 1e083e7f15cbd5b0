//! Finding operations, APIs, schemas, guides, pages, products and refusals by words.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tollgate_store::{HitRow, SearchEntry, Store};

use super::problems::{DOCS, Doc};
use super::reference::Place;
use crate::content::{Content, Guide};
use crate::error::{Answer, Fault};
use crate::say::{Language, language, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

/// How many words of a question are looked for.
const WORDS_MAX: usize = 8;
/// How many hits one group shows.
const HITS_MAX: i64 = 12;
/// Kinds in the order in which they are shown, with their id and title.
const GROUPS: [(&str, &str, &str); 8] = [
    ("operation", "operations", "search-operations"),
    ("api", "apis", "search-apis"),
    ("guide", "guides", "around-guides"),
    ("page", "pages", "search-pages"),
    ("product", "products", "around-products"),
    ("schema", "schemas", "search-schemas"),
    ("news", "news", "around-changelog"),
    ("refusal", "refusals", "around-errors"),
];

/// One thing that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    pub href: String,
    pub title: String,
    pub about: String,
    pub method: String,
    /// The language of its words, where that is known.
    pub tag: &'static str,
}

/// Things of one kind.
pub struct Group {
    pub id: &'static str,
    pub title: &'static str,
    pub hits: Vec<Hit>,
    pub more: usize,
}

#[derive(Template)]
#[template(path = "search/page.html")]
pub struct View {
    pub shell: Shell,
    pub question: String,
    pub groups: Vec<Group>,
}

/// What the address asks.
#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

/// Whether what this process reads from files was made findable.
#[derive(Debug, Clone, Default)]
pub struct Files(Arc<OnceCell<()>>);

impl Files {
    /// Makes guides, changelog and refusals findable; once, and only where another content is there.
    async fn put(&self, store: &Store, content: &Content) -> Result<(), Fault> {
        let put = async {
            let entries = of_files(content);
            let digest = Sha256::digest(format!("{entries:?}"));
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            store.put_searched_files(&digest, &entries).await
        };
        self.0.get_or_try_init(|| put).await?;
        Ok(())
    }
}

fn of_files(content: &Content) -> Vec<SearchEntry> {
    let guides = content.guides(Language::default()).into_iter().map(|guide| SearchEntry {
        kind: "guide",
        name: guide.slug.clone(),
        title: guide.title.clone(),
        about: guide.summary.clone(),
        names: guide.slug.replace('-', " "),
        text: in_all(|language| content.guides(language).into_iter().find(|one| one.slug == guide.slug)),
        ..SearchEntry::default()
    });
    let news = content.news(Language::default()).into_iter().map(|news| SearchEntry {
        kind: "news",
        name: news.name(),
        title: news.page.title.clone(),
        about: news.page.summary.clone(),
        text: in_all(|language| {
            let all = content.news(language).into_iter();
            all.map(|one| (one.name(), &one.page))
                .find(|(name, _)| *name == news.name())
                .map(|(_, page)| page)
        }),
        ..SearchEntry::default()
    });
    let refusals = DOCS.iter().map(|doc| SearchEntry {
        kind: "refusal",
        name: doc.code.clone(),
        title: doc.title.clone(),
        about: format!("{} · {}", doc.status, doc.code),
        names: format!("{} {}", doc.code.replace('_', " "), doc.status),
        text: doc.in_all(),
        ..SearchEntry::default()
    });
    guides.chain(news).chain(refusals).collect()
}

/// A page's words in every language that it is written in: it is found by those of each.
fn in_all<'c>(of: impl Fn(Language) -> Option<&'c Guide>) -> String {
    let mut texts: Vec<&str> = Vec::new();
    for guide in Language::ALL.into_iter().filter_map(of) {
        for text in [&guide.title, &guide.text] {
            if !texts.contains(&text.as_str()) {
                texts.push(text);
            }
        }
    }
    texts.join("\n\n")
}

/// `GET /search?q=…`
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(asked): Query<Asked>) -> Answer {
    let question: String = asked.q.chars().filter(|c| !c.is_control()).take(200).collect();
    let words = words(&question);
    let groups = if words.is_empty() {
        Vec::new()
    } else {
        state.searched.put(&state.store, &state.content).await?;
        grouped(state.store.search(visit.viewer(), question.trim(), &words, HITS_MAX).await?, &state.content)
    };
    visit.page(&View { shell: visit.shell(Area::Public, t("around-search")).await?, question, groups })
}

/// The words of a question; all must be found.
fn words(question: &str) -> Vec<String> {
    let words = question.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(WORDS_MAX).map(str::to_lowercase).collect()
}

fn grouped(rows: Vec<HitRow>, content: &Content) -> Vec<Group> {
    let group = |(kind, id, title)| {
        let rows: Vec<&HitRow> = rows.iter().filter(|row| row.kind == kind).collect();
        let all = rows.first().map_or(0, |row| usize::try_from(row.of_kind).unwrap_or(usize::MAX));
        let more = all.saturating_sub(rows.len());
        Group { id, title: t(title), hits: rows.into_iter().map(|row| hit(row, content)).collect(), more }
    };
    GROUPS.into_iter().map(group).filter(|group| !group.hits.is_empty()).collect()
}

fn hit(row: &HitRow, content: &Content) -> Hit {
    let place = Place { product: row.product.clone(), api: row.api.clone() };
    let name = &row.name;
    let written = match row.kind.as_str() {
        "guide" => content.guides(language()).into_iter().find(|guide| guide.slug == *name),
        "news" => {
            content.news(language()).into_iter().find(|news| news.name() == *name).map(|news| &news.page)
        }
        _ => None,
    };
    let (title, said) = written.map_or((&row.title, &row.about), |guide| (&guide.title, &guide.summary));
    let (href, about) = match row.kind.as_str() {
        "operation" => (place.operation(name), format!("{} · {}", row.about, row.api_name)),
        "schema" => (place.schema(name), row.api_name.clone()),
        "api" => (place.overview(), row.about.clone()),
        "guide" => (format!("/guides/{name}"), said.clone()),
        "news" => (format!("/changelog#{name}"), said.clone()),
        "page" => (format!("/pages/{name}"), row.about.clone()),
        "product" => (format!("/products/{name}"), row.about.clone()),
        _ => (format!("/problems/{name}"), row.about.clone()),
    };
    let refusal = DOCS.iter().find(|doc| row.kind == "refusal" && doc.code == *name).map(Doc::shown);
    let (title, tag) = match refusal {
        Some(shown) => (shown.title, shown.tag),
        None => (title.as_str(), written.map_or("", Guide::tag)),
    };
    Hit { href, title: title.to_owned(), about, method: row.method.clone(), tag }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let hit = |title: &str, about: &str, method: &str, href: &str| Hit {
            href: href.into(),
            title: title.into(),
            about: about.into(),
            method: method.into(),
            tag: "",
        };
        let view = |question: &str, groups: Vec<Group>| Self {
            shell: Shell::sample(Area::Public, "Search", "/search"),
            question: question.into(),
            groups,
        };
        let operation = "/products/countries/apis/countries/operations/op1";
        vec![
            view("", vec![]),
            view("nothing like it", vec![]),
            view(
                "countries",
                vec![
                    Group {
                        id: "operations",
                        title: "Operations",
                        hits: vec![hit("List countries", "/countries · Countries API", "GET", operation)],
                        more: 3,
                    },
                    Group {
                        id: "refusals",
                        title: "Error codes",
                        hits: vec![hit(
                            "The key has expired",
                            "401 · expired_credential",
                            "",
                            "/problems/expired_credential",
                        )],
                        more: 0,
                    },
                ],
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_its_words() {
        assert_eq!(words(" Get, country! rate_limited"), ["get", "country", "rate", "limited"]);
        assert!(words("':* & | ()").is_empty());
    }
}
