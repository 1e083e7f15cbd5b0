//! Schemas as trees for reading: members, alternatives and facts in words, within a number of rows.

use serde_json::Value;

use crate::check::resolve;
use crate::pointer;
use crate::schema::{Merged, VARIANTS_MAX, shown, words};
use crate::view::{Member, Shape};

/// How many rows the bodies of one direction show on an operation's page.
pub(crate) const ROWS_PER_BODY: usize = 80;
/// How many rows a schema's own page shows.
pub(crate) const ROWS_PER_SCHEMA: usize = 200;
/// How many members one object shows.
const MEMBERS_MAX: usize = 300;
/// How deep members of members are shown.
const DEPTH_MAX: usize = 5;
/// How many listed values are shown.
const ALLOWED_MAX: usize = 60;
/// How many lists of maps of lists lead to members.
const WRAPS_MAX: usize = 6;
/// How long an example inside a row may be.
const EXAMPLE_CHARS_MAX: usize = 80;

/// A schema with as many levels as `rows` allow; takes what it used from them. The uppermost level is always whole.
pub(crate) fn shape(root: &Value, schema: &Value, rows: &mut usize) -> Shape {
    let mut maker = Maker { root, left: *rows, above: Vec::new() };
    let shape = maker.make(schema);
    *rows = maker.left;
    shape
}

struct Maker<'a> {
    root: &'a Value,
    left: usize,
    above: Vec<*const Value>,
}

impl<'a> Maker<'a> {
    fn make(&mut self, schema: &'a Value) -> Shape {
        let merged = Merged::of(self.root, schema);
        let mut shape = facts(self.root, schema, &merged);
        let (core, name) = self.core(schema);
        let inner = Merged::of(self.root, core);
        let variants = if inner.allowed().is_empty() { self.open_variants(&inner) } else { &[] };
        let rows = inner.properties.len() + inner.places.len() + variants.len();
        if rows == 0 {
            return shape;
        }
        shape.name = name;
        let here: *const Value = resolve(self.root, core);
        let nested = !self.above.is_empty();
        if self.above.contains(&here) || self.above.len() >= DEPTH_MAX || (nested && rows > self.left) {
            shape.cut = true;
            return shape;
        }
        self.left = self.left.saturating_sub(rows);
        self.above.push(here);
        shape.members = self.members(&inner);
        shape.variants = variants.iter().take(VARIANTS_MAX).map(|one| self.make(one)).collect();
        shape.variants_more = variants.len().saturating_sub(VARIANTS_MAX);
        shape.any_of = inner.get("oneOf").is_none();
        shape.discriminator = discriminator(&inner);
        shape.cut = inner.properties.len() > MEMBERS_MAX;
        self.above.pop();
        shape
    }

    /// The schema whose members are meant, behind lists, maps and «or null», and its name if it is a component.
    fn core(&self, schema: &'a Value) -> (&'a Value, String) {
        let mut core = schema;
        let mut name = component(core);
        for _ in 0..WRAPS_MAX {
            let merged = Merged::of(self.root, core);
            if !merged.properties.is_empty() || !merged.places.is_empty() {
                break;
            }
            let Some(next) = merged.only_variant().or(merged.items).or(merged.additional) else { break };
            core = next;
            let inner = component(core);
            if !inner.is_empty() {
                name = inner;
            }
        }
        (core, name)
    }

    /// Alternatives, where one at least has something to open; else the type in words says it all.
    fn open_variants<'m>(&self, merged: &'m Merged<'a>) -> &'m [&'a Value] {
        let opens = |variant: &&'a Value| {
            let inner = Merged::of(self.root, self.core(variant).0);
            !inner.properties.is_empty() || !inner.places.is_empty() || inner.variants.len() > 1
        };
        if merged.only_variant().is_none() && merged.variants.iter().any(opens) {
            &merged.variants
        } else {
            &[]
        }
    }

    fn members(&mut self, merged: &Merged<'a>) -> Vec<Member> {
        let mut members = Vec::new();
        for (name, value) in merged.properties.iter().take(MEMBERS_MAX) {
            let required = merged.required.contains(name);
            members.push(Member { name: (*name).to_owned(), required, shape: self.make(value) });
        }
        for (index, value) in merged.places.iter().take(MEMBERS_MAX).enumerate() {
            members.push(Member { name: format!("[{index}]"), required: false, shape: self.make(value) });
        }
        if let Some(values) = merged.additional.filter(|_| !merged.properties.is_empty()) {
            members.push(Member { name: "any other name".into(), required: false, shape: self.make(values) });
        }
        members
    }
}

/// The component that a schema refers to, if it does.
fn component(schema: &Value) -> String {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let local = reference.filter(|reference| reference.starts_with("#/components/schemas/"));
    local.map(pointer::last_step).unwrap_or_default()
}

fn discriminator(merged: &Merged<'_>) -> String {
    let found = merged.get("discriminator").and_then(|one| one.get("propertyName"));
    found.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What is said about a value itself.
fn facts(root: &Value, schema: &Value, merged: &Merged<'_>) -> Shape {
    let allowed = merged.allowed();
    let given = merged.get("examples").and_then(Value::as_array).and_then(|all| all.first());
    let example = given.or_else(|| merged.get("example")).filter(|value| !value.is_object()).map(shown);
    Shape {
        summary: words(root, schema),
        title: merged.text("title").to_owned(),
        description: merged.text("description").trim().to_owned(),
        allowed_more: allowed.len().saturating_sub(ALLOWED_MAX),
        allowed: allowed.into_iter().take(ALLOWED_MAX).map(shown).collect(),
        default: merged.get("default").map(shown),
        example: example.filter(|text| !text.is_empty() && text.chars().count() <= EXAMPLE_CHARS_MAX),
        bounds: bounds(merged),
        pattern: merged.text("pattern").to_owned(),
        deprecated: merged.flag("deprecated"),
        read_only: merged.flag("readOnly"),
        write_only: merged.flag("writeOnly"),
        ..Shape::default()
    }
}

fn bounds(merged: &Merged<'_>) -> Vec<String> {
    let number = |key: &str| merged.get(key).filter(|v| v.is_number()).map(ToString::to_string);
    let range = |low: &str, high: &str, unit: &str| match (number(low), number(high)) {
        (Some(low), Some(high)) if low == high => Some(format!("exactly {low}{unit}")),
        (Some(low), Some(high)) => Some(format!("{low} to {high}{unit}")),
        (Some(low), None) if low != "0" || unit.is_empty() => Some(format!("at least {low}{unit}")),
        (None, Some(high)) => Some(format!("at most {high}{unit}")),
        _ => None,
    };
    let mut all = Vec::new();
    all.extend(range("minimum", "maximum", ""));
    all.extend(number("exclusiveMinimum").map(|n| format!("more than {n}")));
    all.extend(number("exclusiveMaximum").map(|n| format!("less than {n}")));
    all.extend(number("multipleOf").map(|n| format!("a multiple of {n}")));
    all.extend(range("minLength", "maxLength", " characters"));
    all.extend(range("minItems", "maxItems", " items"));
    all.extend(merged.flag("uniqueItems").then(|| "each once".to_owned()));
    all.extend(range("minProperties", "maxProperties", " members"));
    if merged.get("additionalProperties").and_then(Value::as_bool) == Some(false) {
        all.push("no other members".to_owned());
    }
    all
}
