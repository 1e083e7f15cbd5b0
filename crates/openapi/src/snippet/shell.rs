//! Commands for a POSIX shell.

use super::headers;
use crate::call::{Body, Call, one_line};

pub(super) fn curl(call: &Call, key: &str) -> String {
    let mut parts = vec![format!("curl {}", word(&call.url))];
    match call.method.as_str() {
        "GET" => {}
        // `-X HEAD` would wait for a body that never comes.
        "HEAD" => parts.push("-I".to_owned()),
        method => parts.push(format!("-X {method}")),
    }
    parts.push(format!("-H {}", key_header("X-API-Key: ", key)));
    let fields = matches!(call.body, Body::Form(_));
    for (name, value) in headers(call, key, !fields).iter().skip(1) {
        parts.push(format!("-H {}", word(&one_line(&format!("{name}: {value}")))));
    }
    match &call.body {
        Body::None => {}
        Body::Json(_, value) => parts.push(format!("-d {}", word(&value.to_string()))),
        Body::Form(fields) => {
            parts.extend(
                fields.iter().map(|(n, v)| format!("--data-urlencode {}", word(&format!("{n}={v}")))),
            );
        }
        Body::Multipart(all) => parts.extend(all.iter().map(|part| {
            let at = if part.is_file { "@" } else { "" };
            format!("-F {}", word(&format!("{}={at}{}", part.name, part.value)))
        })),
        Body::Text(_, text) => parts.push(format!("--data-binary {}", word(text))),
        Body::File(_) => parts.push("--data-binary @file.bin".to_owned()),
    }
    parts.join(" \\\n  ")
}

pub(super) fn httpie(call: &Call, key: &str) -> String {
    let mut command = "http".to_owned();
    match &call.body {
        Body::Form(_) => command.push_str(" --form"),
        Body::Multipart(_) => command.push_str(" --multipart"),
        _ => {}
    }
    let mut parts =
        vec![format!("{command} {} {}", call.method, word(&call.url)), key_header("X-API-Key:", key)];
    let told = matches!(call.body, Body::Json(..) | Body::Text(..) | Body::File(_));
    for (name, value) in headers(call, key, told).iter().skip(1) {
        parts.push(word(&one_line(&format!("{name}:{value}"))));
    }
    match &call.body {
        Body::None => {}
        Body::Json(_, value) => parts.push(format!("--raw {}", word(&value.to_string()))),
        Body::Text(_, text) => parts.push(format!("--raw {}", word(text))),
        Body::Form(fields) => {
            parts.extend(fields.iter().map(|(name, value)| word(&format!("{}={value}", item_name(name)))));
        }
        Body::Multipart(all) => parts.extend(all.iter().map(|part| {
            let sign = if part.is_file { "@" } else { "=" };
            word(&format!("{}{sign}{}", item_name(&part.name), part.value))
        })),
        Body::File(_) => parts.push("@file.bin".to_owned()),
    }
    parts.join(" \\\n  ")
}

/// A name in front of HTTPie's separators.
fn item_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if ":=@\\".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The key's header, whose value may be a shell variable.
fn key_header(name: &str, value: &str) -> String {
    let variable = value.strip_prefix('$').is_some_and(|rest| {
        let name = rest.strip_prefix('{').and_then(|r| r.strip_suffix('}')).unwrap_or(rest);
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-.<> ".contains(c);
    if variable || value.chars().all(harmless) {
        format!("\"{name}{value}\"")
    } else {
        word(&one_line(&format!("{name}{value}")))
    }
}

/// One word for a POSIX shell: nothing inside single quotes means anything.
fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
