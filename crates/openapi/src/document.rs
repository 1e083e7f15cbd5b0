//! A document that was read, checked and lifted, and what it offers.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::check::{check, dialect, resolve};
use crate::detail::detail;
use crate::example::{Side, example};
use crate::kind::{Dialect, METHODS};
use crate::lift::lift;
use crate::read::{DEPTH_MAX, locate, read};
use crate::shape::{ROWS_PER_SCHEMA, shape};
use crate::view::{Operation, OperationDetail, Server, Shape, Tag, TagGroup};
use crate::{Fault, schema, uses};

/// An OpenAPI 3.1 document without faults.
#[derive(Debug, Clone)]
pub struct Document {
    root: Value,
    written_in: Dialect,
    operations: Vec<Operation>,
    by_id: HashMap<String, usize>,
    webhooks: Vec<Operation>,
    /// Made when it is first asked for.
    uses: OnceLock<HashMap<String, Vec<usize>>>,
}

impl Document {
    /// Reads JSON or YAML of OpenAPI 3.1, 3.0 or Swagger 2.0.
    ///
    /// # Errors
    /// Everything that is wrong with it, with pointers and lines, at most fifty; never an empty list.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let root = read(text).map_err(|fault| vec![fault])?;
        Self::from_value(root).map_err(|mut faults| {
            locate(text, &mut faults);
            faults
        })
    }

    /// Takes a document that was parsed elsewhere: what [`Document::value`] gave to storage, say.
    ///
    /// # Errors
    /// Everything that is wrong with it, with pointers but without lines.
    pub fn from_value(root: Value) -> Result<Self, Vec<Fault>> {
        let written_in = dialect(&root).map_err(|fault| vec![fault])?;
        let refuse = |faults: Vec<Fault>| if faults.is_empty() { Ok(()) } else { Err(faults) };
        refuse(check(&root, written_in))?;
        let root = lift(root, written_in);
        if written_in != Dialect::V31 {
            // What is stored must be readable again: lifting nests deeper and moves what references point to.
            let mut faults = check(&root, Dialect::V31);
            if depth(&root) > DEPTH_MAX {
                faults.push(Fault::at("", format!("nested deeper than {DEPTH_MAX} levels")));
            }
            for fault in &mut faults {
                fault.message = format!("after lifting to OpenAPI 3.1: {}", fault.message);
            }
            refuse(faults)?;
        }
        let operations = list(&root, "paths");
        let by_id = operations.iter().enumerate().map(|(at, o)| (o.operation_id.clone(), at)).collect();
        let webhooks = list(&root, "webhooks");
        Ok(Self { root, written_in, operations, by_id, webhooks, uses: OnceLock::new() })
    }

    /// The document as OpenAPI 3.1, its order kept. Store it as text or `json`: `jsonb` forgets the order.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.root
    }

    /// The specification it was written for, before it was lifted.
    #[must_use]
    pub const fn written_in(&self) -> Dialect {
        self.written_in
    }

    /// Its name.
    #[must_use]
    pub fn title(&self) -> &str {
        self.info("title")
    }

    /// The version of the API, as its author counts.
    #[must_use]
    pub fn version(&self) -> &str {
        self.info("version")
    }

    /// CommonMark; may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        self.info("description")
    }

    fn info(&self, key: &str) -> &str {
        self.root["info"][key].as_str().unwrap_or_default()
    }

    /// The addresses it names, variables replaced by their defaults.
    #[must_use]
    pub fn servers(&self) -> Vec<Server> {
        let servers = self.root.get("servers").and_then(Value::as_array).into_iter().flatten();
        servers
            .map(|server| {
                let mut url = server["url"].as_str().unwrap_or_default().to_owned();
                for (name, variable) in server["variables"].as_object().into_iter().flatten() {
                    let default = variable["default"].as_str().unwrap_or_default();
                    url = url.replace(&format!("{{{name}}}"), default);
                }
                Server { url, description: server["description"].as_str().unwrap_or_default().to_owned() }
            })
            .collect()
    }

    /// Groups in the order they are shown: those the document describes, then others in order of use.
    #[must_use]
    pub fn tags(&self) -> Vec<Tag> {
        let described = self.root.get("tags").and_then(Value::as_array).into_iter().flatten();
        let text = |tag: &Value, key: &str| tag[key].as_str().unwrap_or_default().to_owned();
        let mut tags: Vec<Tag> = described
            .map(|tag| Tag { name: text(tag, "name"), description: text(tag, "description") })
            .collect();
        let mut seen: HashSet<String> = tags.iter().map(|tag| tag.name.clone()).collect();
        for name in self.operations.iter().flat_map(|operation| &operation.tags) {
            if seen.insert(name.clone()) {
                tags.push(Tag { name: name.clone(), description: String::new() });
            }
        }
        tags
    }

    /// Every operation, in the order of the document.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// All of one operation, made when it is asked for.
    #[must_use]
    pub fn operation(&self, operation_id: &str) -> Option<OperationDetail> {
        let operation = self.operations.get(*self.by_id.get(operation_id)?)?;
        let item = resolve(&self.root, self.root.get("paths")?.get(&operation.path)?);
        Some(detail(&self.root, item, operation))
    }

    /// What the API sends to addresses of its callers; the name of each stands as its path.
    #[must_use]
    pub fn webhooks(&self) -> &[Operation] {
        &self.webhooks
    }

    /// All of one webhook.
    #[must_use]
    pub fn webhook(&self, operation_id: &str) -> Option<OperationDetail> {
        let webhook = self.webhooks.iter().find(|one| one.operation_id == operation_id)?;
        let item = resolve(&self.root, self.root.get("webhooks")?.get(&webhook.path)?);
        Some(detail(&self.root, item, webhook))
    }

    /// Tags in groups, where the author made any (`x-tagGroups`).
    #[must_use]
    pub fn tag_groups(&self) -> Vec<TagGroup> {
        let groups = self.root.get("x-tagGroups").and_then(Value::as_array).into_iter().flatten();
        groups
            .map(|group| TagGroup {
                name: group["name"].as_str().unwrap_or_default().to_owned(),
                tags: group["tags"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            })
            .filter(|group| !group.name.is_empty())
            .collect()
    }

    /// Names of the schemas among the components.
    pub fn schema_names(&self) -> impl Iterator<Item = &str> {
        self.schemas().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// One schema among the components, for reading.
    #[must_use]
    pub fn schema(&self, name: &str) -> Option<Shape> {
        let mut view = shape(&self.root, self.schemas()?.get(name)?, &mut { ROWS_PER_SCHEMA });
        name.clone_into(&mut view.name);
        Some(view)
    }

    /// What a value of a schema looks like, given or made.
    #[must_use]
    pub fn schema_example(&self, name: &str) -> Option<Value> {
        example(&self.root, self.schemas()?.get(name)?, Side::Response)
    }

    /// Operations that name a schema, in their order.
    #[must_use]
    pub fn operations_with(&self, schema: &str) -> Vec<&Operation> {
        let uses = self.uses.get_or_init(|| uses::index(&self.root, &self.operations));
        uses.get(schema).into_iter().flatten().filter_map(|at| self.operations.get(*at)).collect()
    }

    fn schemas(&self) -> Option<&Map<String, Value>> {
        self.root.get("components")?.get("schemas")?.as_object()
    }

    /// A schema's type in words, by its pointer in [`Document::value`]: `array of Country`, `string (date-time)`.
    #[must_use]
    pub fn schema_summary(&self, pointer: &str) -> Option<String> {
        self.root.pointer(pointer).map(|value| schema::words(&self.root, value))
    }
}

/// How deep objects and arrays nest; bounded by the reader and what lifting adds.
fn depth(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    1 + below.unwrap_or(0)
}

/// Headers of all operations; ids are given, else derived from method and path.
fn list(root: &Value, within: &str) -> Vec<Operation> {
    let items = root.get(within).and_then(Value::as_object).into_iter().flatten();
    let mut operations = Vec::new();
    for (path, item) in items.filter(|(path, _)| within != "paths" || path.starts_with('/')) {
        let item = resolve(root, item);
        for (method, operation) in item.as_object().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) && operation.is_object() {
                operations.push(header(path, method, item, operation));
            }
        }
    }
    let given: HashSet<String> =
        operations.iter().map(|o| o.operation_id.clone()).filter(|id| !id.is_empty()).collect();
    let mut taken = given;
    for operation in &mut operations {
        if operation.operation_id.is_empty() {
            let derived = derived_id(&operation.method, &operation.path);
            let mut id = derived.clone();
            let mut count = 1;
            while !taken.insert(id.clone()) {
                count += 1;
                id = format!("{derived}-{count}");
            }
            operation.operation_id = id;
        }
        if operation.summary.is_empty() {
            operation.summary.clone_from(&operation.operation_id);
        }
    }
    operations
}

pub(crate) fn header(path: &str, method: &str, item: &Value, operation: &Value) -> Operation {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().trim().to_owned();
    let summary =
        Some(text(operation, "summary")).filter(|s| !s.is_empty()).unwrap_or_else(|| text(item, "summary"));
    let tags = operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Operation {
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        operation_id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
        summary,
        tags: tags.map(str::to_owned).collect(),
        deprecated: operation["deprecated"].as_bool().unwrap_or(false),
    }
}

/// `GET /countries/{code}` is `get-countries-code`.
fn derived_id(method: &str, path: &str) -> String {
    let mut id = method.to_ascii_lowercase();
    for word in path.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()) {
        id.push('-');
        id.push_str(word);
    }
    id.chars().take(200).collect()
}

impl std::str::FromStr for Document {
    type Err = Vec<Fault>;

    fn from_str(text: &str) -> Result<Self, Vec<Fault>> {
        Self::parse(text)
    }
}
