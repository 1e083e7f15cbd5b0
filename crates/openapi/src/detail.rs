//! All of one operation, references followed.

use serde_json::Value;

use crate::check::resolve;
use crate::example::{Side, example};
use crate::schema;
use crate::view::{CodeSample, Media, Operation, OperationDetail, Parameter, RequestBody, Response, is_json};

/// The detail of an operation that stands in the path item.
pub(crate) fn detail(root: &Value, item: &Value, operation: &Operation) -> OperationDetail {
    let value = item.get(operation.method.to_ascii_lowercase()).unwrap_or(&Value::Null);
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
            content: content(root, body, Side::Request),
        }),
        responses: responses
            .filter(|(status, _)| !status.starts_with("x-"))
            .map(|(status, value)| response(root, status, resolve(root, value)))
            .collect(),
        code_samples: code_samples(value),
    }
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
    let row = schema::property(root, "", schema, 0, false);
    let location = text(value, "in");
    let style = value.get("style").and_then(Value::as_str);
    let form =
        style.unwrap_or(if matches!(location.as_str(), "query" | "cookie") { "form" } else { "simple" })
            == "form";
    let own = text(value, "description");
    Parameter {
        name: text(value, "name"),
        required: location == "path" || value["required"].as_bool().unwrap_or(false),
        deprecated: value["deprecated"].as_bool().unwrap_or(false) || row.deprecated,
        description: if own.is_empty() { row.description } else { own },
        schema: row.schema,
        allowed: row.allowed,
        default: row.default,
        bounds: row.bounds,
        example: given(root, value)
            .or_else(|| media.and_then(|media| given(root, media)))
            .or_else(|| example(root, schema, Side::Request)),
        explode: value["explode"].as_bool().unwrap_or(form),
        location,
    }
}

/// An example that somebody wrote: `example`, or the first of `examples`.
fn given(root: &Value, value: &Value) -> Option<Value> {
    let named = value.get("examples").and_then(Value::as_object).into_iter().flatten();
    let mut named = named.filter_map(|(_, example)| resolve(root, example).get("value"));
    value.get("example").or_else(|| named.next()).cloned()
}

fn content(root: &Value, holder: &Value, side: Side) -> Vec<Media> {
    let content = holder.get("content").and_then(Value::as_object).into_iter().flatten();
    content.map(|(media_type, media)| one_media(root, media_type, media, side)).collect()
}

fn one_media(root: &Value, media_type: &str, media: &Value, side: Side) -> Media {
    let given = given(root, media);
    let schema = media.get("schema");
    let makes_sense = is_json(media_type) || media_type.starts_with("text/") || media_type.contains("form");
    let made =
        schema.filter(|_| given.is_none() && makes_sense).and_then(|schema| example(root, schema, side));
    Media {
        media_type: media_type.to_owned(),
        schema: schema.map(|schema| schema::view(root, schema)).unwrap_or_default(),
        example_generated: made.is_some(),
        example: given.or(made),
    }
}

fn response(root: &Value, status: &str, value: &Value) -> Response {
    let headers = value.get("headers").and_then(Value::as_object).into_iter().flatten();
    let headers = headers.map(|(name, header)| {
        let header = resolve(root, header);
        let any = Value::Bool(true);
        let required = header["required"].as_bool().unwrap_or(false);
        let mut row = schema::property(root, name, header.get("schema").unwrap_or(&any), 0, required);
        let own = text(header, "description");
        if !own.is_empty() {
            row.description = own;
        }
        row
    });
    Response {
        status: status.to_owned(),
        description: text(value, "description"),
        headers: headers.collect(),
        content: content(root, value, Side::Response),
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
