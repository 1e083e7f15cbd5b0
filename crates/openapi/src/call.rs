//! A sample call of an operation: what a program in any language would send.

use std::fmt::Write as _;

use serde_json::Value;

use crate::schema::shown;
use crate::view::{Media, OperationDetail, Parameter, is_json};

/// A call with examples in all places that must be filled. The key is not in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Upper-case method.
    pub method: String,
    /// The whole address, percent-encoded.
    pub url: String,
    /// Names and values, without the key and without the type of the body.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Body,
}

/// What a sample call sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON, with its media type.
    Json(String, Value),
    /// `application/x-www-form-urlencoded` fields.
    Form(Vec<(String, String)>),
    /// `multipart/form-data` parts.
    Multipart(Vec<Part>),
    /// Anything else as text, with its media type.
    Text(String, String),
    /// The bytes of a file, with their media type.
    File(String),
}

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its value; the name of a file where it is one.
    pub value: String,
    /// Whether it is a file.
    pub is_file: bool,
}

impl Call {
    /// A call of the operation below `base_url`, with required parameters filled in from examples.
    #[must_use]
    pub fn of(base_url: &str, operation: &OperationDetail) -> Self {
        // What the key, the client and the body decide themselves.
        let ours = ["x-api-key", "authorization", "accept", "content-type"];
        let mut headers: Vec<(String, String)> = needed(operation, "header")
            .filter(|parameter| !ours.contains(&parameter.name.to_ascii_lowercase().as_str()))
            .map(|parameter| (one_line(&parameter.name), one_line(&value(parameter))))
            .collect();
        let cookies: Vec<String> = needed(operation, "cookie")
            .map(|p| format!("{}={}", one_line(&p.name), encoded(&value(p), false)))
            .collect();
        if !cookies.is_empty() {
            headers.push(("Cookie".to_owned(), cookies.join("; ")));
        }
        Self {
            method: operation.operation.method.clone(),
            url: url(base_url, operation),
            headers,
            body: body(operation),
        }
    }

    /// The media type of the body, where a program must say it.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        match &self.body {
            Body::Json(media, _) | Body::Text(media, _) | Body::File(media) => Some(media),
            Body::Form(_) => Some("application/x-www-form-urlencoded"),
            Body::None | Body::Multipart(_) => None,
        }
    }
}

fn needed<'a>(operation: &'a OperationDetail, location: &'a str) -> impl Iterator<Item = &'a Parameter> {
    operation.parameters.iter().filter(move |p| p.location == location && p.required)
}

/// The address with path and required query parameters filled in.
fn url(base_url: &str, operation: &OperationDetail) -> String {
    let mut path = operation.operation.path.clone();
    for parameter in operation.parameters.iter().filter(|p| p.location == "path") {
        path = path.replace(&format!("{{{}}}", parameter.name), &encoded(&value(parameter), false));
    }
    let mut url = format!("{}{path}", base_url.trim_end_matches('/'));
    let mut separator = '?';
    for parameter in needed(operation, "query") {
        let values = match &parameter.example {
            Some(Value::Array(items)) if parameter.explode && !items.is_empty() => {
                items.iter().map(shown).collect()
            }
            _ => vec![value(parameter)],
        };
        for value in values {
            // Writing to a String cannot fail.
            let _ = write!(url, "{separator}{}={}", encoded(&parameter.name, true), encoded(&value, true));
            separator = '&';
        }
    }
    url
}

fn value(parameter: &Parameter) -> String {
    match &parameter.example {
        Some(Value::Array(items)) => items.iter().map(shown).collect::<Vec<_>>().join(","),
        Some(example) => shown(example),
        None => parameter.name.clone(),
    }
}

fn body(operation: &OperationDetail) -> Body {
    let Some(body) = &operation.request_body else { return Body::None };
    let Some(media) = body.content.iter().find(|m| is_json(&m.media_type)).or_else(|| body.content.first())
    else {
        return Body::None;
    };
    let media_type = one_line(&media.media_type);
    if is_json(&media_type) {
        let media_type = if media_type == "*/*" { "application/json".to_owned() } else { media_type };
        return Body::Json(media_type, media.example.clone().unwrap_or_else(|| serde_json::json!({})));
    }
    match media_type.as_str() {
        "application/x-www-form-urlencoded" => {
            Body::Form(parts(media).into_iter().map(|part| (part.name, part.value)).collect())
        }
        "multipart/form-data" => Body::Multipart(parts(media)),
        text if text.starts_with("text/") || text.contains("xml") => {
            let text = media.example.as_ref().map(shown).unwrap_or_default();
            Body::Text(media_type, text)
        }
        _ => Body::File(media_type),
    }
}

fn parts(media: &Media) -> Vec<Part> {
    let file = |name: &str| {
        let member = media.shape.members.iter().find(|member| member.name == name);
        member.is_some_and(|member| member.shape.summary.contains("string (binary)"))
    };
    let members = media.example.as_ref().and_then(Value::as_object).into_iter().flatten();
    members
        .map(|(name, value)| {
            let is_file = file(name);
            let value = if is_file { "file.bin".to_owned() } else { shown(value) };
            Part { name: name.clone(), value, is_file }
        })
        .collect()
}

/// Header values have no line breaks (RFC 9110 section 5.5).
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Percent-encoded (RFC 3986 section 2); commas stay, they part the items of a list.
pub(crate) fn encoded(text: &str, query: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let kept = byte.is_ascii_alphanumeric() || b"-._~,:@".contains(&byte) || (query && byte == b'/');
        if kept {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
