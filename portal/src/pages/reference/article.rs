//! What a page of a reference says to everybody: rendered at the first reading of a version, and kept.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use askama::Template;
use tollgate_domain::ApiId;
use tollgate_openapi::{
    Callback, Document, Language, Media, Member, OperationDetail, Parameter, Response, SecurityNeed, snippet,
};

use super::nav::{self, Current, Line, SideLink, TagSection};
use super::{Place, Reading, markdown, shape};
use crate::error::Fault;
use crate::highlight;
use crate::markup::{self, Html};
use crate::reference::{Address, KEY_PLACEHOLDER};
use crate::say::{self, t};
use crate::{filters, show};

/// How many bytes of articles are kept at once.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// One page, but for what depends on its reader.
#[derive(Debug)]
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
}

impl Article {
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

    fn bytes(&self) -> usize {
        self.side.as_str().len()
            + self.body.as_str().len()
            + self.samples.as_str().len()
            + self.markdown.len()
    }
}

/// Everything that an article is made of: another document, name or address makes another one.
type Key = (ApiId, i32, i64, Place, Current, say::Language);

/// Articles that were rendered, as many as fit.
#[derive(Clone, Default)]
pub struct Articles(Arc<RwLock<Kept>>);

#[derive(Default)]
struct Kept {
    articles: HashMap<Key, Arc<Article>>,
    bytes: usize,
}

impl std::fmt::Debug for Articles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Articles")
    }
}

impl Articles {
    /// The article of a page, rendered if it is not kept.
    ///
    /// # Errors
    /// There is no such operation, webhook or schema.
    pub async fn of(&self, reading: &Reading, current: Current) -> Result<Arc<Article>, Fault> {
        let api = &reading.api;
        let key = (
            api.id,
            api.document_number,
            api.version,
            reading.place.clone(),
            current.clone(),
            say::language(),
        );
        if let Some(article) = self.0.read().unwrap_or_else(PoisonError::into_inner).articles.get(&key) {
            return Ok(Arc::clone(article));
        }
        let (document, place) = (Arc::clone(&reading.document), reading.place.clone());
        let (name, address) = (api.name.clone(), reading.address.clone());
        let language = say::language();
        let rendered = tokio::task::spawn_blocking(move || {
            say::speaking(language, || render(&document, &place, &name, &address, &current))
        })
        .await;
        let article = rendered.map_err(|_| Fault::Problem(tollgate_web::Problem::internal()))??;
        let article = Arc::new(article.ok_or_else(Fault::not_found)?);
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + article.bytes() > KEPT_BYTES {
            *kept = Kept::default();
        }
        if kept.articles.insert(key, Arc::clone(&article)).is_none() {
            kept.bytes += article.bytes();
        }
        Ok(article)
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
    Ok(Some(Article { side, ..article }))
}

/// A body of a request or an answer.
pub struct BodyView {
    pub media: Vec<String>,
    pub kind: Html,
    pub inside: Html,
}

pub struct ParametersView {
    pub place: &'static str,
    pub title: &'static str,
    pub count: usize,
    pub list: Html,
}

pub struct RequestView {
    pub required: bool,
    pub description: Option<Html>,
    pub bodies: Vec<BodyView>,
}

pub struct ResponseView {
    pub status: String,
    pub tone: &'static str,
    pub description: Option<Html>,
    pub headers: Option<Html>,
    pub bodies: Vec<BodyView>,
    /// Whether its bodies are open from the start.
    pub open: bool,
}

pub struct CallbackView {
    pub name: String,
    pub method: String,
    pub expression: String,
    pub description: Option<Html>,
    pub request: Option<RequestView>,
    pub answers: String,
}

/// What an operation or a webhook says.
#[derive(Template)]
#[template(path = "reference/operation_body.html")]
pub struct OperationBody {
    pub description: Option<Html>,
    pub external: Option<(String, String)>,
    pub parameters: Vec<ParametersView>,
    pub request: Option<RequestView>,
    pub responses: Vec<ResponseView>,
    pub callbacks: Vec<CallbackView>,
    pub security: Vec<String>,
    pub webhook: bool,
}

/// A sample in a language.
pub struct Sample {
    pub id: &'static str,
    pub label: &'static str,
    pub code: Html,
}

/// A sample that is shown as it is.
pub struct Example {
    pub id: String,
    pub title: String,
    pub html: Html,
    pub generated: bool,
}

#[derive(Template)]
#[template(path = "reference/samples.html")]
pub struct Samples {
    pub calls: Vec<Sample>,
    pub by_author: Vec<(String, Html)>,
    pub examples: Vec<Example>,
}

fn operation(detail: &OperationDetail, place: &Place, address: &Address) -> askama::Result<Article> {
    let call = address.call(detail);
    let calls = Language::ALL.map(|language| Sample {
        id: language.id(),
        label: language.label(),
        code: highlight::sample(language.id(), &snippet(language, &call, KEY_PLACEHOLDER)),
    });
    let samples = Samples {
        calls: calls.into(),
        by_author: detail
            .code_samples
            .iter()
            .map(|one| (one.label.clone(), highlight::code(&one.language, &one.source)))
            .collect(),
        examples: examples(detail),
    };
    Ok(Article {
        title: detail.operation.summary.clone(),
        method: detail.operation.method.clone(),
        path: detail.operation.path.clone(),
        deprecated: detail.operation.deprecated,
        side: Html::made_here(String::new()),
        body: Html::made_here(body_of(detail, place, false).render()?),
        samples: Html::made_here(samples.render()?),
        markdown: markdown::operation(detail, place, address),
    })
}

fn webhook(detail: &OperationDetail, place: &Place) -> askama::Result<Article> {
    let samples = Samples { calls: Vec::new(), by_author: Vec::new(), examples: examples(detail) };
    Ok(Article {
        title: detail.operation.summary.clone(),
        method: detail.operation.method.clone(),
        path: detail.operation.path.clone(),
        deprecated: detail.operation.deprecated,
        side: Html::made_here(String::new()),
        body: Html::made_here(body_of(detail, place, true).render()?),
        samples: Html::made_here(samples.render()?),
        markdown: markdown::webhook(detail, place),
    })
}

fn body_of(detail: &OperationDetail, place: &Place, webhook: bool) -> OperationBody {
    let first_good = detail.responses.iter().position(|one| one.status.starts_with('2')).unwrap_or(0);
    let responses = detail.responses.iter().enumerate();
    OperationBody {
        description: text(&detail.description),
        external: detail.external_docs.clone().map(|(url, about)| {
            let about = if about.is_empty() { url.clone() } else { about };
            (url, about)
        }),
        parameters: parameters(&detail.parameters, place),
        request: detail.request_body.as_ref().map(|body| RequestView {
            required: body.required,
            description: text(&body.description),
            bodies: bodies(&body.content, place),
        }),
        responses: responses.map(|(at, one)| response(one, place, at == first_good)).collect(),
        callbacks: detail.callbacks.iter().map(|one| callback(one, place)).collect(),
        security: detail.security.iter().map(|way| way_in(way)).collect(),
        webhook,
    }
}

/// Markdown of the document's author.
pub fn text(markdown: &str) -> Option<Html> {
    (!markdown.is_empty()).then(|| markup::markdown(markdown))
}

fn parameters(all: &[Parameter], place: &Place) -> Vec<ParametersView> {
    [
        ("path", t("body-in-path")),
        ("query", t("body-in-query")),
        ("header", t("body-headers")),
        ("cookie", t("body-in-cookie")),
    ]
    .into_iter()
    .map(|(location, title)| {
        let rows: Vec<Member> = all.iter().filter(|one| one.location == location).map(row).collect();
        ParametersView { place: location, title, count: rows.len(), list: shape::list(place, &rows) }
    })
    .filter(|group| group.count > 0)
    .collect()
}

/// A parameter as one row: what is said of it stands before what is said of its type.
fn row(one: &Parameter) -> Member {
    let mut shape = one.shape.clone();
    shape.description.clone_from(&one.description);
    shape.deprecated = one.deprecated;
    Member { name: one.name.clone(), required: one.required, shape }
}

fn bodies(content: &[Media], place: &Place) -> Vec<BodyView> {
    let mut views: Vec<BodyView> = Vec::new();
    for (index, media) in content.iter().enumerate() {
        // What has the same shape in another media type is told once.
        match content[..index].iter().rposition(|earlier| earlier.shape == media.shape) {
            Some(at) if at + 1 == index => {
                if let Some(view) = views.last_mut() {
                    view.media.push(media.media_type.clone());
                }
            }
            _ => views.push(BodyView {
                media: vec![media.media_type.clone()],
                kind: shape::kind(place, &media.shape),
                inside: shape::inside(place, &media.shape),
            }),
        }
    }
    views
}

fn response(one: &Response, place: &Place, open: bool) -> ResponseView {
    let class = one.status.chars().next().and_then(|digit| digit.to_digit(10)).unwrap_or(0);
    ResponseView {
        status: one.status.clone(),
        tone: show::status_tone(u16::try_from(class * 100).unwrap_or(0)),
        description: text(&one.description),
        headers: (!one.headers.is_empty()).then(|| shape::list(place, &one.headers)),
        bodies: bodies(&one.content, place),
        open,
    }
}

fn callback(one: &Callback, place: &Place) -> CallbackView {
    let detail = &one.operation;
    let answers: Vec<&str> = detail.responses.iter().map(|response| response.status.as_str()).collect();
    CallbackView {
        name: one.name.clone(),
        method: detail.operation.method.clone(),
        expression: one.expression.clone(),
        description: text(if detail.description.is_empty() {
            &detail.operation.summary
        } else {
            &detail.description
        }),
        request: detail.request_body.as_ref().map(|body| RequestView {
            required: body.required,
            description: text(&body.description),
            bodies: bodies(&body.content, place),
        }),
        answers: answers.join(", "),
    }
}

/// One of the ways that a document names, in words.
pub fn way_in(needs: &[SecurityNeed]) -> String {
    if needs.is_empty() {
        return "nothing".into();
    }
    let one = |need: &SecurityNeed| {
        let kind = if need.kind.is_empty() { need.scheme.clone() } else { need.kind.clone() };
        match need.scopes.as_slice() {
            [] => kind,
            scopes => format!("{kind} with {}", scopes.join(", ")),
        }
    };
    needs.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// What is sent and answered, as the document or we show it.
fn examples(detail: &OperationDetail) -> Vec<Example> {
    let mut all = Vec::new();
    let sent = detail.request_body.iter().flat_map(|body| &body.content).find(|one| one.example.is_some());
    add_examples(&mut all, "sent", t("body-request"), sent);
    let good = detail.responses.iter().filter(|one| one.status.starts_with('2'));
    let answered = good.flat_map(|one| &one.content).find(|one| one.example.is_some());
    add_examples(&mut all, "answer", t("ui-answer"), answered);
    all
}

fn add_examples(all: &mut Vec<Example>, id: &str, title: &str, media: Option<&Media>) {
    let Some(media) = media else { return };
    if let Some(text) = media.example_text() {
        let html = markup::json(&text);
        all.push(Example { id: id.into(), title: title.into(), html, generated: media.example_generated });
    }
    for (index, (name, value)) in media.more_examples.iter().enumerate() {
        if let Some(text) = media.text_of(value) {
            let (id, title) = (format!("{id}-{index}"), format!("{title}: {name}"));
            all.push(Example { id, title, html: markup::json(&text), generated: false });
        }
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
        title: api.to_owned(),
        method: String::new(),
        path: String::new(),
        deprecated: false,
        side: Html::made_here(String::new()),
        body: Html::made_here(body.render()?),
        samples: Html::made_here(String::new()),
        markdown: markdown::overview(document, place, api, address),
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
        inside: shape::inside(place, &shape),
        used_by: used_by.collect(),
    };
    let example = document.schema_example(name).and_then(|value| serde_json::to_string_pretty(&value).ok());
    let samples = Samples {
        calls: Vec::new(),
        by_author: Vec::new(),
        examples: example
            .map(|text| Example {
                id: "example".into(),
                title: t("operation-example").into(),
                html: markup::json(&text),
                generated: false,
            })
            .into_iter()
            .collect(),
    };
    Ok(Some(Article {
        title: name.to_owned(),
        method: String::new(),
        path: String::new(),
        deprecated: shape.deprecated,
        side: Html::made_here(String::new()),
        body: Html::made_here(body.render()?),
        samples: Html::made_here(samples.render()?),
        markdown: markdown::schema(document, place, name, &shape),
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
        title: t("schema-schemas").into(),
        method: String::new(),
        path: String::new(),
        deprecated: false,
        side: Html::made_here(String::new()),
        markdown: markdown::schemas(document, place),
        body: Html::made_here(body.render()?),
        samples: Html::made_here(String::new()),
    })
}
