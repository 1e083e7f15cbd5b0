//! What an unquoted word means.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::event::Style;

/// The beginning of a text, for messages.
pub(super) fn short(text: &str) -> String {
    if text.chars().count() <= 60 {
        text.to_owned()
    } else {
        text.chars().take(60).chain("…".chars()).collect()
    }
}

/// PostgreSQL stores no NUL character in text or JSON.
pub(super) fn checked(text: &str) -> Result<(), String> {
    if text.contains('\0') {
        Err("a NUL character stands in this text; take it out".to_owned())
    } else {
        Ok(())
    }
}

/// The type and value of a scalar.
pub(super) fn resolve(text: Cow<'_, str>, style: Style) -> Result<Value, String> {
    match style {
        Style::Text => {
            checked(&text)?;
            Ok(Value::String(text.into_owned()))
        }
        Style::Literal => serde_json::from_str(&text).map_err(|_| {
            format!(
                "not valid JSON: expected a value, found `{}`; text stands in double quotes",
                short(&text)
            )
        }),
        Style::Plain => plain(text),
    }
}

/// YAML 1.2's core schema (section 10.3.2).
fn plain(text: Cow<'_, str>) -> Result<Value, String> {
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && let Some(number) = number(&text, unsigned)
    {
        return Ok(Value::Number(number));
    }
    checked(&text)?;
    Ok(Value::String(text.into_owned()))
}

fn number(text: &str, unsigned: &str) -> Option<Number> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            let sane = digits.chars().all(|c| c.is_digit(radix));
            return u64::from_str_radix(digits, radix)
                .ok()
                .filter(|_| sane && unsigned == text)
                .map(Number::from);
        }
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        let integer =
            text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
        return integer.ok().or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64));
    }
    let float = unsigned.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    text.parse::<f64>().ok().filter(|_| float).and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_follow_the_core_schema_of_yaml_1_2() {
        let read = |text: &'static str| plain(text.into()).expect("readable");
        assert_eq!(read("no"), "no");
        assert_eq!(read("1.0.0"), "1.0.0");
        assert_eq!(read("2026-01-31"), "2026-01-31");
        assert_eq!(read("0x1F"), 31);
        assert_eq!(read("-12"), -12);
        assert_eq!(read("1e3"), 1000.0);
        assert_eq!(read("."), ".");
        assert_eq!(read("~"), Value::Null);
        assert_eq!(read("18446744073709551615"), u64::MAX);
    }
}
