//! Swagger 2.0 to OpenAPI 3.0 form; schemas are lifted further by the step from 3.0 to 3.1.

use serde_json::{Map, Value, json};

use super::v2_parts::{is_body, parameter, request_body, response};
use crate::check::resolve;
use crate::kind::{Dialect, Kind, METHODS, Node};

/// Lifts a checked Swagger 2.0 document.
pub(super) fn lift(mut root: Value) -> Value {
    let lifted = {
        let old = Old { root: &root };
        old.paths()
    };
    let Some(members) = root.as_object_mut() else { return root };
    let mut new = Map::new();
    new.insert("openapi".to_owned(), json!("3.0.3"));
    new.insert("info".to_owned(), members.shift_remove("info").unwrap_or_else(|| json!({})));
    new.insert("servers".to_owned(), servers(members));
    let mut components = Map::new();
    let produces = types(members.get("produces"));
    if let Some(schemas) = members.shift_remove("definitions") {
        components.insert("schemas".to_owned(), schemas);
    }
    if let Some(Value::Object(parameters)) = members.shift_remove("parameters") {
        let kept = parameters.into_iter().filter(|(_, p)| !is_body(p)).map(|(name, p)| (name, parameter(&p)));
        components.insert("parameters".to_owned(), kept.collect());
    }
    if let Some(Value::Object(responses)) = members.shift_remove("responses") {
        let lifted = responses.into_iter().map(|(name, r)| (name, response(&r, &produces)));
        components.insert("responses".to_owned(), lifted.collect());
    }
    if let Some(Value::Object(schemes)) = members.shift_remove("securityDefinitions") {
        let lifted = schemes.into_iter().map(|(name, s)| (name, security_scheme(s)));
        components.insert("securitySchemes".to_owned(), lifted.collect());
    }
    members.shift_remove("paths");
    for key in ["swagger", "host", "basePath", "schemes", "consumes", "produces"] {
        members.shift_remove(key);
    }
    new.append(members);
    new.insert("paths".to_owned(), lifted);
    if !components.is_empty() {
        new.insert("components".to_owned(), Value::Object(components));
    }
    let mut root = Value::Object(new);
    tidy(&mut root, Kind::One(Node::Root));
    root
}

/// The old document, for resolving its shared parameters.
struct Old<'a> {
    root: &'a Value,
}

impl Old<'_> {
    fn paths(&self) -> Value {
        let Some(Value::Object(paths)) = self.root.get("paths") else { return json!({}) };
        paths.iter().map(|(path, item)| (path.clone(), self.path_item(item))).collect()
    }

    fn path_item(&self, item: &Value) -> Value {
        let Value::Object(members) = item else { return item.clone() };
        let shared = list(members.get("parameters"));
        let shared_body: Vec<&Value> = shared.iter().copied().filter(|p| self.is_body(p)).collect();
        let mut new = Map::new();
        for (key, value) in members {
            let value = match key.as_str() {
                "parameters" => self.parameters(&shared),
                method if METHODS.contains(&method) => self.operation(value, &shared_body),
                _ => value.clone(),
            };
            new.insert(key.clone(), value);
        }
        Value::Object(new)
    }

    fn is_body(&self, parameter: &Value) -> bool {
        is_body(resolve(self.root, parameter))
    }

    /// Parameters that stay parameters; references among them are kept.
    fn parameters(&self, all: &[&Value]) -> Value {
        let kept = all.iter().filter(|p| !self.is_body(p));
        kept.map(|p| if p.get("$ref").is_some() { (*p).clone() } else { parameter(p) }).collect()
    }

    fn operation(&self, operation: &Value, shared_body: &[&Value]) -> Value {
        let Value::Object(members) = operation else { return operation.clone() };
        let types_of = |key: &str| types(members.get(key).or_else(|| self.root.get(key)));
        let (consumes, produces) = (types_of("consumes"), types_of("produces"));
        let own = list(members.get("parameters"));
        let mut new = Map::new();
        for (key, value) in members {
            match key.as_str() {
                "parameters" => {
                    new.insert(key.clone(), self.parameters(&own));
                }
                "responses" => {
                    let responses = value.as_object().into_iter().flatten();
                    let lifted = responses.map(|(status, r)| {
                        let kept = status.starts_with("x-") || r.get("$ref").is_some();
                        (status.clone(), if kept { r.clone() } else { response(r, &produces) })
                    });
                    new.insert(key.clone(), lifted.collect());
                }
                "consumes" | "produces" | "schemes" => {}
                _ => {
                    new.insert(key.clone(), value.clone());
                }
            }
        }
        let body: Vec<&Value> = own.iter().copied().filter(|p| self.is_body(p)).collect();
        let body = if body.is_empty() { shared_body } else { &body };
        let body: Vec<&Value> = body.iter().map(|p| resolve(self.root, p)).collect();
        if let Some(body) = request_body(&body, &consumes) {
            new.insert("requestBody".to_owned(), body);
        }
        Value::Object(new)
    }
}

fn list(value: Option<&Value>) -> Vec<&Value> {
    value.and_then(Value::as_array).map(|items| items.iter().collect()).unwrap_or_default()
}

fn types(value: Option<&Value>) -> Vec<String> {
    list(value).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn servers(members: &Map<String, Value>) -> Value {
    let text = |key: &str| members.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let path = text("basePath").map_or_else(String::new, |p| format!("/{}", p.trim_start_matches('/')));
    let Some(host) = text("host") else {
        return json!([{ "url": if path.is_empty() { "/" } else { &path } }]);
    };
    let path = path.trim_end_matches('/');
    let mut schemes = types(members.get("schemes"));
    if schemes.is_empty() {
        schemes.push("https".to_owned());
    }
    schemes.iter().map(|scheme| json!({ "url": format!("{scheme}://{host}{path}") })).collect()
}

fn security_scheme(scheme: Value) -> Value {
    let Value::Object(mut members) = scheme else { return scheme };
    match members.get("type").and_then(Value::as_str) {
        Some("basic") => {
            members.insert("type".to_owned(), json!("http"));
            members.insert("scheme".to_owned(), json!("basic"));
        }
        Some("oauth2") => {
            let flow = members.shift_remove("flow");
            let name = match flow.as_ref().and_then(Value::as_str) {
                Some("application") => "clientCredentials",
                Some("accessCode") => "authorizationCode",
                Some("password") => "password",
                _ => "implicit",
            };
            let mut terms = Map::new();
            for key in ["authorizationUrl", "tokenUrl", "scopes"] {
                if let Some(value) = members.shift_remove(key) {
                    terms.insert(key.to_owned(), value);
                }
            }
            terms.entry("scopes").or_insert_with(|| json!({}));
            members.insert("flows".to_owned(), json!({ name: terms }));
        }
        _ => {}
    }
    Value::Object(members)
}

/// References to their new places, and what schemas say in another way since 3.0.
fn tidy(value: &mut Value, kind: Kind) {
    match (kind, value) {
        (Kind::One(node), Value::Object(members)) => {
            if node.takes_reference()
                && let Some(Value::String(reference)) = members.get_mut("$ref")
            {
                for (old, new) in
                    [("definitions", "schemas"), ("parameters", "parameters"), ("responses", "responses")]
                {
                    if let Some(rest) = reference.strip_prefix(&format!("#/{old}/")) {
                        *reference = format!("#/components/{new}/{rest}");
                        break;
                    }
                }
            }
            if node == Node::Schema {
                tidy_schema(members);
            }
            for (key, value) in members.iter_mut() {
                tidy(value, node.child(Dialect::V30, key));
            }
        }
        (Kind::Map(node), Value::Object(members)) => {
            members.values_mut().for_each(|value| tidy(value, Kind::One(node)));
        }
        (Kind::List(node), Value::Array(items)) => {
            items.iter_mut().for_each(|value| tidy(value, Kind::One(node)))
        }
        _ => {}
    }
}

fn tidy_schema(members: &mut Map<String, Value>) {
    if let Some(nullable) = members.shift_remove("x-nullable") {
        members.entry("nullable").or_insert(nullable);
    }
    if members.get("type").and_then(Value::as_str) == Some("file") {
        members.insert("type".to_owned(), json!("string"));
        members.insert("format".to_owned(), json!("binary"));
    }
    if let Some(Value::String(property)) = members.get("discriminator") {
        let named = json!({ "propertyName": property });
        members.insert("discriminator".to_owned(), named);
    }
}
