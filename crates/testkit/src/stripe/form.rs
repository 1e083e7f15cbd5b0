//! Forms and queries as Stripe takes them: `metadata[name]=value`, `line_items[0][quantity]=1`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Fields by their full names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    pub fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    pub fn metadata(&self) -> Value {
        let named = self.0.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("metadata[")?.strip_suffix(']')?;
            Some((name.to_owned(), Value::from(value.as_str())))
        });
        Value::Object(named.collect::<Map<_, _>>())
    }

    /// Whether an answer is to hold an object in the place of its id.
    pub fn expands(&self, path: &str) -> bool {
        self.0.iter().any(|(name, value)| name.starts_with("expand[") && value == path)
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                std::str::from_utf8(&digits)
                    .ok()
                    .and_then(|text| u8::from_str_radix(text, 16).ok())
                    .unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
