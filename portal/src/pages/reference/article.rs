//! What a page of a reference says to everybody, and how it stands in the page of a reader.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tollgate_openapi::{Document, Language, OperationDetail};

use super::body::{body_of, text};
use super::nav::{self, Current, Line, SideLink, TagSection};
use super::shape::Pen;
use super::{Place, markdown, samples};
use crate::filters;
use crate::framed::Parts;
use crate::markup::{self, Html};
use crate::reference::{Address, KEY_PLACEHOLDER};
use crate::say::t;

/// One page, but for what depends on its reader.
#[derive(Debug, Default)]
pub struct Article {
    /// The page's name.
    pub title: String,
    /// Upper-case method; empty where it is no call.
    pub method: String,
    /// Path template, or how a webhook is called.
    pub path: String,
    /// Whether callers should leave it.
    pub deprecated: bool,
    /// The navigation beside it.
    pub side: Html,
    /// The text.
    pub body: Html,
    /// Sample calls and answers, with `YOUR_KEY` where a key belongs.
    pub samples: Html,
    /// The same for programs and for pasting.
    pub markdown: String,
    /// Names side, body and samples by what is in them.
    digest: String,
}

impl Article {
    /// An article with a name and nothing else.
    fn titled(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    fn sealed(self) -> Self {
        let mut hash = Sha256::new();
        for part in [&self.side, &self.body, &self.samples] {
            hash.update(part.as_str().len().to_le_bytes());
            hash.update(part.as_str());
        }
        Self { digest: URL_SAFE_NO_PAD.encode(&hash.finalize()[..16]), ..self }
    }

    /// Marks for the places where its parts go. The digest in them is that of the article, so no text in it can spell one.
    /// `reader` is all that its samples are made of beside the article.
    pub fn marks(&self, reader: &str) -> Parts {
        let mark = |part: &Html, name: &str| match part.is_blank() {
            true => Html::default(),
            false => Html::made_here(format!("<!--{} {name}-->", self.digest)),
        };
        Parts {
            side: mark(&self.side, "side"),
            body: mark(&self.body, "body"),
            samples: mark(&self.samples, &format!("samples {reader}")),
        }
    }

    /// Its parts as they are, samples in the reader's language and with their key if these are given.
    pub fn parts(&self, reader: Option<(Language, Option<&str>)>) -> Parts {
        Parts {
            side: self.side.clone(),
            body: self.body.clone(),
            samples: match reader {
                Some((language, key)) => self.samples_for(language, key),
                None => self.samples.clone(),
            },
        }
    }

    /// The samples with a language chosen and, if there is one, the reader's key in its place.
    #[must_use]
    pub fn samples_for(&self, language: Language, key: Option<&str>) -> Html {
        let option = format!("value=\"{}\"", language.id());
        let mut html = self.samples.as_str().replacen(&option, &format!("{option} selected"), 1);
        if let Some(key) = key {
            html = html.replace(KEY_PLACEHOLDER, &markup::escaped(key));
        }
        Html::made_here(html)
    }

    /// How much of memory it takes.
    pub fn bytes(&self) -> usize {
        self.side.as_str().len()
            + self.body.as_str().len()
            + self.samples.as_str().len()
            + self.markdown.len()
    }
}

/// Renders a page; none where the document has no such thing.
pub fn render(
    document: &Document,
    place: &Place,
    api: &str,
    address: &Address,
    current: &Current,
) -> askama::Result<Option<Article>> {
    let side = Html::made_here(nav::side(place, api, document, current).render()?);
    let article = match current {
        Current::Overview => overview(document, place, api, address)?,
        Current::Operation(id) => match document.operation(id) {
            Some(detail) => operation(&detail, place, address)?,
            None => return Ok(None),
        },
        Current::Webhook(id) => match document.webhook(id) {
            Some(detail) => webhook(&detail, place)?,
            None => return Ok(None),
        },
        Current::Schema(name) => match schema(document, place, name)? {
            Some(article) => article,
            None => return Ok(None),
        },
        Current::Schemas => schemas(document, place)?,
    };
    Ok(Some(Article { side, ..article }.sealed()))
}

fn operation(detail: &OperationDetail, place: &Place, address: &Address) -> askama::Result<Article> {
    Ok(Article {
        body: Html::made_here(body_of(detail, &Pen::at(place), false).render()?),
        samples: Html::made_here(samples::of_operation(detail, address).render()?),
        markdown: markdown::operation(detail, place, address),
        ..headed(detail)
    })
}

fn webhook(detail: &OperationDetail, place: &Place) -> askama::Result<Article> {
    Ok(Article {
        body: Html::made_here(body_of(detail, &Pen::at(place), true).render()?),
        samples: Html::made_here(samples::of_webhook(detail).render()?),
        markdown: markdown::webhook(detail, place),
        ..headed(detail)
    })
}

/// The head of what is called, without a text.
fn headed(detail: &OperationDetail) -> Article {
    let operation = &detail.operation;
    Article {
        method: operation.method.clone(),
        path: operation.path.clone(),
        deprecated: operation.deprecated,
        ..Article::titled(operation.summary.clone())
    }
}

#[derive(Template)]
#[template(path = "reference/overview_body.html")]
pub struct OverviewBody {
    pub description: Option<Html>,
    pub sections: Vec<TagSection>,
    pub webhooks: Vec<SideLink>,
    pub schemas: Option<(String, usize)>,
}

fn overview(document: &Document, place: &Place, api: &str, address: &Address) -> askama::Result<Article> {
    let count = document.schema_names().count();
    let webhooks = document.webhooks().iter().map(|one| SideLink {
        href: place.webhook(&one.operation_id),
        text: one.summary.clone(),
        current: false,
    });
    let body = OverviewBody {
        description: text(document.description()),
        sections: nav::tag_sections(place, document, ""),
        webhooks: webhooks.collect(),
        schemas: (count > 0).then(|| (place.schemas(), count)),
    };
    Ok(Article {
        body: Html::made_here(body.render()?),
        markdown: markdown::overview(document, place, api, address),
        ..Article::titled(api)
    })
}

#[derive(Template)]
#[template(path = "reference/schema_body.html")]
pub struct SchemaBody {
    pub description: Option<Html>,
    pub kind: String,
    pub inside: Html,
    pub used_by: Vec<Line>,
}

fn schema(document: &Document, place: &Place, name: &str) -> askama::Result<Option<Article>> {
    let Some(shape) = document.schema(name) else { return Ok(None) };
    let used_by = document.operations_with(name).into_iter().map(|operation| Line {
        href: place.operation(&operation.operation_id),
        method: operation.method.clone(),
        path: operation.path.clone(),
        summary: operation.summary.clone(),
        deprecated: operation.deprecated,
        current: false,
    });
    let body = SchemaBody {
        description: text(&shape.description),
        kind: shape.summary.clone(),
        inside: Pen::at(place).inside(&shape),
        used_by: used_by.collect(),
    };
    let example = document.schema_example(name).and_then(|value| serde_json::to_string_pretty(&value).ok());
    Ok(Some(Article {
        deprecated: shape.deprecated,
        body: Html::made_here(body.render()?),
        samples: Html::made_here(samples::of_schema(example).render()?),
        markdown: markdown::schema(document, place, name, &shape),
        ..Article::titled(name)
    }))
}

#[derive(Template)]
#[template(path = "reference/schemas_body.html")]
pub struct SchemasBody {
    pub names: Vec<(String, String)>,
}

fn schemas(document: &Document, place: &Place) -> askama::Result<Article> {
    let names = document.schema_names().map(|name| (place.schema(name), name.to_owned()));
    let body = SchemasBody { names: names.collect() };
    Ok(Article {
        body: Html::made_here(body.render()?),
        markdown: markdown::schemas(document, place),
        ..Article::titled(t("schema-schemas"))
    })
}
