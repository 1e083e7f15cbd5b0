//! Programs that run as they are written: Python, JavaScript, TypeScript, PHP, Ruby.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Escapes, headers, json, plain, quoted, urlencoded};
use crate::call::{Body, Call};

pub(super) fn python(call: &Call, key: &str) -> String {
    let verb = call.method.to_ascii_lowercase();
    let known = ["get", "post", "put", "patch", "delete", "head", "options"].contains(&verb.as_str());
    let mut lines = vec!["import requests".to_owned(), String::new()];
    lines.push(if known {
        format!("response = requests.{verb}(")
    } else {
        format!("response = requests.request(\n    {},", plain(&call.method))
    });
    lines.push(format!("    {},", plain(&call.url)));
    let told = matches!(&call.body, Body::Text(..) | Body::File(_))
        || matches!(&call.body, Body::Json(media, _) if media != "application/json");
    let all = headers(call, key, told);
    let pairs: Vec<String> = all.iter().map(|(n, v)| format!("{}: {}", plain(n), plain(v))).collect();
    lines.push(format!("    headers={{{}}},", pairs.join(", ")));
    match &call.body {
        Body::None => {}
        Body::Json(_, value) => lines.push(format!("    json={},", python_value(value, 1))),
        Body::Form(fields) => {
            let pairs: Vec<String> =
                fields.iter().map(|(n, v)| format!("{}: {}", plain(n), plain(v))).collect();
            lines.push(format!("    data={{{}}},", pairs.join(", ")));
        }
        Body::Multipart(parts) => {
            let pairs = parts.iter().map(|part| {
                let value = if part.is_file {
                    format!("open({}, \"rb\")", plain(&part.value))
                } else {
                    format!("(None, {})", plain(&part.value))
                };
                format!("{}: {value}", plain(&part.name))
            });
            lines.push(format!("    files={{{}}},", pairs.collect::<Vec<_>>().join(", ")));
        }
        Body::Text(_, text) => lines.push(format!("    data={}.encode(),", plain(text))),
        Body::File(_) => lines.push("    data=open(\"file.bin\", \"rb\"),".to_owned()),
    }
    lines.extend(
        ["    timeout=30,", ")", "response.raise_for_status()", "print(response.text)"].map(String::from),
    );
    lines.join("\n")
}

/// JSON as Python writes it.
fn python_value(value: &Value, depth: usize) -> String {
    let (inner, outer) = ("    ".repeat(depth + 1), "    ".repeat(depth));
    let nested = |items: Vec<String>, open: char, close: char| {
        if items.is_empty() {
            return format!("{open}{close}");
        }
        let items: String = items.into_iter().map(|item| format!("{inner}{item},\n")).collect();
        format!("{open}\n{items}{outer}{close}")
    };
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => plain(text),
        Value::Array(items) => {
            nested(items.iter().map(|item| python_value(item, depth + 1)).collect(), '[', ']')
        }
        Value::Object(members) => {
            let pair = |(name, value): (&String, &Value)| {
                format!("{}: {}", plain(name), python_value(value, depth + 1))
            };
            nested(members.iter().map(pair).collect(), '{', '}')
        }
    }
}

pub(super) fn javascript(call: &Call, key: &str, typed: bool) -> String {
    let mut out = String::new();
    let body = match &call.body {
        Body::None => None,
        Body::Json(_, value) => Some(format!("JSON.stringify({})", json(value, "  "))),
        Body::Form(fields) => {
            let pairs: Vec<String> =
                fields.iter().map(|(n, v)| format!("{}: {}", plain(n), plain(v))).collect();
            Some(format!("new URLSearchParams({{ {} }})", pairs.join(", ")))
        }
        Body::Multipart(parts) => {
            out.push_str("const form = new FormData();\n");
            for part in parts {
                let value = if part.is_file {
                    format!("new Blob([bytes]), {}", plain(&part.value))
                } else {
                    plain(&part.value)
                };
                // Writing to a String cannot fail.
                let _ = writeln!(out, "form.append({}, {value});", plain(&part.name));
            }
            out.push('\n');
            Some("form".to_owned())
        }
        Body::Text(_, text) => Some(plain(text)),
        Body::File(_) => Some("bytes".to_owned()),
    };
    let told = !matches!(call.body, Body::Form(_));
    let pairs = headers(call, key, told)
        .iter()
        .map(|(name, value)| format!("    {}: {},\n", plain(name), plain(value)))
        .collect::<String>();
    let _ = writeln!(out, "const response = await fetch({}, {{", plain(&call.url));
    if call.method != "GET" {
        let _ = writeln!(out, "  method: {},", plain(&call.method));
    }
    let _ = writeln!(out, "  headers: {{\n{pairs}  }},");
    if let Some(body) = body {
        let _ = writeln!(out, "  body: {body},");
    }
    out.push_str("});\nif (!response.ok) throw new Error(`${response.status} ${await response.text()}`);\n");
    let annotation = if typed { ": unknown" } else { "" };
    let _ = write!(out, "const answer{annotation} = await response.json();\nconsole.log(answer);");
    out
}

/// A text for PHP, where `$` begins a variable.
fn php_text(text: &str) -> String {
    quoted(text, Escapes::Braces, &['$'])
}

pub(super) fn php(call: &Call, key: &str) -> String {
    let mut out = format!("<?php\n$call = curl_init({});\ncurl_setopt_array($call, [\n", php_text(&call.url));
    // Writing to a String cannot fail.
    let _ = writeln!(out, "    CURLOPT_CUSTOMREQUEST => {},", php_text(&call.method));
    out.push_str("    CURLOPT_RETURNTRANSFER => true,\n    CURLOPT_HTTPHEADER => [\n");
    for (name, value) in headers(call, key, true) {
        let _ = writeln!(out, "        {},", php_text(&format!("{name}: {value}")));
    }
    out.push_str("    ],\n");
    match &call.body {
        Body::None => {}
        Body::Json(_, value) => {
            // A nowdoc: nothing in it is read, and no line of JSON begins with its end.
            let _ =
                writeln!(out, "    CURLOPT_POSTFIELDS => <<<'JSON'\n    {}\n    JSON,", json(value, "    "));
        }
        Body::Form(fields) => {
            let _ = writeln!(out, "    CURLOPT_POSTFIELDS => {},", php_text(&urlencoded(fields)));
        }
        Body::Multipart(parts) => {
            out.push_str("    CURLOPT_POSTFIELDS => [\n");
            for part in parts {
                let value = php_text(&part.value);
                let value = if part.is_file { format!("new CURLFile({value})") } else { value };
                let _ = writeln!(out, "        {} => {value},", php_text(&part.name));
            }
            out.push_str("    ],\n");
        }
        Body::Text(_, text) => {
            let _ = writeln!(out, "    CURLOPT_POSTFIELDS => {},", php_text(text));
        }
        Body::File(_) => out.push_str("    CURLOPT_POSTFIELDS => file_get_contents(\"file.bin\"),\n"),
    }
    out.push_str("]);\necho curl_exec($call);");
    out
}

/// A text for Ruby, where `#{` begins an expression.
fn ruby_text(text: &str) -> String {
    quoted(text, Escapes::Braces, &['#'])
}

pub(super) fn ruby(call: &Call, key: &str) -> String {
    let class = match call.method.as_str() {
        "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" | "TRACE" => {
            let (first, rest) = call.method.split_at(1);
            format!("{first}{}", rest.to_ascii_lowercase())
        }
        _ => "Get".to_owned(),
    };
    let mut out = format!("require \"net/http\"\n\nuri = URI({})\n", ruby_text(&call.url));
    // Writing to a String cannot fail.
    let _ = writeln!(out, "request = Net::HTTP::{class}.new(uri)");
    for (name, value) in headers(call, key, true) {
        let _ = writeln!(out, "request[{}] = {}", ruby_text(&name), ruby_text(&value));
    }
    match &call.body {
        Body::None => {}
        Body::Json(_, value) => {
            let _ = writeln!(out, "request.body = <<~'JSON'\n  {}\nJSON", json(value, "  "));
        }
        Body::Form(fields) => {
            let _ = writeln!(out, "request.body = {}", ruby_text(&urlencoded(fields)));
        }
        Body::Multipart(parts) => {
            let parts = parts.iter().map(|part| {
                let value = ruby_text(&part.value);
                let value = if part.is_file { format!("File.open({value})") } else { value };
                format!("[{}, {value}]", ruby_text(&part.name))
            });
            let parts = parts.collect::<Vec<_>>().join(", ");
            let _ = writeln!(out, "request.set_form([{parts}], \"multipart/form-data\")");
        }
        Body::Text(_, text) => {
            let _ = writeln!(out, "request.body = {}", ruby_text(text));
        }
        Body::File(_) => out.push_str("request.body = File.binread(\"file.bin\")\n"),
    }
    out.push_str(
        "\nresponse = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == \"https\") do |http|\n",
    );
    out.push_str("  http.request(request)\nend\nputs response.body");
    out
}
