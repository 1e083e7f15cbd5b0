//! From a tree to the JSON of one resource: every field known, none missing, defaults filled in.

use serde_json::{Map, Value};

use crate::fault::{Fault, dotted, nearest};
use crate::kind::{Absent, Field, KINDS, Kind, Shape, is_currency, is_slug};
use crate::node::{Content, Node, Place};

/// What was made of one resource.
pub struct Read {
    pub kind: &'static Kind,
    /// As people name it: `plan atlas/free`.
    pub label: String,
    /// Its fields; none where a fault stands in the way.
    pub value: Option<Value>,
}

/// Reads one resource; whatever is wrong with it goes to `faults`.
pub fn resource(file: &str, node: &Node, faults: &mut Vec<Fault>) -> Option<Read> {
    let Content::Map(_) = &node.content else {
        let message = format!("expected a resource that begins with `kind:`, found {}", node.what());
        faults.push(Fault::at(file, node.place, message));
        return None;
    };
    let names = || KINDS.iter().map(|kind| kind.name);
    let Some(member) = node.member("kind") else {
        let message = format!("expected a field `kind`: one of {}", list(names()));
        faults.push(Fault::at(file, node.place, message));
        return None;
    };
    let found = member.value.text().unwrap_or_default();
    let Some(kind) = KINDS.iter().find(|kind| kind.name == found) else {
        let hint =
            nearest(found, names()).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        let message = format!(
            "{} is no kind of resource: expected one of {}{hint}",
            member.value.what(),
            list(names())
        );
        faults.push(Fault { field: "kind".to_owned(), ..Fault::at(file, member.value.place, message) });
        return None;
    };
    let text = |name| node.member(name).and_then(|member| member.value.text());
    let label = match (kind.name, text("product"), text("slug")) {
        ("plan", Some(product), Some(slug)) => format!("plan {product}/{slug}"),
        // There is one, which needs no name.
        ("portal", ..) => "portal look".to_owned(),
        ("policies", ..) => "policies of all calls".to_owned(),
        (name, _, Some(slug)) => format!("{name} {slug}"),
        (name, ..) => name.to_owned(),
    };
    let before = faults.len();
    let mut reader = Reader { file, label: &label, faults };
    let value = reader.object(node, "", kind.fields, &["kind"]);
    let value = (faults.len() == before).then_some(value);
    Some(Read { kind, label, value })
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

struct Reader<'a> {
    file: &'a str,
    label: &'a str,
    faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, place: Place, pointer: &str, message: impl Into<String>) -> Value {
        self.faults.push(Fault {
            resource: self.label.to_owned(),
            field: dotted(pointer),
            ..Fault::at(self.file, place, message)
        });
        Value::Null
    }

    fn object(&mut self, node: &Node, pointer: &str, fields: &[Field], besides: &[&str]) -> Value {
        let Content::Map(members) = &node.content else {
            return self.fault(node.place, pointer, format!("expected a mapping, found {}", node.what()));
        };
        for member in members {
            let known = fields.iter().map(|field| field.name).chain(besides.iter().copied());
            if known.clone().all(|name| name != member.key) {
                let hint = match nearest(&member.key, known.clone()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("known are {}", list(known.filter(|name| !besides.contains(name)))),
                };
                let pointer = format!("{pointer}/{}", member.key.replace('~', "~0").replace('/', "~1"));
                self.fault(member.place, &pointer, format!("there is no such field; {hint}"));
            }
        }
        let mut object = Map::new();
        for field in fields {
            let pointer = format!("{pointer}/{}", field.name);
            let given =
                node.member(field.name).filter(|member| !matches!(member.value.content, Content::Null));
            let value = match (given, field.absent) {
                (Some(member), _) => self.value(&member.value, &pointer, &field.shape),
                (None, Absent::Refused) => {
                    let place = node.member(field.name).map_or(node.place, |member| member.place);
                    let message = format!("missing; {}", lower_first(field.doc));
                    self.fault(place, &pointer, message)
                }
                (None, Absent::Is(json) | Absent::IsButShown(json)) => {
                    serde_json::from_str(json).expect("defaults are JSON; a test reads them all")
                }
                (None, Absent::Nothing) => continue,
            };
            object.insert(field.name.to_owned(), value);
        }
        Value::Object(object)
    }

    fn value(&mut self, node: &Node, pointer: &str, shape: &Shape) -> Value {
        match (shape, &node.content) {
            (Shape::List(shape, max), Content::List(items)) => {
                if items.len() > *max {
                    return self.fault(node.place, pointer, format!("at most {max} items"));
                }
                let item = |(at, item)| self.value(item, &format!("{pointer}/{at}"), shape);
                items.iter().enumerate().map(item).collect()
            }
            (Shape::Object(fields), Content::Map(_)) => self.object(node, pointer, fields, &[]),
            (Shape::Bool, Content::Bool(value)) => Value::Bool(*value),
            (Shape::Whole(min, max), Content::Number(number))
                if number.as_u64().is_some_and(|value| (*min..=*max).contains(&value)) =>
            {
                Value::Number(number.clone())
            }
            (Shape::Line(_) | Shape::Prose(_) | Shape::Pattern(_), Content::Text(text)) => {
                text.as_str().into()
            }
            (Shape::Slug | Shape::Reference(_), Content::Text(text)) if is_slug(text) => text.as_str().into(),
            (Shape::Currency, Content::Text(text)) if is_currency(text) => text.as_str().into(),
            (Shape::Word(words), Content::Text(text)) if words().contains(&text.as_str()) => {
                text.as_str().into()
            }
            (Shape::Document, Content::Text(text)) if !text.contains('\n') => text.as_str().into(),
            (Shape::Document, Content::Map(_)) => node.value(),
            _ => {
                let message =
                    format!("expected {}, found {}{}", expected(shape), node.what(), hint(shape, node));
                self.fault(node.place, pointer, message)
            }
        }
    }
}

/// What a shape takes, in words.
fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Line(_) | Shape::Prose(_) | Shape::Pattern(_) => "text".to_owned(),
        Shape::Slug => "a slug: 1 to 64 of a-z, 0-9 and -, with a letter or digit at both ends".to_owned(),
        Shape::Reference(kind) => format!("the slug of a {kind}"),
        Shape::Currency => "three capital letters (ISO 4217), like EUR".to_owned(),
        Shape::Whole(min, max) => format!("a whole number between {min} and {max}"),
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Word(words) => format!("one of {}", list(words())),
        Shape::List(..) => "a list".to_owned(),
        Shape::Object(_) => "a mapping".to_owned(),
        Shape::Document => "a file's path, or an OpenAPI document".to_owned(),
    }
}

/// How to mend what is often meant.
fn hint(shape: &Shape, node: &Node) -> String {
    match (shape, &node.content) {
        (
            Shape::Line(_) | Shape::Prose(_) | Shape::Pattern(_) | Shape::Slug | Shape::Reference(_),
            Content::Number(_) | Content::Bool(_),
        ) => "; text that looks like something else stands in quotes".to_owned(),
        (Shape::Word(words), Content::Text(text)) => match nearest(text, words()) {
            Some(word) => format!("; did you mean `{word}`?"),
            None => String::new(),
        },
        _ => String::new(),
    }
}

fn lower_first(doc: &str) -> String {
    let sentence = doc.split_inclusive(". ").next().unwrap_or(doc).trim_end_matches([' ', '.']);
    let mut chars = sentence.chars();
    match chars.next() {
        // `ISO 4217` and `OpenAPI` keep their capitals.
        Some(first) if !chars.clone().next().is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => sentence.to_owned(),
    }
}
