//! The form of an operation, and the call that a filled one asks for.

use axum::http::Method;
use serde_json::Value;
use tollgate_openapi::{Body, Call, OperationDetail, Parameter, Shape};
use tollgate_store::ApiRow;

use crate::error::query_value;
use crate::relay::Outgoing;
use crate::say::t;

/// One input.
pub struct Field {
    /// The id of its element.
    pub id: String,
    /// As it is sent: `in.query.limit`.
    pub name: String,
    pub label: String,
    pub kind: String,
    pub required: bool,
    pub hint: String,
    pub value: String,
    /// What can be chosen; empty where anything can be typed.
    pub choices: Vec<String>,
    pub is_file: bool,
}

/// Inputs that go to one place.
pub struct Group {
    pub title: &'static str,
    pub fields: Vec<Field>,
}

/// The body of a call.
pub enum BodyForm {
    /// JSON or another text to edit.
    Text { media: String, value: String },
    /// Named parts, some of them files.
    Parts { fields: Vec<Field> },
    /// The bytes of a file.
    File { media: String },
}

/// What was sent with one name; a file where it came with a file's name.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    pub name: String,
    pub bytes: Vec<u8>,
    pub file_name: Option<String>,
    pub media: Option<String>,
}

/// Everything that a form sent.
#[derive(Debug, Clone, Default)]
pub struct Filled(pub Vec<Sent>);

impl Filled {
    /// The text that was sent with a name.
    pub fn text(&self, name: &str) -> Option<String> {
        let sent = self.0.iter().find(|one| one.name == name)?;
        Some(String::from_utf8_lossy(&sent.bytes).into_owned())
    }

    fn file(&self, name: &str) -> Option<&Sent> {
        self.0.iter().find(|one| one.name == name && one.file_name.as_deref().is_some_and(|f| !f.is_empty()))
    }
}

/// Places of parameters with the keys of their titles.
const PLACES: [(&str, &str); 3] =
    [("path", "tried-path"), ("query", "tried-query"), ("header", "body-headers")];

/// The inputs of an operation's parameters, with what was sent before, else what an example says.
pub fn groups(detail: &OperationDetail, filled: Option<&Filled>) -> Vec<Group> {
    let mut count = 0;
    PLACES
        .into_iter()
        .map(|(place, title)| {
            let of_place = detail.parameters.iter().filter(|one| one.location == place);
            let fields = of_place.map(|one| {
                count += 1;
                field(one, format!("p{count}"), filled)
            });
            Group { title: t(title), fields: fields.collect() }
        })
        .filter(|group| !group.fields.is_empty())
        .collect()
}

fn name_of(one: &Parameter) -> String {
    format!("in.{}.{}", one.location, one.name)
}

fn field(one: &Parameter, id: String, filled: Option<&Filled>) -> Field {
    let name = name_of(one);
    let example = || if one.required { one.example.as_ref().map(shown) } else { None };
    let value = match filled {
        Some(filled) => filled.text(&name).unwrap_or_default(),
        None => example().unwrap_or_default(),
    };
    Field {
        id,
        value,
        label: one.name.clone(),
        kind: one.shape.summary.clone(),
        required: one.required,
        hint: hint(&one.description, &one.shape),
        choices: choices(&one.shape),
        is_file: false,
        name,
    }
}

fn choices(shape: &Shape) -> Vec<String> {
    if shape.summary.starts_with("array") {
        return Vec::new();
    }
    match shape.summary.as_str() {
        "boolean" => vec!["true".into(), "false".into()],
        _ if shape.allowed_more == 0 => shape.allowed.clone(),
        _ => Vec::new(),
    }
}

/// The first sentence of a description with the bounds behind it.
fn hint(description: &str, shape: &Shape) -> String {
    let line = description.lines().next().unwrap_or_default();
    let sentence =
        line.split_once(". ").map_or(line, |(first, _)| first).trim_end_matches('.').replace('`', "");
    let mut parts: Vec<String> = Some(sentence).filter(|text| !text.is_empty()).into_iter().collect();
    parts.extend(shape.bounds.iter().cloned());
    parts.extend(shape.default.as_ref().map(|value| format!("default {value}")));
    parts.join(" · ")
}

/// A value as it is typed.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The body's form, with what was sent before, else its example.
pub fn body(detail: &OperationDetail, filled: Option<&Filled>) -> Option<BodyForm> {
    let call = Call::of("", detail);
    let sent = filled.and_then(|filled| filled.text("body"));
    let part = |index: usize, name: String, value: String, is_file: bool| Field {
        id: format!("b{index}"),
        value: filled.map_or(value, |filled| filled.text(&format!("part.{name}")).unwrap_or_default()),
        name: format!("part.{name}"),
        label: name,
        kind: if is_file { "file".into() } else { String::new() },
        required: false,
        hint: String::new(),
        choices: Vec::new(),
        is_file,
    };
    Some(match call.body {
        Body::None => return None,
        Body::Json(media, value) => BodyForm::Text {
            value: sent.unwrap_or_else(|| serde_json::to_string_pretty(&value).unwrap_or_default()),
            media,
        },
        Body::Text(media, text) => BodyForm::Text { value: sent.unwrap_or(text), media },
        Body::File(media) => BodyForm::File { media },
        Body::Form(fields) => BodyForm::Parts {
            fields: fields.into_iter().enumerate().map(|(at, (n, v))| part(at, n, v, false)).collect(),
        },
        Body::Multipart(parts) => BodyForm::Parts {
            fields: parts
                .into_iter()
                .enumerate()
                .map(|(at, one)| {
                    let value = if one.is_file { String::new() } else { one.value };
                    part(at, one.name, value, one.is_file)
                })
                .collect(),
        },
    })
}

/// Names and values that make the sample call of an operation, for a form that shows nothing of them.
#[must_use]
pub fn ready_fields(detail: &OperationDetail) -> Vec<(String, String)> {
    let groups = groups(detail, None).into_iter().flat_map(|group| group.fields);
    groups.filter(|field| !field.value.is_empty()).map(|field| (field.name, field.value)).collect()
}

/// The call that a filled form asks for.
///
/// # Errors
/// The name of an input that cannot be sent, and what is wrong with it.
pub fn outgoing(
    detail: &OperationDetail,
    api: &ApiRow,
    filled: &Filled,
) -> Result<Outgoing, (String, &'static str)> {
    let mut path = detail.operation.path.clone();
    let mut query: Vec<String> = Vec::new();
    let mut headers: Vec<(String, String)> =
        api.match_headers.iter().map(|one| (one.name.clone(), one.value.clone())).collect();
    let is_said = |name: &str| api.match_headers.iter().any(|one| one.name.eq_ignore_ascii_case(name));
    for one in &detail.parameters {
        let value = filled.text(&name_of(one)).map(|text| text.trim().to_owned()).unwrap_or_default();
        if value.is_empty() {
            if one.required && one.location != "cookie" {
                return Err((one.name.clone(), t("tried-is-needed")));
            }
            continue;
        }
        match one.location.as_str() {
            // A path with dots for steps means another path.
            "path" if matches!(value.as_str(), "." | "..") => {
                return Err((one.name.clone(), t("tried-dots")));
            }
            "path" => path = path.replace(&format!("{{{}}}", one.name), &encoded(&value)),
            "query" if one.explode && one.shape.summary.starts_with("array") => {
                query.extend(value.split(',').map(|item| pair(&one.name, item.trim())));
            }
            "query" => query.push(pair(&one.name, &value)),
            "header" if !is_said(&one.name) => headers.push((one.name.clone(), value)),
            _ => {}
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    Ok(Outgoing {
        method: Method::from_bytes(detail.operation.method.as_bytes()).unwrap_or(Method::GET),
        target: format!("{}{path}{query}", api.base_path),
        host: api.hosts.first().cloned(),
        headers,
        body: body_sent(detail, filled),
    })
}

fn encoded(text: &str) -> String {
    query_value(text).replace('/', "%2F")
}

fn pair(name: &str, value: &str) -> String {
    format!("{}={}", encoded(name), encoded(value))
}

fn body_sent(detail: &OperationDetail, filled: &Filled) -> Option<(String, Vec<u8>)> {
    match Call::of("", detail).body {
        Body::None => None,
        Body::Json(media, _) | Body::Text(media, _) => {
            let text = filled.text("body").unwrap_or_default();
            (!text.trim().is_empty()).then(|| (media, text.into_bytes()))
        }
        Body::File(media) => {
            let file = filled.file("file")?;
            Some((file.media.clone().unwrap_or(media), file.bytes.clone()))
        }
        Body::Form(fields) => {
            let pairs = fields.iter().filter_map(|(name, _)| {
                let value = filled.text(&format!("part.{name}")).filter(|value| !value.is_empty())?;
                Some(pair(name, &value))
            });
            let text = pairs.collect::<Vec<_>>().join("&");
            Some(("application/x-www-form-urlencoded".into(), text.into_bytes()))
        }
        Body::Multipart(parts) => {
            let names: Vec<String> = parts.into_iter().map(|part| part.name).collect();
            Some(multipart(&names, filled))
        }
    }
}

/// A multipart body (RFC 7578) of the named parts that were filled.
fn multipart(names: &[String], filled: &Filled) -> (String, Vec<u8>) {
    let boundary = format!("tollgate-{}", uuid::Uuid::now_v7().simple());
    let quoted = |text: &str| text.replace('"', "%22").replace(['\r', '\n'], " ");
    let mut bytes = Vec::new();
    for name in names {
        let key = format!("part.{name}");
        let Some(sent) = filled.0.iter().find(|one| one.name == key && !one.bytes.is_empty()) else {
            continue;
        };
        let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(name));
        if let Some(file) = &sent.file_name {
            let media = sent.media.as_deref().unwrap_or("application/octet-stream");
            head.push_str(&format!("; filename=\"{}\"\r\nContent-Type: {}", quoted(file), quoted(media)));
        }
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(&sent.bytes);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), bytes)
}
