//! The reference as Markdown: for programs that read, and for pasting into a conversation.

use std::fmt::Write as _;

use tollgate_openapi::{
    Document, Language, Media, Member, OperationDetail, Parameter, Response, Shape, snippet,
};

use super::body::way_in;
use super::{Place, nav};
use crate::reference::{Address, KEY_PLACEHOLDER};

/// An operation.
#[must_use]
pub fn operation(detail: &OperationDetail, place: &Place, address: &Address) -> String {
    let operation = &detail.operation;
    let mut out = title(&operation.summary, operation.deprecated);
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(out, "`{} {}{}`\n", operation.method, address.base_url, operation.path);
    out.push_str("Send your key as `X-API-Key`.\n\n");
    let ways: Vec<String> = detail.security.iter().map(|way| way_in(way)).collect();
    if !ways.is_empty() {
        let _ = writeln!(out, "The API itself asks for: {}.\n", ways.join("; or "));
    }
    details(&mut out, detail);
    let call = snippet(Language::Curl, &address.call(detail), KEY_PLACEHOLDER);
    let _ = writeln!(out, "## Example\n\n```sh\n{call}\n```\n");
    let good = detail.responses.iter().find(|one| one.status.starts_with('2'));
    example(&mut out, good.map_or(&[], |one| &one.content));
    let _ = writeln!(out, "All operations: {}.md", place.overview());
    out
}

/// A webhook.
#[must_use]
pub fn webhook(detail: &OperationDetail, place: &Place) -> String {
    let mut out = title(&detail.operation.summary, detail.operation.deprecated);
    let _ = writeln!(out, "A webhook: the API sends `{}` to an address of yours.\n", detail.operation.method);
    details(&mut out, detail);
    example(&mut out, detail.request_body.as_ref().map_or(&[], |body| &body.content));
    let _ = writeln!(out, "All operations: {}.md", place.overview());
    out
}

/// A schema.
#[must_use]
pub fn schema(document: &Document, place: &Place, name: &str, shape: &Shape) -> String {
    let mut out = title(name, shape.deprecated);
    paragraph(&mut out, &shape.description);
    whole(&mut out, shape);
    if let Some(text) = document.schema_example(name).and_then(|v| serde_json::to_string_pretty(&v).ok()) {
        let _ = writeln!(out, "## Example\n\n```json\n{text}\n```\n");
    }
    let used = document.operations_with(name);
    if !used.is_empty() {
        out.push_str("## Used by\n\n");
        for one in used {
            let href = place.operation(&one.operation_id);
            let _ = writeln!(out, "- [{} {}]({href}.md): {}", one.method, one.path, one.summary);
        }
    }
    out
}

/// The list of schemas.
#[must_use]
pub fn schemas(document: &Document, place: &Place) -> String {
    let mut out = "# Schemas\n\n".to_owned();
    for name in document.schema_names() {
        let _ = writeln!(out, "- [{name}]({}.md)", place.schema(name));
    }
    out
}

/// All operations of an API.
#[must_use]
pub fn overview(document: &Document, place: &Place, api: &str, address: &Address) -> String {
    let mut out = format!("# {api}\n\n");
    let _ = writeln!(out, "Base URL: `{}`. Send your key as `X-API-Key`.\n", address.base_url);
    for condition in &address.headers {
        let _ = writeln!(out, "Every call carries `{}: {}`.\n", condition.name, condition.value);
    }
    paragraph(&mut out, document.description());
    for section in nav::tag_sections(place, document, "") {
        let _ = writeln!(out, "## {}\n", section.name);
        paragraph(&mut out, &section.description);
        for line in section.lines {
            let gone = if line.deprecated { " (deprecated)" } else { "" };
            let _ =
                writeln!(out, "- [{} {}]({}.md): {}{gone}", line.method, line.path, line.href, line.summary);
        }
        out.push('\n');
    }
    if !document.webhooks().is_empty() {
        out.push_str("## Webhooks\n\n");
        for one in document.webhooks() {
            let _ = writeln!(out, "- [{}]({}.md)", one.summary, place.webhook(&one.operation_id));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "OpenAPI document: {}", place.document());
    if document.schema_names().next().is_some() {
        let _ = writeln!(out, "\nSchemas: {}.md", place.schemas());
    }
    out
}

fn title(text: &str, deprecated: bool) -> String {
    format!("# {text}\n\n{}", if deprecated { "Deprecated.\n\n" } else { "" })
}

fn paragraph(out: &mut String, text: &str) {
    if !text.trim().is_empty() {
        let _ = writeln!(out, "{}\n", text.trim());
    }
}

fn details(out: &mut String, detail: &OperationDetail) {
    paragraph(out, &detail.description);
    for (place, name) in [
        ("path", "Path parameters"),
        ("query", "Query parameters"),
        ("header", "Headers"),
        ("cookie", "Cookies"),
    ] {
        let all: Vec<&Parameter> = detail.parameters.iter().filter(|one| one.location == place).collect();
        if !all.is_empty() {
            let _ = writeln!(out, "## {name}\n");
            for one in all {
                line(out, 0, &one.name, one.required, &one.description, &one.shape);
            }
            out.push('\n');
        }
    }
    if let Some(body) = &detail.request_body {
        out.push_str("## Request body\n\n");
        paragraph(out, &body.description);
        media(out, &body.content);
    }
    for one in &detail.callbacks {
        let _ = writeln!(
            out,
            "## Callback {}\n\n`{} {}`\n",
            one.name, one.operation.operation.method, one.expression
        );
        media(out, one.operation.request_body.as_ref().map_or(&[], |body| &body.content));
    }
    if !detail.responses.is_empty() {
        out.push_str("## Answers\n\n");
        for one in &detail.responses {
            answer(out, one);
        }
    }
}

fn answer(out: &mut String, one: &Response) {
    let _ = writeln!(out, "### {}\n", one.status);
    paragraph(out, &one.description);
    for header in &one.headers {
        let name = format!("header {}", header.name);
        line(out, 0, &name, header.required, &header.shape.description, &header.shape);
    }
    media(out, &one.content);
}

fn media(out: &mut String, content: &[Media]) {
    for one in content {
        let _ = writeln!(out, "`{}`: {}\n", one.media_type, one.shape.summary);
        whole(out, &one.shape);
    }
}

/// Members and alternatives of a schema.
fn whole(out: &mut String, shape: &Shape) {
    members(out, 0, &shape.members);
    variants(out, 0, shape);
    if !shape.members.is_empty() || !shape.variants.is_empty() {
        out.push('\n');
    }
}

fn members(out: &mut String, depth: usize, all: &[Member]) {
    for one in all {
        line(out, depth, &one.name, one.required, &one.shape.description, &one.shape);
        members(out, depth + 1, &one.shape.members);
        variants(out, depth + 1, &one.shape);
    }
}

fn variants(out: &mut String, depth: usize, shape: &Shape) {
    for one in &shape.variants {
        let title = if one.title.is_empty() { &one.summary } else { &one.title };
        let _ = writeln!(out, "{}- or {title}", "  ".repeat(depth));
        members(out, depth + 1, &one.members);
    }
}

fn line(out: &mut String, depth: usize, name: &str, required: bool, description: &str, shape: &Shape) {
    let mut facts = vec![shape.summary.clone()];
    let marks = [
        (required, "required"),
        (shape.read_only, "in answers only"),
        (shape.write_only, "in requests only"),
        (shape.deprecated, "deprecated"),
    ];
    facts.extend(marks.iter().filter(|(set, _)| *set).map(|(_, text)| (*text).to_owned()));
    facts.extend(shape.bounds.iter().cloned());
    if !shape.pattern.is_empty() {
        facts.push(format!("matches `{}`", shape.pattern));
    }
    facts.extend(shape.default.iter().map(|value| format!("default `{value}`")));
    if !shape.allowed.is_empty() {
        facts.push(format!("one of `{}`", shape.allowed.join("`, `")));
    }
    let text = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = if text.is_empty() { text } else { format!(": {text}") };
    let _ = writeln!(out, "{}- `{name}` ({}){text}", "  ".repeat(depth), facts.join(", "));
}

fn example(out: &mut String, content: &[Media]) {
    let found = content.iter().find_map(|one| Some((one, one.example_text()?)));
    if let Some((media, text)) = found {
        let language = if media.media_type.contains("json") { "json" } else { "" };
        let _ = writeln!(out, "```{language}\n{text}\n```\n");
    }
}
