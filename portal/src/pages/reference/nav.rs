//! The way through an API's reference: operations by tag, webhooks and schemas.

use askama::Template;
use tollgate_openapi::{Document, Operation};

use super::Place;
use crate::filters;
use crate::say::t;

/// How many operations are listed at once; of more, only those beside the reader's.
const LISTED_MAX: usize = 60;
/// How many schemas are listed at once.
const SCHEMAS_MAX: usize = 40;
/// From how many operations on a document without tags is divided by paths.
const UNTAGGED_MAX: usize = 20;

/// An operation in a list.
pub struct Line {
    pub href: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub deprecated: bool,
    pub current: bool,
}

/// Operations that belong together.
pub struct TagSection {
    /// The title above this section and those after it (`x-tagGroups`); empty where it does not begin any.
    pub group: String,
    pub name: String,
    pub anchor: String,
    pub description: String,
    pub lines: Vec<Line>,
}

/// Operations by tag in the document's order; those without a tag come last. A large document without tags is
/// divided by the first step of its paths.
#[must_use]
pub fn tag_sections(place: &Place, document: &Document, current: &str) -> Vec<TagSection> {
    let all = document.operations();
    let line = |operation: &Operation| Line {
        href: place.operation(&operation.operation_id),
        method: operation.method.clone(),
        path: operation.path.clone(),
        summary: operation.summary.clone(),
        deprecated: operation.deprecated,
        current: operation.operation_id == current,
    };
    let section = |name: &str, description: &str, lines: Vec<Line>| TagSection {
        group: String::new(),
        anchor: anchor(name),
        name: name.to_owned(),
        description: description.lines().next().unwrap_or_default().to_owned(),
        lines,
    };
    let with = |wanted: &str| -> Vec<Line> {
        all.iter().filter(|one| one.tags.first().is_some_and(|tag| tag == wanted)).map(line).collect()
    };
    let mut sections: Vec<TagSection> =
        document.tags().iter().map(|tag| section(&tag.name, &tag.description, with(&tag.name))).collect();
    let untagged: Vec<&Operation> = all.iter().filter(|one| one.tags.is_empty()).collect();
    if untagged.len() > UNTAGGED_MAX {
        let mut names: Vec<&str> = Vec::new();
        for operation in &untagged {
            let name = first_step(&operation.path);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for name in names {
            let lines = untagged.iter().filter(|one| first_step(&one.path) == name).map(|one| line(one));
            sections.push(section(name, "", lines.collect()));
        }
    } else {
        sections.push(section(t("side-operations"), "", untagged.into_iter().map(line).collect()));
    }
    sections.retain(|section| !section.lines.is_empty());
    grouped(document, sections)
}

/// The first step of a path that is not a parameter.
fn first_step(path: &str) -> &str {
    path.split('/').find(|step| !step.is_empty() && !step.starts_with('{')).unwrap_or(t("side-operations"))
}

/// Sections in the order of `x-tagGroups`, the first of each with the group's title; others after them.
fn grouped(document: &Document, mut sections: Vec<TagSection>) -> Vec<TagSection> {
    let mut ordered = Vec::with_capacity(sections.len());
    let groups = document.tag_groups();
    for group in &groups {
        let mut title = group.name.clone();
        for tag in &group.tags {
            let Some(at) = sections.iter().position(|section| section.name == *tag) else { continue };
            let section = sections.remove(at);
            ordered.push(TagSection { group: std::mem::take(&mut title), ..section });
        }
    }
    if let Some(first) = sections.first_mut().filter(|_| !groups.is_empty()) {
        t("side-more").clone_into(&mut first.group);
    }
    ordered.append(&mut sections);
    ordered
}

/// An id for links to a section.
fn anchor(name: &str) -> String {
    let mut out = "tag-".to_owned();
    for c in name.chars() {
        out.push(if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    }
    out
}

/// A section in the side navigation: its operations, or the way to them.
pub struct SideSection {
    pub group: String,
    pub name: String,
    pub lines: Vec<Line>,
    pub elsewhere: Option<(String, usize)>,
}

/// A link of the side navigation.
pub struct SideLink {
    pub href: String,
    pub text: String,
    pub current: bool,
}

#[derive(Template)]
#[template(path = "reference/side.html")]
pub struct Side {
    pub api: String,
    pub overview: SideLink,
    pub sections: Vec<SideSection>,
    pub webhooks: Vec<SideLink>,
    pub schemas: Vec<SideLink>,
    pub all_schemas: Option<(String, usize)>,
}

/// Which page of a reference is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Current {
    Overview,
    Operation(String),
    Webhook(String),
    Schema(String),
    Schemas,
}

/// The navigation beside a page.
#[must_use]
pub fn side(place: &Place, api: &str, document: &Document, current: &Current) -> Side {
    let operation = if let Current::Operation(id) = current { id.as_str() } else { "" };
    let all = document.operations().len() <= LISTED_MAX;
    let sections = tag_sections(place, document, operation).into_iter().map(|section| {
        let open = all || section.lines.iter().any(|line| line.current);
        let href = format!("{}#{}", place.overview(), section.anchor);
        SideSection {
            elsewhere: (!open).then_some((href, section.lines.len())),
            group: section.group,
            name: section.name,
            lines: if open { section.lines } else { Vec::new() },
        }
    });
    let schema_link = |name: &str| SideLink {
        href: place.schema(name),
        text: name.to_owned(),
        current: *current == Current::Schema(name.to_owned()),
    };
    let names: Vec<&str> = document.schema_names().collect();
    let listed = names.len() <= SCHEMAS_MAX;
    Side {
        api: api.to_owned(),
        overview: SideLink {
            href: place.overview(),
            text: t("side-overview").into(),
            current: *current == Current::Overview,
        },
        sections: sections.collect(),
        webhooks: document
            .webhooks()
            .iter()
            .map(|one| SideLink {
                href: place.webhook(&one.operation_id),
                text: one.summary.clone(),
                current: *current == Current::Webhook(one.operation_id.clone()),
            })
            .collect(),
        schemas: names
            .iter()
            .filter(|name| listed || *current == Current::Schema((**name).to_owned()))
            .map(|name| schema_link(name))
            .collect(),
        all_schemas: (!listed).then(|| (place.schemas(), names.len())),
    }
}
