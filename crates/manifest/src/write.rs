//! JSON as block YAML that people like to read and every YAML reader takes for the same.

use serde_json::{Map, Value};

use crate::node::Content;
use crate::scalar::resolve;

/// Keys longer than this cannot stand on one line with their value (YAML 1.2, section 7.4).
const KEY_CHARS_MAX: usize = 1_000;

/// A value as a YAML document, ending in a line break.
pub fn document(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => object(members, 0, &mut out),
        Value::Array(items) if !items.is_empty() => array(items, 0, &mut out),
        other => {
            inline(other, 0, &mut out);
            out.push('\n');
        }
    }
    out
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Members, each on a line of its own; the first one's indentation is the caller's.
fn object(members: &Map<String, Value>, depth: usize, out: &mut String) {
    for (at, (key, value)) in members.iter().enumerate() {
        if at > 0 {
            indent(depth, out);
        }
        if key.chars().count() > KEY_CHARS_MAX {
            out.push_str("? ");
            out.push_str(&quoted(key));
            out.push('\n');
            indent(depth, out);
        } else {
            out.push_str(&word(key));
        }
        out.push(':');
        match value {
            Value::Object(members) if !members.is_empty() => {
                out.push('\n');
                indent(depth + 1, out);
                object(members, depth + 1, out);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                indent(depth + 1, out);
                array(items, depth + 1, out);
            }
            other => {
                out.push(' ');
                inline(other, depth, out);
                out.push('\n');
            }
        }
    }
}

/// Items, each after a dash; the first one's indentation is the caller's.
fn array(items: &[Value], depth: usize, out: &mut String) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            indent(depth, out);
        }
        out.push_str("- ");
        match item {
            Value::Object(members) if !members.is_empty() => object(members, depth + 1, out),
            Value::Array(items) if !items.is_empty() => array(items, depth + 1, out),
            other => {
                inline(other, depth, out);
                out.push('\n');
            }
        }
    }
}

/// What stands behind a key or a dash; block text is indented below `depth`.
fn inline(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::String(text) if is_block(text) => {
            let chomped = text.strip_suffix('\n');
            out.push_str(if chomped.is_some() { "|" } else { "|-" });
            for line in chomped.unwrap_or(text).split('\n') {
                out.push('\n');
                if !line.is_empty() {
                    indent(depth + 1, out);
                    out.push_str(line);
                }
            }
        }
        Value::String(text) => out.push_str(&word(text)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
        other => out.push_str(&other.to_string()),
    }
}

/// Whether a text of several lines can stand as it is: no line of blanks only, nothing that only escapes show.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && body.split('\n').all(|line| {
            (line.is_empty() || !line.trim().is_empty()) && line.chars().all(|c| is_printable(c) && c != '\t')
        })
        && !body.starts_with(['\n', ' '])
        && !body.ends_with('\n')
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text as it is where no reader could take it for something else, else in double quotes.
fn word(text: &str) -> String {
    let first_ok = |c: char| c.is_alphanumeric() || matches!(c, '/' | '$' | '_' | '^' | '(' | '+');
    let plain = (text.starts_with(first_ok) || text.starts_with("./"))
        && !text.ends_with([' ', ':'])
        && text.chars().all(is_printable)
        && !text.contains(": ")
        && !text.contains(" #")
        && matches!(resolve(text), Content::Text(_))
        && !is_old_word(text);
    if plain { text.to_owned() } else { quoted(text) }
}

/// Words and numbers that YAML 1.1 readers take for something else.
fn is_old_word(text: &str) -> bool {
    // `3.1.0` is no number to anybody.
    if text.matches('.').count() == 2 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    matches!(lower.as_str(), "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null")
        || text.bytes().all(|b| b.is_ascii_digit() || b"_.:-+eExXoO".contains(&b))
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if !is_printable(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_written_as_people_write_it() {
        let value = json!({
            "kind": "service", "targets": [{ "url": "http://127.0.0.1:4010", "weight": 1 }], "hosts": [],
            "responses": { "200": { "description": "A: yes, #1" } }, "text": "One.\n\nTwo.\n", "end": "a\nb",
            "version": "1.0", "no": "no", "date": "2026-01-31",
        });
        assert_eq!(
            document(&value),
            "kind: service
targets:
  - url: http://127.0.0.1:4010
    weight: 1
hosts: []
responses:
  \"200\":
    description: \"A: yes, #1\"
text: |
  One.

  Two.
end: |-
  a
  b
version: \"1.0\"
\"no\": \"no\"
date: \"2026-01-31\"
"
        );
    }
}
