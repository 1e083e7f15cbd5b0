//! All files together: the state they declare, and where each part of it stands.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tollgate_domain::declared::State;

use crate::fault::{Fault, dotted};
use crate::kind::{KINDS, Kind};
use crate::node::{Content, Node};
use crate::read::read;
use crate::resource::resource;

/// A file: its name as people see it, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path, relative to where the reader looks from.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// How a document's file is brought: the manifest's name and the path it gives; back come the document's name
/// and text, or why there is none.
pub type Fetch<'a> = dyn FnMut(&str, &str) -> Result<File, String> + 'a;

/// What files declare.
#[derive(Debug, Default)]
pub struct Manifest {
    /// The resources without faults.
    pub state: State,
    /// Everything that is wrong, in the order of the files.
    pub faults: Vec<Fault>,
    /// OpenAPI documents among the files that no API names.
    pub unused_documents: Vec<String>,
    places: HashMap<&'static str, Vec<Placed>>,
    /// Where each name was first declared.
    names: HashMap<String, String>,
}

/// Where a resource stands.
#[derive(Debug)]
struct Placed {
    file: String,
    label: String,
    node: Node,
    /// The name of its document's file.
    document: Option<String>,
}

impl Manifest {
    /// Reads files in the given order. An OpenAPI document among them is no manifest: it counts where an API
    /// names it.
    pub fn read(files: &[File], fetch: &mut Fetch<'_>) -> Self {
        let mut manifest = Self::default();
        let mut documents = Vec::new();
        for file in files {
            let (nodes, flaws) = read(&file.text);
            if nodes.iter().all(is_openapi) && !nodes.is_empty() {
                documents.push(file.name.clone());
                continue;
            }
            let first = manifest.faults.len();
            for flaw in flaws {
                let fault = Fault::at(&file.name, flaw.place, flaw.message);
                manifest.faults.push(Fault { field: dotted(&flaw.pointer), ..fault });
            }
            for node in nodes {
                match node.content {
                    Content::Null => {}
                    Content::List(items) => {
                        items.into_iter().for_each(|item| manifest.take(&file.name, item, fetch));
                    }
                    _ => manifest.take(&file.name, node, fetch),
                }
            }
            manifest.faults[first..].sort_by_key(|fault| (fault.line, fault.column));
        }
        let used: Vec<&str> =
            manifest.places.values().flatten().filter_map(|placed| placed.document.as_deref()).collect();
        documents.retain(|name| !used.contains(&name.as_str()));
        manifest.unused_documents = documents;
        manifest
    }

    fn take(&mut self, file: &str, node: Node, fetch: &mut Fetch<'_>) {
        let Some(read) = resource(file, &node, &mut self.faults) else { return };
        let mut placed = Placed { file: file.to_owned(), label: read.label, node, document: None };
        let place = placed.node.place_of("/slug");
        // A label without a blank names no resource: its slug is missing, which was said.
        if placed.label.contains(' ') {
            if let Some(first) = self.names.get(&placed.label) {
                let fault = Fault::at(file, place, format!("declared twice; the first is at {first}"));
                self.faults.push(Fault { resource: placed.label, field: "slug".to_owned(), ..fault });
                return;
            }
            self.names.insert(placed.label.clone(), format!("{file}:{}", place.line));
        }
        let Some(mut value) = read.value else { return };
        if let Some(document) = value.get_mut("document") {
            *document = match document.take() {
                Value::String(path) => match fetch(file, &path) {
                    Ok(found) => {
                        placed.document = Some(found.name);
                        Value::String(found.text)
                    }
                    Err(message) => {
                        let place = placed.node.place_of("/document");
                        let fault = Fault::at(file, place, message);
                        let field = "document".to_owned();
                        self.faults.push(Fault { resource: placed.label, field, ..fault });
                        return;
                    }
                },
                inline => Value::String(inline.to_string()),
            };
        }
        if let Err(error) = keep(&mut self.state, read.kind, value) {
            let fault = Fault::at(file, placed.node.place, error.to_string());
            self.faults.push(Fault { resource: placed.label, ..fault });
            return;
        }
        self.places.entry(read.kind.name).or_default().push(placed);
    }

    /// A fault of the state, by its JSON Pointer (`/plans/0/limits/1/amount`), as one of the file that says so.
    #[must_use]
    pub fn place(&self, pointer: &str, message: &str) -> Fault {
        let mut steps = pointer.splitn(4, '/').skip(1);
        let list = steps.next().unwrap_or_default();
        let kind = KINDS.iter().find(|kind| kind.is_listed_as(list)).map_or("", |kind| kind.name);
        let index = steps.next().and_then(|index| index.parse::<usize>().ok());
        let rest = steps.next().map(|rest| format!("/{rest}")).unwrap_or_default();
        let placed = index.and_then(|index| self.places.get(kind)?.get(index));
        let Some(placed) = placed else {
            let fault = Fault::at("", crate::node::Place { line: 0, column: 0 }, message);
            return Fault { line: None, column: None, ..fault };
        };
        let resource = placed.label.clone();
        let Some(inside) = rest.strip_prefix("/document") else {
            let fault = Fault::at(&placed.file, placed.node.place_of(&rest), message);
            return Fault { resource, field: dotted(&rest), ..fault };
        };
        // The document's reader tells lines of the text that it was given.
        let (line, message) = match message.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
            Some((line, rest)) if line.parse::<u32>().is_ok() => (line.parse().ok(), rest),
            _ => (None, message),
        };
        let message = if inside.is_empty() { message.to_owned() } else { format!("at {inside}: {message}") };
        let field = "document".to_owned();
        match &placed.document {
            Some(file) => Fault { file: file.clone(), line, column: None, resource, field, message },
            None => {
                let fault = Fault::at(&placed.file, placed.node.place_of(&rest), message);
                Fault { resource, field, ..fault }
            }
        }
    }

    /// How many resources were declared without faults.
    #[must_use]
    pub fn len(&self) -> usize {
        let State { services, apis, products, plans, policies, portals, pages } = &self.state;
        let singles = policies.len() + portals.len();
        services.len() + apis.len() + products.len() + plans.len() + singles + pages.len()
    }

    /// Whether nothing was declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn is_openapi(node: &Node) -> bool {
    node.member("kind").is_none() && (node.member("openapi").is_some() || node.member("swagger").is_some())
}

/// Adds a checked resource to the state.
fn keep(state: &mut State, kind: &Kind, value: Value) -> Result<(), serde_json::Error> {
    fn add<T: DeserializeOwned>(to: &mut Vec<T>, value: Value) -> Result<(), serde_json::Error> {
        to.push(serde_json::from_value(value)?);
        Ok(())
    }
    match kind.name {
        "service" => add(&mut state.services, value),
        "api" => add(&mut state.apis, value),
        "product" => add(&mut state.products, value),
        "plan" => add(&mut state.plans, value),
        "policies" => add(&mut state.policies, value),
        "portal" => add(&mut state.portals, value),
        _ => add(&mut state.pages, value),
    }
}
