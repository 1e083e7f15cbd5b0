//! Sample calls and examples beside an operation, a webhook or a schema.

use askama::Template;
use tollgate_openapi::{Language, Media, OperationDetail, snippet};

use crate::markup::{self, Html};
use crate::reference::{Address, KEY_PLACEHOLDER};
use crate::say::t;
use crate::{filters, highlight};

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

/// An operation's: calls in every language, those of its author, and what is sent and answered.
pub fn of_operation(detail: &OperationDetail, address: &Address) -> Samples {
    let call = address.call(detail);
    let calls = Language::ALL.map(|language| Sample {
        id: language.id(),
        label: language.label(),
        code: highlight::sample(language.id(), &snippet(language, &call, KEY_PLACEHOLDER)),
    });
    Samples {
        calls: calls.into(),
        by_author: detail
            .code_samples
            .iter()
            .map(|one| (one.label.clone(), highlight::code(&one.language, &one.source)))
            .collect(),
        examples: examples(detail),
    }
}

/// A webhook's: it is called, so nobody calls it.
pub fn of_webhook(detail: &OperationDetail) -> Samples {
    Samples { calls: Vec::new(), by_author: Vec::new(), examples: examples(detail) }
}

/// A schema's one example, as text.
pub fn of_schema(example: Option<String>) -> Samples {
    let shown = example.map(|text| Example {
        id: "example".into(),
        title: t("operation-example").into(),
        html: markup::json(&text),
        generated: false,
    });
    Samples { calls: Vec::new(), by_author: Vec::new(), examples: shown.into_iter().collect() }
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
