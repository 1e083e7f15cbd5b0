//! Whether a document can be published: shapes, references, paths and operation ids.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::fault::FAULTS_MAX;
use crate::kind::{Dialect, Kind, METHODS, Node};
use crate::{Fault, pointer};

/// How many operations one document may have.
pub const OPERATIONS_MAX: usize = 10_000;
/// How many references may lead to each other before something must stand there.
pub(crate) const HOPS_MAX: usize = 32;

/// The dialect that a document says it is written in.
pub(crate) fn dialect(root: &Value) -> Result<Dialect, Fault> {
    let Some(members) = root.as_object() else {
        let message = format!("expected an OpenAPI document (an object), found {}", name_of(root));
        return Err(Fault::at("", message));
    };
    let (key, version) = match (members.get("openapi"), members.get("swagger")) {
        (Some(version), _) => ("/openapi", version),
        (None, Some(version)) => ("/swagger", version),
        (None, None) => {
            let message = "neither `openapi` nor `swagger` stands at the top; expected an OpenAPI document";
            return Err(Fault::at("", message));
        }
    };
    let text = version.as_str().map_or_else(|| version.to_string(), str::to_owned);
    let is =
        |wanted: &str| text == wanted || text.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.'));
    match key {
        "/openapi" if is("3.1") => Ok(Dialect::V31),
        "/openapi" if is("3.0") => Ok(Dialect::V30),
        "/swagger" if is("2") || is("2.0") => Ok(Dialect::V2),
        _ => {
            let shown: String = text.chars().take(40).collect();
            Err(Fault::at(
                key,
                format!("version {shown} is not read; expected OpenAPI 3.1 or 3.0, or Swagger 2.0"),
            ))
        }
    }
}

/// Every reason to refuse a document, at most fifty.
pub(crate) fn check(root: &Value, dialect: Dialect) -> Vec<Fault> {
    let mut check = Check { root, dialect, faults: Vec::new(), at: String::new() };
    check.visit(root, Kind::One(Node::Root));
    check.info();
    check.paths();
    check.faults
}

struct Check<'a> {
    root: &'a Value,
    dialect: Dialect,
    faults: Vec<Fault>,
    at: String,
}

impl<'a> Check<'a> {
    fn fault(&mut self, message: impl Into<String>) {
        let fault = Fault::at(self.at.clone(), message);
        if self.faults.len() < FAULTS_MAX && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Does something one step further down.
    fn below(&mut self, key: &str, act: impl FnOnce(&mut Self)) {
        let len = self.at.len();
        self.at.push('/');
        self.at.push_str(&pointer::escape(key));
        act(self);
        self.at.truncate(len);
    }

    /// Shapes and references. The reader bounds the depth, so that recursion is safe.
    fn visit(&mut self, value: &Value, kind: Kind) {
        if self.faults.len() >= FAULTS_MAX {
            return;
        }
        if let Some(expected) = kind.refuses(value) {
            let hint = if value.is_number() && kind == Kind::Text { "; put it in quotes" } else { "" };
            return self.fault(format!("expected {expected}, found {}{hint}", name_of(value)));
        }
        match (kind, value) {
            (Kind::One(node), Value::Object(members)) => self.node(node, members),
            (Kind::Map(node), Value::Object(members)) => {
                for (key, value) in members {
                    self.below(key, |check| check.visit(value, Kind::One(node)));
                }
            }
            (Kind::List(node), Value::Array(items)) => {
                for (index, value) in items.iter().enumerate() {
                    self.below(&index.to_string(), |check| check.visit(value, Kind::One(node)));
                }
            }
            _ => {}
        }
    }

    fn node(&mut self, node: Node, members: &Map<String, Value>) {
        if node.takes_reference()
            && let Some(reference) = members.get("$ref")
        {
            self.below("$ref", |check| check.reference(reference));
        } else {
            self.required(node, members);
        }
        for (key, value) in members {
            let kind = node.child(self.dialect, key);
            if kind != Kind::Any {
                self.below(key, |check| check.visit(value, kind));
            }
        }
    }

    fn required(&mut self, node: Node, members: &Map<String, Value>) {
        let keys: &[&str] = match node {
            Node::Parameter => &["name", "in"],
            Node::Server => &["url"],
            Node::Tag => &["name"],
            _ => &[],
        };
        for key in keys {
            if !members.contains_key(*key) {
                self.fault(format!("`{key}` is missing here"));
            }
        }
        if node == Node::Parameter
            && let Some(place) = members.get("in").and_then(Value::as_str)
        {
            let places: &[&str] = match self.dialect {
                Dialect::V2 => &["path", "query", "header", "body", "formData"],
                _ => &["path", "query", "header", "cookie"],
            };
            if !places.contains(&place) {
                let message = format!("expected one of {}", places.join(", "));
                self.below("in", |check| check.fault(message));
            }
        }
    }

    fn reference(&mut self, reference: &Value) {
        let Some(text) = reference.as_str() else {
            return self.fault(format!("expected a reference (a text), found {}", name_of(reference)));
        };
        let Some(start) = pointer::of_reference(text) else {
            return self.fault(format!(
                "`{text}` is outside this document, and nothing is fetched; expected a reference that begins with #/"
            ));
        };
        let mut target = self.root.pointer(&start);
        for _ in 0..HOPS_MAX {
            match target {
                Some(Value::Object(members)) => match members.get("$ref").and_then(Value::as_str) {
                    None => return,
                    // The next reference is judged where it stands.
                    Some(next) => match pointer::of_reference(next) {
                        Some(next) => target = self.root.pointer(&next),
                        None => return,
                    },
                },
                Some(Value::Bool(_)) => return,
                Some(other) => {
                    return self.fault(format!("`{text}` leads to {}; expected an object", name_of(other)));
                }
                None => return self.fault(format!("`{text}` leads nowhere in this document")),
            }
        }
        self.fault(format!("`{text}` leads back to itself through references alone"));
    }

    fn info(&mut self) {
        let Some(info) = self.root.get("info") else {
            return self.fault("`info` is missing; expected `info` with `title` and `version`");
        };
        if let Some(info) = info.as_object() {
            for key in ["title", "version"] {
                if !info.contains_key(key) {
                    self.below("info", |check| check.fault(format!("`{key}` is missing here")));
                }
            }
        }
    }

    fn paths(&mut self) {
        let root: &'a Value = self.root;
        let Some(paths) = root.get("paths") else {
            let elsewhere = self.dialect == Dialect::V31
                && (root.get("webhooks").is_some() || root.get("components").is_some());
            if !elsewhere {
                self.fault("`paths` is missing");
            }
            return;
        };
        let Some(paths) = paths.as_object() else { return };
        let mut shapes: HashMap<String, &str> = HashMap::new();
        let mut ids: HashMap<&str, String> = HashMap::new();
        let mut operations = 0;
        self.below("paths", |check| {
            for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
                check.below(path, |check| {
                    match shape(path) {
                        Err(message) => check.fault(message),
                        Ok(shape) => {
                            if let Some(first) = shapes.insert(shape, path) {
                                check.fault(format!(
                                    "`{path}` matches the same calls as `{first}`; expected one of them"
                                ));
                            }
                        }
                    }
                    let item = resolve(check.root, item);
                    for method in METHODS {
                        let Some(operation) = item.get(method) else { continue };
                        operations += 1;
                        check.operation_id(method, operation, &mut ids);
                    }
                });
            }
            if operations > OPERATIONS_MAX {
                check.fault(format!("{operations} operations; at most {OPERATIONS_MAX} are read"));
            }
        });
    }

    fn operation_id(&mut self, method: &str, operation: &'a Value, ids: &mut HashMap<&'a str, String>) {
        let Some(id) = operation.get("operationId").and_then(Value::as_str) else { return };
        self.below(method, |check| {
            check.below("operationId", |check| {
                if id.is_empty() || id.len() > 200 || id.chars().any(char::is_control) {
                    check.fault("expected 1 to 200 characters");
                } else if let Some(first) = ids.get(id) {
                    check.fault(format!("`{id}` is already the operationId at {first}; expected each once"));
                } else {
                    ids.insert(id, check.at.clone());
                }
            });
        });
    }
}

/// The value itself, or what its references lead to.
pub(crate) fn resolve<'a>(root: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..HOPS_MAX {
        let target = value.get("$ref").and_then(Value::as_str).and_then(pointer::of_reference);
        match target.and_then(|pointer| root.pointer(&pointer)) {
            Some(next) => value = next,
            None => break,
        }
    }
    value
}

/// A path with its parameters' names taken out: two paths of one shape match the same calls.
fn shape(path: &str) -> Result<String, String> {
    if !path.starts_with('/') {
        return Err(format!("`{path}` does not begin with `/`; expected a path like /countries/{{code}}"));
    }
    if path.contains(['?', '#']) || path.chars().any(|c| c.is_control() || c == ' ') {
        return Err("expected a path without `?`, `#` and spaces; queries are parameters".to_owned());
    }
    let mut shape = String::new();
    let mut names: Vec<&str> = Vec::new();
    let mut rest = path;
    while let Some(open) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(open);
        shape.push_str(before);
        let name = from.strip_prefix('{').and_then(|from| from.split_once('}')).map(|(name, _)| name);
        let Some(name) = name.filter(|name| !name.is_empty() && !name.contains(['{', '/'])) else {
            return Err("expected every `{` to be closed by `}` around a name".to_owned());
        };
        if names.contains(&name) {
            return Err(format!("`{{{name}}}` stands twice in this path; expected two names"));
        }
        names.push(name);
        shape.push_str("{}");
        rest = &from[name.len() + 2..];
    }
    shape.push_str(rest);
    Ok(shape)
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
