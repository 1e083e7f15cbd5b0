//! Finding operations, schemas, guides, products and refusals by words.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::catalog::served_apis;
use super::problems::DOCS;
use super::reference::Place;
use crate::error::{Answer, Fault};
use crate::say::t;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

/// How many words of a question are looked for.
const WORDS_MAX: usize = 8;
/// How many hits one group shows.
const HITS_MAX: usize = 12;

/// One thing that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    pub href: String,
    pub title: String,
    pub about: String,
    pub method: String,
    score: u32,
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

/// `GET /search?q=…`
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(asked): Query<Asked>) -> Answer {
    let question: String = asked.q.chars().take(200).collect();
    let words = Words::of(&question);
    let groups = if words.0.is_empty() { Vec::new() } else { found(&state, &visit, &words).await? };
    visit.page(&View { shell: visit.shell(Area::Public, t("around-search")).await?, question, groups })
}

/// The words of a question, in lower case; all must be found.
struct Words(Vec<String>);

impl Words {
    fn of(question: &str) -> Self {
        let words =
            question.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        Self(words.take(WORDS_MAX).map(str::to_lowercase).collect())
    }

    /// How well a thing fits: a word at the start of a word of the title weighs most, then inside it, then in the
    /// names, then in the text; none where a word is nowhere.
    fn score(&self, title: &str, names: &str, text: &str) -> Option<u32> {
        let (title, names) = (title.to_lowercase(), names.to_lowercase());
        let mut text_lower = None;
        self.0.iter().try_fold(0, |sum, word| {
            let starts =
                title.split(|c: char| !c.is_alphanumeric()).any(|part| part.starts_with(word.as_str()));
            let weight = match () {
                () if title == *word => 16,
                () if starts => 8,
                () if title.contains(word.as_str()) => 4,
                () if names.contains(word.as_str()) => 3,
                () if text_lower.get_or_insert_with(|| text.to_lowercase()).contains(word.as_str()) => 1,
                () => return None,
            };
            Some(sum + weight)
        })
    }
}

async fn found(state: &PortalState, visit: &Visit, words: &Words) -> Result<Vec<Group>, Fault> {
    let (mut products, mut operations, mut schemas) = (Vec::new(), Vec::new(), Vec::new());
    for product in state.store.list_offered_products(visit.viewer()).await? {
        if let Some(score) = words.score(&product.name, product.slug.as_str(), &product.summary) {
            let href = format!("/products/{}", product.slug);
            products.push(Hit {
                href,
                title: product.name.clone(),
                about: product.summary.clone(),
                method: String::new(),
                score,
            });
        }
        for api in served_apis(&state.store, &product).await? {
            let Some(document) = state.documents.of(&state.store, &api).await? else { continue };
            let place = Place { product: product.slug.to_string(), api: api.slug.to_string() };
            for one in document.operations() {
                let names = format!("{} {} {}", one.operation_id, one.path, one.tags.join(" "));
                if let Some(score) = words.score(&one.summary, &names, &one.method) {
                    let (href, about) =
                        (place.operation(&one.operation_id), format!("{} · {}", one.path, api.name));
                    operations.push(Hit {
                        href,
                        title: one.summary.clone(),
                        about,
                        method: one.method.clone(),
                        score,
                    });
                }
            }
            for name in document.schema_names() {
                if let Some(score) = words.score(name, "", "") {
                    let (href, about) = (place.schema(name), api.name.clone());
                    schemas.push(Hit { href, title: name.to_owned(), about, method: String::new(), score });
                }
            }
        }
    }
    let guides = state.content.guides.iter().filter_map(|guide| {
        let score = words.score(&guide.title, &guide.slug, &guide.text)?;
        let href = format!("/guides/{}", guide.slug);
        Some(Hit {
            href,
            title: guide.title.clone(),
            about: guide.summary.clone(),
            method: String::new(),
            score,
        })
    });
    let refusals = DOCS.iter().filter_map(|doc| {
        let score = words.score(&doc.title, &format!("{} {}", doc.code, doc.status), &doc.text)?;
        let (href, about) = (format!("/problems/{}", doc.code), format!("{} · {}", doc.status, doc.code));
        Some(Hit { href, title: doc.title.clone(), about, method: String::new(), score })
    });
    let groups = [
        group("operations", t("search-operations"), operations),
        group("guides", t("around-guides"), guides.collect()),
        group("products", t("around-products"), products),
        group("schemas", t("search-schemas"), schemas),
        group("refusals", t("around-errors"), refusals.collect()),
    ];
    Ok(groups.into_iter().filter(|group| !group.hits.is_empty()).collect())
}

fn group(id: &'static str, title: &'static str, mut hits: Vec<Hit>) -> Group {
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.score));
    let more = hits.len().saturating_sub(HITS_MAX);
    hits.truncate(HITS_MAX);
    Group { id, title, hits, more }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let hit = |title: &str, about: &str, method: &str, href: &str| Hit {
            href: href.into(),
            title: title.into(),
            about: about.into(),
            method: method.into(),
            score: 1,
        };
        let view = |question: &str, groups| Self {
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
    fn every_word_must_be_found_and_titles_weigh_most() {
        let words = Words::of(" Get, country! ");
        assert_eq!(words.0, ["get", "country"]);
        let title = words.score("Get one country", "", "").expect("found");
        let names = words.score("Read it", "getCountry", "").expect("found");
        let text = words.score("Read it", "", "how to get a country").expect("found");
        assert!(title > names && names > text);
        assert_eq!(words.score("Get one", "", ""), None);
    }
}
