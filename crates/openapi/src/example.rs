//! Examples made from schemas, where nobody wrote one.

use serde_json::{Map, Value, json};

use crate::check::resolve;
use crate::schema::Merged;

/// How deep an example nests.
const DEPTH_MAX: usize = 6;
/// How many values an example holds.
const VALUES_MAX: usize = 60;

/// Who sends the example, which decides about members that only one side sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// A value that fits the schema as far as its simple rules say; none where the schema says nothing.
pub(crate) fn example(root: &Value, schema: &Value, side: Side) -> Option<Value> {
    let mut maker = Maker { root, side, left: VALUES_MAX, above: Vec::new() };
    maker.make(schema)
}

struct Maker<'a> {
    root: &'a Value,
    side: Side,
    left: usize,
    above: Vec<*const Value>,
}

impl<'a> Maker<'a> {
    /// None where a cycle or a bound cuts it off, or where anything would do.
    fn make(&mut self, schema: &'a Value) -> Option<Value> {
        let here: *const Value = resolve(self.root, schema);
        if self.left == 0 || self.above.len() >= DEPTH_MAX || self.above.contains(&here) {
            return None;
        }
        self.left -= 1;
        self.above.push(here);
        let made = self.fill(schema);
        self.above.pop();
        made
    }

    fn fill(&mut self, schema: &'a Value) -> Option<Value> {
        let merged = Merged::of(self.root, schema);
        let given = merged.get("examples").and_then(Value::as_array).and_then(|all| all.first());
        let given = given
            .or_else(|| merged.get("example"))
            .or_else(|| merged.get("default").filter(|v| !v.is_null()));
        if let Some(given) = given.or_else(|| merged.allowed().into_iter().find(|v| !v.is_null())) {
            return Some(given.clone());
        }
        if !merged.variants.is_empty() && merged.properties.is_empty() {
            let null = |v: &&&Value| v.get("type").and_then(Value::as_str) != Some("null");
            let variants: Vec<&Value> = merged.variants.iter().filter(null).copied().take(8).collect();
            return variants.into_iter().find_map(|variant| self.make(variant));
        }
        let first = merged.types.iter().find(|name| **name != "null").copied();
        match first {
            Some("string") => Some(Value::String(text(&merged))),
            Some("integer") => Some(integer(&merged)),
            Some("number") => Some(number(&merged)),
            Some("boolean") => Some(json!(true)),
            Some("array") => Some(self.array(&merged)),
            Some("object") => Some(self.object(&merged)),
            None if merged.types.contains(&"null") => Some(Value::Null),
            None if !merged.properties.is_empty() || merged.additional.is_some() => {
                Some(self.object(&merged))
            }
            None if merged.items.is_some() => Some(self.array(&merged)),
            _ => None,
        }
    }

    fn array(&mut self, merged: &Merged<'a>) -> Value {
        Value::Array(merged.items.and_then(|items| self.make(items)).into_iter().collect())
    }

    fn object(&mut self, merged: &Merged<'a>) -> Value {
        let mut members = Map::new();
        let hidden = if self.side == Side::Request { "readOnly" } else { "writeOnly" };
        for (name, value) in &merged.properties {
            let required = merged.required.contains(name);
            // Deep down only what must be there, so that an example stays readable.
            if Merged::of(self.root, value).flag(hidden) || (self.above.len() > 3 && !required) {
                continue;
            }
            let made = self.make(value);
            // What was cut off says nothing.
            let empty = matches!(&made, Some(Value::Object(inner)) if inner.is_empty())
                || matches!(&made, Some(Value::Array(inner)) if inner.is_empty());
            if let Some(value) = made.filter(|_| required || !empty) {
                members.insert((*name).to_owned(), value);
            }
        }
        if merged.properties.is_empty()
            && let Some(value) = merged.additional.and_then(|values| self.make(values))
        {
            members.insert("key".to_owned(), value);
        }
        Value::Object(members)
    }
}

/// 1 where the bounds allow it, else the bound that is nearest to it.
fn integer(merged: &Merged<'_>) -> Value {
    let bound = |key: &str| merged.get(key).and_then(Value::as_i64);
    let low = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|n| n.saturating_add(1)));
    let high = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|n| n.saturating_sub(1)));
    json!(1.max(low.unwrap_or(1)).min(high.unwrap_or(i64::MAX)))
}

/// 1.5 where the bounds allow it, else the bound that is nearest to it.
fn number(merged: &Merged<'_>) -> Value {
    let bound = |key: &str| merged.get(key).and_then(Value::as_f64);
    json!(1.5_f64.max(bound("minimum").unwrap_or(1.5)).min(bound("maximum").unwrap_or(f64::MAX)))
}

fn text(merged: &Merged<'_>) -> String {
    let known = match merged.text("format") {
        "date-time" => "2026-01-31T12:00:00Z",
        "date" => "2026-01-31",
        "time" => "12:00:00Z",
        "duration" => "PT1H",
        "email" | "idn-email" => "ada@example.com",
        "uuid" => "018f4e7a-5b1c-7d3e-9f20-1a2b3c4d5e6f",
        "uri" | "url" | "iri" | "uri-reference" => "https://example.com/",
        "hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        _ if merged.text("contentEncoding") == "base64" => "SGVsbG8=",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let bound = |key: &str, or: usize| {
        merged.get(key).and_then(Value::as_u64).map_or(or, |n| usize::try_from(n).unwrap_or(or))
    };
    let (low, high) = (bound("minLength", 0).min(64), bound("maxLength", 64));
    let word: String = "string".chars().take(high).collect();
    if word.len() < low { "x".repeat(low) } else { word }
}
