//! All of one operation, references followed.

use serde_json::Value;

use crate::check::resolve;
use crate::document::header;
use crate::example::{Side, example};
use crate::kind::METHODS;
use crate::security::security;
use crate::shape::{ROWS_PER_BODY, shape};
use crate::view::{
    Callback, CodeSample, Media, Member, Operation, OperationDetail, Parameter, RequestBody, Response, Shape,
    is_json,
};

/// How many callbacks of one operation are shown.
const CALLBACKS_MAX: usize = 20;
/// How many rows below one parameter or header are shown.
const ROWS_PER_PARAMETER: usize = 20;

/// The detail of an operation that stands in the path item.
pub(crate) fn detail(root: &Value, item: &Value, operation: &Operation) -> OperationDetail {
    let value = item.get(operation.method.to_ascii_lowercase()).unwrap_or(&Value::Null);
    OperationDetail { callbacks: callbacks(root, value), ..plain(root, item, value, operation) }
}

/// All but the callbacks, which may lead to each other.
fn plain(root: &Value, item: &Value, value: &Value, operation: &Operation) -> OperationDetail {
    let mut rows = ROWS_PER_BODY;
    let body = value.get("requestBody").map(|body| resolve(root, body));
    let responses = value.get("responses").and_then(Value::as_object).into_iter().flatten();
    OperationDetail {
        operation: operation.clone(),
        description: [value, item]
            .iter()
            .map(|v| text(v, "description"))
            .find(|d| !d.is_empty())
            .unwrap_or_default(),
        parameters: parameters(root, item, value, &operation.path),
        request_body: body.map(|body| RequestBody {
            required: body["required"].as_bool().unwrap_or(false),
            description: text(body, "description"),
            content: content(root, body, Side::Request, &mut rows),
        }),
        responses: answers(root, responses),
        code_samples: code_samples(value),
        callbacks: Vec::new(),
        security: security(root, value),
        external_docs: value.get("externalDocs").and_then(|docs| {
            let url = text(docs, "url");
            (url.starts_with("https://") || url.starts_with("http://"))
                .then(|| (url, text(docs, "description")))
        }),
    }
}

/// Answers share one page, so they share the rows it has; those that went well come first in the document.
fn answers<'a>(root: &Value, responses: impl Iterator<Item = (&'a String, &'a Value)>) -> Vec<Response> {
    let mut rows = ROWS_PER_BODY;
    responses
        .filter(|(status, _)| !status.starts_with("x-"))
        .map(|(status, value)| response(root, status, resolve(root, value), &mut rows))
        .collect()
}

fn callbacks(root: &Value, operation: &Value) -> Vec<Callback> {
    let mut all = Vec::new();
    for (name, value) in operation.get("callbacks").and_then(Value::as_object).into_iter().flatten() {
        for (expression, item) in resolve(root, value).as_object().into_iter().flatten() {
            let item = resolve(root, item);
            for (method, value) in item.as_object().into_iter().flatten() {
                if METHODS.contains(&method.as_str()) && value.is_object() {
                    let operation = header(expression, method, item, value);
                    all.push(Callback {
                        name: name.clone(),
                        expression: expression.clone(),
                        operation: plain(root, item, value, &operation),
                    });
                }
            }
        }
    }
    all.truncate(CALLBACKS_MAX);
    all
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}

/// Those of the operation override those of the path with the same name and place. A name in the path that
/// nobody described is a text.
fn parameters(root: &Value, item: &Value, operation: &Value, path: &str) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::new();
    for value in [item, operation].iter().flat_map(|v| v["parameters"].as_array().into_iter().flatten()) {
        let parameter = parameter(root, resolve(root, value));
        if parameter.name.is_empty() {
            continue;
        }
        match all.iter_mut().find(|p| p.name == parameter.name && p.location == parameter.location) {
            Some(earlier) => *earlier = parameter,
            None => all.push(parameter),
        }
    }
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    for name in names {
        if !all.iter().any(|p| p.location == "path" && p.name == name) {
            let value = serde_json::json!({ "name": name, "in": "path", "schema": { "type": "string" } });
            all.push(parameter(root, &value));
        }
    }
    // Those of the path as they stand in it, the others as their author listed them.
    all.sort_by_key(|p| {
        let place = ["path", "query", "header", "cookie"].iter().position(|location| *location == p.location);
        (place, path.find(&format!("{{{}}}", p.name)))
    });
    all
}

fn parameter(root: &Value, value: &Value) -> Parameter {
    let media = value.get("content").and_then(Value::as_object).and_then(|content| content.values().next());
    let any = Value::Bool(true);
    let schema = value.get("schema").or_else(|| media.and_then(|m| m.get("schema"))).unwrap_or(&any);
    let shape = shape(root, schema, &mut { ROWS_PER_PARAMETER });
    let location = text(value, "in");
    let style = value.get("style").and_then(Value::as_str);
    let form =
        style.unwrap_or(if matches!(location.as_str(), "query" | "cookie") { "form" } else { "simple" })
            == "form";
    let own = text(value, "description");
    Parameter {
        name: text(value, "name"),
        required: location == "path" || value["required"].as_bool().unwrap_or(false),
        deprecated: value["deprecated"].as_bool().unwrap_or(false) || shape.deprecated,
        description: if own.is_empty() { shape.description.clone() } else { own },
        shape,
        example: given(root, value)
            .or_else(|| media.and_then(|media| given(root, media)))
            .or_else(|| example(root, schema, Side::Request)),
        explode: value["explode"].as_bool().unwrap_or(form),
        location,
    }
}

/// An example that somebody wrote: `example`, or the first of `examples`.
fn given(root: &Value, value: &Value) -> Option<Value> {
    value.get("example").cloned().or_else(|| named(root, value).next().map(|(_, value)| value))
}

/// The examples that somebody wrote and named.
fn named<'a>(root: &'a Value, value: &'a Value) -> impl Iterator<Item = (String, Value)> + 'a {
    let all = value.get("examples").and_then(Value::as_object).into_iter().flatten();
    all.filter_map(|(name, example)| {
        let example = resolve(root, example);
        let summary = Some(text(example, "summary")).filter(|summary| !summary.is_empty());
        Some((summary.unwrap_or_else(|| name.clone()), example.get("value")?.clone()))
    })
}

fn content<'a>(root: &'a Value, holder: &'a Value, side: Side, rows: &mut usize) -> Vec<Media> {
    let content = holder.get("content").and_then(Value::as_object).into_iter().flatten();
    let mut shapes: Vec<(&Value, Shape)> = Vec::new();
    let mut shape_of = |schema: &'a Value| -> Shape {
        // Bodies are often offered in several media types with one schema, which then takes its rows once.
        if let Some((_, known)) = shapes.iter().find(|(one, _)| *one == schema) {
            return known.clone();
        }
        let made = shape(root, schema, rows);
        shapes.push((schema, made.clone()));
        made
    };
    content
        .map(|(media_type, media)| {
            let shape = media.get("schema").map(&mut shape_of).unwrap_or_default();
            one_media(root, media_type, media, side, shape)
        })
        .collect()
}

fn one_media(root: &Value, media_type: &str, media: &Value, side: Side, shape: Shape) -> Media {
    let given = given(root, media);
    let schema = media.get("schema");
    let makes_sense = is_json(media_type) || media_type.starts_with("text/") || media_type.contains("form");
    let made =
        schema.filter(|_| given.is_none() && makes_sense).and_then(|schema| example(root, schema, side));
    Media {
        media_type: media_type.to_owned(),
        shape,
        more_examples: named(root, media).skip(1).take(4).collect(),
        example_generated: made.is_some(),
        example: given.or(made),
    }
}

fn response(root: &Value, status: &str, value: &Value, rows: &mut usize) -> Response {
    let headers = value.get("headers").and_then(Value::as_object).into_iter().flatten();
    let headers = headers.map(|(name, value)| {
        let value = resolve(root, value);
        let any = Value::Bool(true);
        let mut shape: Shape = shape(root, value.get("schema").unwrap_or(&any), &mut { ROWS_PER_PARAMETER });
        let own = text(value, "description");
        if !own.is_empty() {
            shape.description = own;
        }
        let required = value["required"].as_bool().unwrap_or(false);
        Member { name: name.clone(), required, shape }
    });
    Response {
        status: status.to_owned(),
        description: text(value, "description"),
        headers: headers.collect(),
        content: content(root, value, Side::Response, rows),
    }
}

fn code_samples(operation: &Value) -> Vec<CodeSample> {
    let samples = operation.get("x-codeSamples").or_else(|| operation.get("x-code-samples"));
    let samples = samples.and_then(Value::as_array).into_iter().flatten();
    samples
        .map(|sample| {
            let language = text(sample, "lang");
            let label =
                Some(text(sample, "label")).filter(|l| !l.is_empty()).unwrap_or_else(|| language.clone());
            CodeSample { language, label, source: text(sample, "source") }
        })
        .filter(|sample| !sample.source.is_empty())
        .collect()
}
