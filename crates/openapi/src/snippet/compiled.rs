//! Programs for languages with a compiler: Go, Java, C#, Rust.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Escapes, headers, json, plain, quoted, urlencoded};
use crate::call::{Body, Call, Part};

/// A body as one text, where it can be written as one.
fn as_text(body: &Body) -> Option<String> {
    match body {
        Body::Form(fields) => Some(urlencoded(fields)),
        Body::Text(_, text) => Some(text.clone()),
        Body::Json(_, value) => Some(json(value, "")),
        Body::None | Body::Multipart(_) | Body::File(_) => None,
    }
}

/// A boundary that no sample contains.
const BOUNDARY: &str = "tollgate-sample";

/// A multipart body spelled out, for libraries without one of their own; files stand for themselves by name.
fn spelled(parts: &[Part]) -> String {
    let mut out = String::new();
    for part in parts {
        let file = if part.is_file { format!("; filename=\"{}\"", part.value) } else { String::new() };
        let value = if part.is_file { "the bytes of the file" } else { &part.value };
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"{file}\r\n\r\n{value}\r\n",
            part.name
        );
    }
    let _ = write!(out, "--{BOUNDARY}--\r\n");
    out
}

fn all_headers(call: &Call, key: &str) -> Vec<(String, String)> {
    let mut all = headers(call, key, true);
    if matches!(call.body, Body::Multipart(_)) {
        all.push(("Content-Type".to_owned(), format!("multipart/form-data; boundary={BOUNDARY}")));
    }
    all
}

pub(super) fn go(call: &Call, key: &str) -> String {
    let go_text = |text: &str| {
        let raw = text.contains('\n') && !text.contains(['`', '\r']);
        if raw { format!("`{text}`") } else { plain(text) }
    };
    let body = match &call.body {
        Body::Multipart(parts) => Some(plain(&spelled(parts))),
        body => as_text(body).map(|text| go_text(&text)),
    };
    let file = matches!(call.body, Body::File(_));
    let mut imports = vec!["fmt", "io", "net/http"];
    if file {
        imports.push("os");
    }
    if body.is_some() {
        imports.push("strings");
    }
    let imports: String = imports.into_iter().map(|name| format!("\t\"{name}\"\n")).collect();
    let mut out = format!("package main\n\nimport (\n{imports})\n\nfunc main() {{\n");
    if file {
        out.push_str("\tbody, err := os.Open(\"file.bin\")\n\tif err != nil {\n\t\tpanic(err)\n\t}\n");
    }
    let reader = match &body {
        Some(text) => format!("strings.NewReader({text})"),
        None if file => "body".to_owned(),
        None => "nil".to_owned(),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "\trequest, err := http.NewRequest({}, {}, {reader})\n\tif err != nil {{\n\t\tpanic(err)\n\t}}",
        plain(&call.method),
        plain(&call.url)
    );
    for (name, value) in all_headers(call, key) {
        let _ = writeln!(out, "\trequest.Header.Set({}, {})", plain(&name), plain(&value));
    }
    out.push_str(
        "\tresponse, err := http.DefaultClient.Do(request)\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\
         \tdefer response.Body.Close()\n\tanswer, err := io.ReadAll(response.Body)\n\tif err != nil {\n\
         \t\tpanic(err)\n\t}\n\tfmt.Println(response.Status, string(answer))\n}",
    );
    out
}

pub(super) fn java(call: &Call, key: &str) -> String {
    let publisher = match &call.body {
        Body::None => "noBody()".to_owned(),
        Body::File(_) => "ofFile(Path.of(\"file.bin\"))".to_owned(),
        Body::Json(_, value) => format!("ofString(\"\"\"\n        {}\"\"\")", text_block(value)),
        Body::Multipart(parts) => format!("ofString({})", plain(&spelled(parts))),
        Body::Form(_) | Body::Text(..) => {
            format!("ofString({})", plain(&as_text(&call.body).unwrap_or_default()))
        }
    };
    let mut out = String::from("import java.net.URI;\nimport java.net.http.*;\n");
    if matches!(call.body, Body::File(_)) {
        out.push_str("import java.nio.file.Path;\n");
    }
    out.push_str("\nvar request = HttpRequest.newBuilder()\n");
    // Writing to a String cannot fail.
    let _ = writeln!(out, "    .uri(URI.create({}))", plain(&call.url));
    for (name, value) in all_headers(call, key) {
        let _ = writeln!(out, "    .header({}, {})", plain(&name), plain(&value));
    }
    let _ = writeln!(
        out,
        "    .method({}, HttpRequest.BodyPublishers.{publisher})\n    .build();",
        plain(&call.method)
    );
    out.push_str(
        "var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());\n\
         System.out.println(response.statusCode() + \" \" + response.body());",
    );
    out
}

/// JSON inside a text block, where a backslash still means something.
fn text_block(value: &Value) -> String {
    json(value, "        ").replace('\\', "\\\\").replace("\"\"\"", "\\\"\"\"")
}

pub(super) fn csharp(call: &Call, key: &str) -> String {
    // These headers belong to the content in .NET.
    let media = call.media_type().unwrap_or_default();
    let string_content = |text: String| {
        let media = plain(media.split(';').next().unwrap_or_default());
        format!("new StringContent({text}, System.Text.Encoding.UTF8, {media})")
    };
    let content = match &call.body {
        Body::None => None,
        // No JSON contains three double quotes in a row.
        Body::Json(_, value) => {
            Some(string_content(format!("\"\"\"\n    {}\n    \"\"\"", json(value, "    "))))
        }
        Body::Text(_, text) => Some(string_content(plain(text))),
        Body::Form(fields) => {
            let pairs: Vec<String> =
                fields.iter().map(|(n, v)| format!("[{}] = {}", plain(n), plain(v))).collect();
            Some(format!(
                "new FormUrlEncodedContent(new Dictionary<string, string> {{ {} }})",
                pairs.join(", ")
            ))
        }
        Body::Multipart(parts) => {
            let parts = parts.iter().map(|part| {
                let (name, value) = (plain(&part.name), plain(&part.value));
                if part.is_file {
                    format!("{{ new StreamContent(File.OpenRead({value})), {name}, {value} }}")
                } else {
                    format!("{{ new StringContent({value}), {name} }}")
                }
            });
            Some(format!("new MultipartFormDataContent {{ {} }}", parts.collect::<Vec<_>>().join(", ")))
        }
        Body::File(_) => Some("new StreamContent(File.OpenRead(\"file.bin\"))".to_owned()),
    };
    let mut out = String::from("using var client = new HttpClient();\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "using var request = new HttpRequestMessage(new HttpMethod({}), {});",
        plain(&call.method),
        plain(&call.url)
    );
    for (name, value) in headers(call, key, false) {
        let _ = writeln!(out, "request.Headers.Add({}, {});", plain(&name), plain(&value));
    }
    if let Some(content) = content {
        let _ = writeln!(out, "request.Content = {content};");
    }
    out.push_str(
        "using var response = await client.SendAsync(request);\n\
         Console.WriteLine($\"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}\");",
    );
    out
}

pub(super) fn rust(call: &Call, key: &str) -> String {
    let text = |text: &str| quoted(text, Escapes::Braces, &[]);
    let raw = |text: &str| {
        let mut hashes = "#".to_owned();
        while text.contains(&format!("\"{hashes}")) {
            hashes.push('#');
        }
        format!("r{hashes}\"{text}\"{hashes}")
    };
    let mut out = String::from("let response = reqwest::Client::new()\n");
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"].contains(&call.method.as_str());
    // Writing to a String cannot fail.
    let _ = if known {
        writeln!(out, "    .{}({})", call.method.to_ascii_lowercase(), text(&call.url))
    } else {
        let method = text(&call.method);
        writeln!(out, "    .request(reqwest::Method::from_bytes({method}.as_bytes())?, {})", text(&call.url))
    };
    for (name, value) in headers(call, key, true) {
        let _ = writeln!(out, "    .header({}, {})", text(&name), text(&value));
    }
    let body = match &call.body {
        Body::None => None,
        Body::Json(_, value) => Some(format!("body({})", raw(&json(value, "    ")))),
        Body::Form(fields) => Some(format!("body({})", text(&urlencoded(fields)))),
        Body::Text(_, body) => Some(format!("body({})", text(body))),
        Body::File(_) => Some("body(tokio::fs::read(\"file.bin\").await?)".to_owned()),
        Body::Multipart(parts) => {
            let parts: String = parts
                .iter()
                .map(|part| {
                    let (name, value) = (text(&part.name), text(&part.value));
                    if part.is_file {
                        format!("\n        .file({name}, {value}).await?")
                    } else {
                        format!("\n        .text({name}, {value})")
                    }
                })
                .collect();
            Some(format!("multipart(reqwest::multipart::Form::new(){parts})"))
        }
    };
    if let Some(body) = body {
        let _ = writeln!(out, "    .{body}");
    }
    out.push_str(
        "    .send()\n    .await?\n    .error_for_status()?;\nprintln!(\"{}\", response.text().await?);",
    );
    out
}
