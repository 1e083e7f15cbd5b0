//! A curl line for an operation, quoted for a POSIX shell.

use std::fmt::Write as _;

use serde_json::Value;

use crate::schema::shown;
use crate::view::{Media, OperationDetail, Parameter, is_json};

/// A curl command that calls the operation below `base_url`, with required parameters filled in from examples.
/// The key goes into `X-API-Key`; a placeholder like `$TOLLGATE_KEY` is left for the shell to expand.
#[must_use]
pub fn curl_example(base_url: &str, operation: &OperationDetail, key_placeholder: &str) -> String {
    let method = operation.operation.method.as_str();
    let mut parts = vec![format!("curl {}", quoted(&url(base_url, operation)))];
    match method {
        "GET" => {}
        // `-X HEAD` would wait for a body that never comes.
        "HEAD" => parts.push("-I".to_owned()),
        _ => parts.push(format!("-X {method}")),
    }
    parts.push(format!("-H {}", header("X-API-Key", key_placeholder)));
    for parameter in needed(operation, "header") {
        let standard = ["x-api-key", "authorization", "accept", "content-type"];
        if !standard.contains(&parameter.name.to_ascii_lowercase().as_str()) {
            parts.push(format!(
                "-H {}",
                quoted(&one_line(&format!("{}: {}", parameter.name, value(parameter))))
            ));
        }
    }
    let cookies: Vec<String> =
        needed(operation, "cookie").map(|p| format!("{}={}", p.name, encoded(&value(p), false))).collect();
    if !cookies.is_empty() {
        parts.push(format!("-b {}", quoted(&one_line(&cookies.join("; ")))));
    }
    parts.extend(body(operation));
    parts.join(" \\\n  ")
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

fn body(operation: &OperationDetail) -> Vec<String> {
    let Some(body) = &operation.request_body else { return Vec::new() };
    let Some(media) = body.content.iter().find(|m| is_json(&m.media_type)).or_else(|| body.content.first())
    else {
        return Vec::new();
    };
    let content_type =
        |media_type: &str| format!("-H {}", quoted(&one_line(&format!("Content-Type: {media_type}"))));
    if is_json(&media.media_type) {
        let media_type = if media.media_type == "*/*" { "application/json" } else { &media.media_type };
        let text = media.example.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string);
        return vec![content_type(media_type), format!("-d {}", quoted(&text))];
    }
    match media.media_type.as_str() {
        "application/x-www-form-urlencoded" => fields(media, "--data-urlencode"),
        "multipart/form-data" => fields(media, "-F"),
        media_type => {
            let text = media.example.as_ref().map(shown).unwrap_or_default();
            vec![content_type(media_type), format!("--data-binary {}", quoted(&text))]
        }
    }
}

fn fields(media: &Media, flag: &str) -> Vec<String> {
    let members = media.example.as_ref().and_then(Value::as_object).into_iter().flatten();
    members.map(|(name, value)| format!("{flag} {}", quoted(&format!("{name}={}", shown(value))))).collect()
}

/// A header whose value may be a shell variable.
fn header(name: &str, value: &str) -> String {
    let variable = value.strip_prefix('$').is_some_and(|rest| {
        let name = rest.strip_prefix('{').and_then(|r| r.strip_suffix('}')).unwrap_or(rest);
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-.<> ".contains(c);
    if variable || value.chars().all(harmless) {
        format!("\"{name}: {value}\"")
    } else {
        quoted(&one_line(&format!("{name}: {value}")))
    }
}

/// One word for a POSIX shell: nothing inside single quotes means anything.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Header values have no line breaks (RFC 9110 section 5.5).
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Percent-encoded (RFC 3986 section 2); commas stay, they part the items of a list.
fn encoded(text: &str, query: bool) -> String {
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
