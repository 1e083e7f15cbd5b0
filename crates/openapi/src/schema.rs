//! Schemas for reading: `allOf` merged, types in words.

use std::collections::HashSet;

use serde_json::Value;

use crate::pointer;

/// How many schemas one `allOf` may add up.
const PARTS_MAX: usize = 256;
/// How many alternatives are shown.
pub(crate) const VARIANTS_MAX: usize = 20;
/// How deep `array of array of …` is spelled out.
const WORDS_DEPTH_MAX: usize = 4;

/// A schema with its `allOf` added up. The first part that says something wins.
#[derive(Default)]
pub(crate) struct Merged<'a> {
    pub(crate) types: Vec<&'a str>,
    pub(crate) properties: Vec<(&'a str, &'a Value)>,
    pub(crate) required: HashSet<&'a str>,
    pub(crate) variants: Vec<&'a Value>,
    pub(crate) items: Option<&'a Value>,
    /// What each place of a list holds (`prefixItems`).
    pub(crate) places: Vec<&'a Value>,
    pub(crate) additional: Option<&'a Value>,
    parts: Vec<&'a Value>,
}

impl<'a> Merged<'a> {
    /// Follows references and adds up `allOf`, each schema once.
    pub(crate) fn of(root: &'a Value, schema: &'a Value) -> Self {
        let mut merged = Self::default();
        let mut seen: HashSet<*const Value> = HashSet::new();
        let mut names: HashSet<&str> = HashSet::new();
        let mut waiting = vec![schema];
        while let Some(next) = waiting.pop() {
            // A reference may have neighbours that count too, so that each hop is a part of its own.
            if !seen.insert(next) || merged.parts.len() >= PARTS_MAX {
                continue;
            }
            merged.parts.push(next);
            merged.add(next, &mut names);
            let all = next.get("allOf").and_then(Value::as_array).into_iter().flatten();
            waiting.extend(all.rev());
            let target = next.get("$ref").and_then(Value::as_str).and_then(pointer::of_reference);
            waiting.extend(target.and_then(|target| root.pointer(&target)));
        }
        merged
    }

    fn add(&mut self, part: &'a Value, names: &mut HashSet<&'a str>) {
        if self.types.is_empty() {
            self.types = match part.get("type") {
                Some(Value::String(name)) => vec![name],
                Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
        }
        for (name, value) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if names.insert(name) {
                self.properties.push((name, value));
            }
        }
        let required = part.get("required").and_then(Value::as_array).into_iter().flatten();
        self.required.extend(required.filter_map(Value::as_str));
        if self.variants.is_empty() {
            let listed = ["oneOf", "anyOf"].iter().find_map(|key| part.get(*key).and_then(Value::as_array));
            self.variants.extend(listed.into_iter().flatten());
        }
        if self.places.is_empty() {
            self.places.extend(part.get("prefixItems").and_then(Value::as_array).into_iter().flatten());
        }
        self.items = self.items.or_else(|| part.get("items").filter(|v| v.is_object()));
        self.additional =
            self.additional.or_else(|| part.get("additionalProperties").filter(|v| v.is_object()));
    }

    /// The first value of a key among the parts.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.parts.iter().find_map(|part| part.get(key))
    }

    /// The first text of a key among the parts; empty where none has it.
    pub(crate) fn text(&self, key: &str) -> &'a str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The listed values: `enum`, `const`, or alternatives that are constants each.
    pub(crate) fn allowed(&self) -> Vec<&'a Value> {
        if let Some(values) = self.get("enum").and_then(Value::as_array) {
            return values.iter().collect();
        }
        if let Some(value) = self.get("const") {
            return vec![value];
        }
        let constants: Option<Vec<_>> = self.variants.iter().map(|variant| variant.get("const")).collect();
        constants.unwrap_or_default()
    }

    /// The one alternative besides `null`: what a nullable reference was lifted to, say.
    pub(crate) fn only_variant(&self) -> Option<&'a Value> {
        let null = |variant: &&&Value| variant.get("type").and_then(Value::as_str) != Some("null");
        let mut real = self.variants.iter().filter(null);
        real.next().filter(|_| real.next().is_none()).copied()
    }

    /// Whether it has the shape of an object.
    pub(crate) fn is_object(&self) -> bool {
        self.types.contains(&"object") || (self.types.is_empty() && !self.properties.is_empty())
    }
}

/// A value in words: texts bare, all else as JSON.
pub(crate) fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A schema's type in words.
pub(crate) fn words(root: &Value, schema: &Value) -> String {
    words_at(root, schema, 0)
}

fn words_at(root: &Value, schema: &Value, depth: usize) -> String {
    if depth > WORDS_DEPTH_MAX {
        return "any".to_owned();
    }
    let merged = Merged::of(root, schema);
    if let Some(name) = schema.get("$ref").and_then(Value::as_str)
        && (merged.is_object() || merged.types.is_empty())
        && merged.additional.is_none()
    {
        return pointer::last_step(name);
    }
    let constants = !merged.allowed().is_empty();
    if !constants && !merged.variants.is_empty() {
        return alternatives(root, &merged, depth);
    }
    if merged.types.is_empty() {
        let inferred = if constants {
            constant_type(&merged)
        } else if merged.items.is_some() || !merged.places.is_empty() {
            "array"
        } else if merged.additional.is_some() || !merged.properties.is_empty() {
            "object"
        } else {
            return merged.get("title").map_or_else(|| "any".to_owned(), shown);
        };
        return one_type(root, &merged, inferred, depth);
    }
    let all: Vec<String> = merged.types.iter().map(|name| one_type(root, &merged, name, depth)).collect();
    all.join(" or ")
}

/// The type of values that are listed without saying it.
fn constant_type(merged: &Merged<'_>) -> &'static str {
    match merged.allowed().first() {
        Some(Value::String(_)) => "string",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(n)) if n.is_f64() => "number",
        Some(Value::Number(_)) => "integer",
        Some(Value::Null) => "null",
        Some(Value::Array(_)) => "array",
        _ => "object",
    }
}

fn one_type(root: &Value, merged: &Merged<'_>, name: &str, depth: usize) -> String {
    match name {
        "array" => match merged.items {
            Some(items) => format!("array of {}", grouped(words_at(root, items, depth + 1))),
            None if !merged.places.is_empty() => format!("array of {} values", merged.places.len()),
            None => "array".to_owned(),
        },
        "object" if merged.properties.is_empty() => match merged.additional {
            Some(values) => format!("map of {}", grouped(words_at(root, values, depth + 1))),
            None => "object".to_owned(),
        },
        "string" if merged.text("contentEncoding") == "base64" => "string (base64)".to_owned(),
        "string" if !merged.text("contentMediaType").is_empty() => "string (binary)".to_owned(),
        "string" | "integer" | "number" if !merged.text("format").is_empty() => {
            format!("{name} ({})", merged.text("format"))
        }
        _ => name.to_owned(),
    }
}

/// `array of (A or B)`, so that it is not read as an array of A, or a B.
fn grouped(words: String) -> String {
    if words.contains(" or ") { format!("({words})") } else { words }
}

fn alternatives(root: &Value, merged: &Merged<'_>, depth: usize) -> String {
    let mut all: Vec<String> = Vec::new();
    for variant in merged.variants.iter().take(VARIANTS_MAX) {
        let words = words_at(root, variant, depth + 1);
        if !all.contains(&words) {
            all.push(words);
        }
    }
    // `X or null` reads better than `null or X`.
    all.sort_by_key(|words| words == "null");
    let more = all.len().saturating_sub(4) + merged.variants.len().saturating_sub(VARIANTS_MAX);
    all.truncate(4);
    let text = all.join(" or ");
    if more > 0 { format!("{text} or {more} more") } else { text }
}
