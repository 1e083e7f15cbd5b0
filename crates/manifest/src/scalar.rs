//! What an unquoted word means: YAML 1.2's core schema (section 10.3.2).

use serde_json::Number;

use crate::node::Content;

/// The type and value of a plain scalar.
pub fn resolve(text: &str) -> Content {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Content::Null,
        "true" | "True" | "TRUE" => return Content::Bool(true),
        "false" | "False" | "FALSE" => return Content::Bool(false),
        _ => {}
    }
    number(text).map_or_else(|| Content::Text(text.to_owned()), Content::Number)
}

fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let sane = digits.chars().all(|c| c.is_digit(radix));
            return u64::from_str_radix(digits, radix).ok().filter(|_| sane).map(Number::from);
        }
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if unsigned.is_empty() || !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        let integer =
            text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
        return integer.ok().or_else(|| float(text));
    }
    let shaped = unsigned.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if shaped { float(text) } else { None }
}

fn float(text: &str) -> Option<Number> {
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_follow_the_core_schema_of_yaml_1_2() {
        let read = |text: &str| match resolve(text) {
            Content::Text(text) => format!("text {text}"),
            other => crate::node::Node { place: crate::node::Place { line: 1, column: 1 }, content: other }
                .value()
                .to_string(),
        };
        for (text, expected) in [
            ("no", "text no"),
            ("1.0.0", "text 1.0.0"),
            ("2026-01-31", "text 2026-01-31"),
            ("0x1F", "31"),
            ("-12", "-12"),
            ("1e3", "1000.0"),
            (".", "text ."),
            ("~", "null"),
            ("18446744073709551615", "18446744073709551615"),
            ("-", "text -"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
