//! A state as files, in an order that depends on nothing but the state.

use serde_json::{Map, Value};
use tollgate_domain::declared::{Api, State};

use crate::kind::{API, Absent, Field, Kind, PAGE, PLAN, POLICIES, PORTAL, PRODUCT, SERVICE, Shape};
use crate::manifest::File;
use crate::write::document;

/// One file per service, API and page, a document beside its API, a product together with its plans, what all calls are held to,
/// and the portal's look.
#[must_use]
pub fn files(state: &State) -> Vec<File> {
    let mut files = Vec::new();
    for service in sorted(&state.services, |service| service.slug.as_str()) {
        files.push(File { name: format!("services/{}.yaml", service.slug), text: one(&SERVICE, service) });
    }
    for api in sorted(&state.apis, |api| api.slug.as_str()) {
        let beside = format!("{}.openapi.yaml", api.slug);
        let openapi = parsed(api);
        let path = openapi.is_some().then(|| Value::String(format!("./{beside}")));
        files.push(File { name: format!("apis/{}.yaml", api.slug), text: api_text(api, path) });
        if let Some(openapi) = openapi {
            files.push(File { name: format!("apis/{beside}"), text: document(&openapi) });
        }
    }
    for product in sorted(&state.products, |product| product.slug.as_str()) {
        let mut texts = vec![one(&PRODUCT, product)];
        let plans = state.plans.iter().filter(|plan| plan.product == product.slug);
        texts.extend(plans.map(|plan| one(&PLAN, plan)));
        files.push(File { name: format!("products/{}.yaml", product.slug), text: texts.join("---\n") });
    }
    for policies in &state.policies {
        files.push(File { name: "policies.yaml".to_owned(), text: one(&POLICIES, policies) });
    }
    for portal in &state.portals {
        files.push(File { name: "portal.yaml".to_owned(), text: one(&PORTAL, portal) });
    }
    for page in sorted(&state.pages, |page| page.slug.as_str()) {
        files.push(File { name: format!("pages/{}.yaml", page.slug), text: one(&PAGE, page) });
    }
    files
}

/// Everything as one text of several YAML documents, OpenAPI documents inside.
#[must_use]
pub fn stream(state: &State) -> String {
    stream_beside(state, &|_| None)
}

/// As [`stream`], with the path of each API's document where it stands in a file of its own.
#[must_use]
pub fn stream_beside(state: &State, path: &dyn Fn(&Api) -> Option<String>) -> String {
    let services = sorted(&state.services, |service| service.slug.as_str());
    let mut texts: Vec<String> = services.map(|service| one(&SERVICE, service)).collect();
    for api in sorted(&state.apis, |api| api.slug.as_str()) {
        texts.push(api_text(api, path(api).map(Value::String).or_else(|| parsed(api))));
    }
    for product in sorted(&state.products, |product| product.slug.as_str()) {
        texts.push(one(&PRODUCT, product));
        let plans = state.plans.iter().filter(|plan| plan.product == product.slug);
        texts.extend(plans.map(|plan| one(&PLAN, plan)));
    }
    texts.extend(state.policies.iter().map(|policies| one(&POLICIES, policies)));
    texts.extend(state.portals.iter().map(|portal| one(&PORTAL, portal)));
    texts.extend(sorted(&state.pages, |page| page.slug.as_str()).map(|page| one(&PAGE, page)));
    texts.join("---\n")
}

/// By name; plans keep their order, which is the one that the portal shows.
fn sorted<T>(items: &[T], slug: fn(&T) -> &str) -> impl Iterator<Item = &T> {
    let mut items: Vec<&T> = items.iter().collect();
    items.sort_by(|a, b| slug(a).cmp(slug(b)));
    items.into_iter()
}

fn parsed(api: &Api) -> Option<Value> {
    api.document.as_deref().and_then(|text| serde_json::from_str(text).ok())
}

fn one<T: serde::Serialize>(kind: &Kind, resource: &T) -> String {
    text(kind, &serde_json::to_value(resource).expect("resources are plain data"))
}

fn api_text(api: &Api, openapi: Option<Value>) -> String {
    let mut value = serde_json::to_value(api).expect("resources are plain data");
    if let (Some(openapi), Some(fields)) = (openapi, value.as_object_mut()) {
        fields.insert("document".to_owned(), openapi);
    }
    text(&API, &value)
}

fn text(kind: &Kind, value: &Value) -> String {
    let mut members = Map::new();
    members.insert("kind".to_owned(), kind.name.into());
    let Value::Object(fields) = ordered(value, kind.fields) else { return document(value) };
    members.extend(fields);
    document(&Value::Object(members))
}

/// The fields in the order of their table, without those that say what holds anyway.
fn ordered(value: &Value, fields: &[Field]) -> Value {
    let mut members = Map::new();
    for field in fields {
        let Some(value) = value.get(field.name) else { continue };
        let silent = match field.absent {
            Absent::Is(json) => serde_json::from_str::<Value>(json).is_ok_and(|default| default == *value),
            Absent::Nothing => value.is_null(),
            Absent::Refused | Absent::IsButShown(_) => false,
        };
        if !silent {
            members.insert(field.name.to_owned(), shaped(value, &field.shape));
        }
    }
    Value::Object(members)
}

fn shaped(value: &Value, shape: &Shape) -> Value {
    match (shape, value) {
        (Shape::Object(fields), Value::Object(_)) => ordered(value, fields),
        (Shape::List(shape, _), Value::Array(items)) => {
            items.iter().map(|item| shaped(item, shape)).collect()
        }
        _ => value.clone(),
    }
}
