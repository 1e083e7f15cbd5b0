//! What an operation or a webhook says: parameters, bodies, answers, callbacks.

use askama::Template;
use tollgate_openapi::{Callback, Media, Member, OperationDetail, Parameter, Response, SecurityNeed};

use super::shape::Pen;
use crate::markup::{self, Html};
use crate::say::t;
use crate::{filters, show};

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

/// In words; `webhook` where the reader is the one who is called.
pub fn body_of(detail: &OperationDetail, pen: &Pen<'_>, webhook: bool) -> OperationBody {
    let first_good = detail.responses.iter().position(|one| one.status.starts_with('2')).unwrap_or(0);
    let responses = detail.responses.iter().enumerate();
    OperationBody {
        description: text(&detail.description),
        external: detail.external_docs.clone().map(|(url, about)| {
            let about = if about.is_empty() { url.clone() } else { about };
            (url, about)
        }),
        parameters: parameters(&detail.parameters, pen),
        request: detail.request_body.as_ref().map(|body| RequestView {
            required: body.required,
            description: text(&body.description),
            bodies: bodies(&body.content, pen),
        }),
        responses: responses.map(|(at, one)| response(one, pen, at == first_good)).collect(),
        callbacks: detail.callbacks.iter().map(|one| callback(one, pen)).collect(),
        security: detail.security.iter().map(|way| way_in(way)).collect(),
        webhook,
    }
}

/// Markdown of the document's author.
pub fn text(markdown: &str) -> Option<Html> {
    (!markdown.is_empty()).then(|| markup::markdown(markdown))
}

fn parameters(all: &[Parameter], pen: &Pen<'_>) -> Vec<ParametersView> {
    [
        ("path", t("body-in-path")),
        ("query", t("body-in-query")),
        ("header", t("body-headers")),
        ("cookie", t("body-in-cookie")),
    ]
    .into_iter()
    .map(|(location, title)| {
        let rows: Vec<Member> = all.iter().filter(|one| one.location == location).map(row).collect();
        ParametersView { place: location, title, count: rows.len(), list: pen.list(&rows) }
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

fn bodies(content: &[Media], pen: &Pen<'_>) -> Vec<BodyView> {
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
                kind: pen.kind(&media.shape),
                inside: pen.inside(&media.shape),
            }),
        }
    }
    views
}

fn response(one: &Response, pen: &Pen<'_>, open: bool) -> ResponseView {
    let class = one.status.chars().next().and_then(|digit| digit.to_digit(10)).unwrap_or(0);
    ResponseView {
        status: one.status.clone(),
        tone: show::status_tone(u16::try_from(class * 100).unwrap_or(0)),
        description: text(&one.description),
        headers: (!one.headers.is_empty()).then(|| pen.list(&one.headers)),
        bodies: bodies(&one.content, pen),
        open,
    }
}

fn callback(one: &Callback, pen: &Pen<'_>) -> CallbackView {
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
            bodies: bodies(&body.content, pen),
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
