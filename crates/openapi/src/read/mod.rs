//! From text to plain values: JSON and YAML, with bounds, and with places for faults.
//!
//! Both readers are iterative and yield the same events to one builder, so that depth, size, duplicate keys
//! and aliases are bounded in one place and no input can exhaust the stack.

mod event;
mod json;
mod scalar;
mod tree;
mod yaml;

use serde_json::Value;

use crate::Fault;
use event::{Events, Place};
pub(crate) use tree::DEPTH_MAX;
use tree::Tree;

/// The longest text that is read, in bytes.
pub const TEXT_BYTES_MAX: usize = 20 * 1024 * 1024;

/// Reads a text as JSON where it begins like JSON, else as YAML.
pub(crate) fn read(text: &str) -> Result<Value, Fault> {
    let text = opened(text)?;
    let mut tree = Tree::new(&[]);
    match run(text, &mut tree) {
        Ok(()) => tree.into_value(),
        Err((message, place)) => {
            let (line, column) = place.resolve(text);
            Err(Fault { pointer: tree.path(), line: Some(line), column: Some(column), message })
        }
    }
}

/// Fills in the lines of faults by reading the text again; a pointer that is not in the text (it came from an
/// alias, or a member is missing) takes the place of its nearest ancestor.
pub(crate) fn locate(text: &str, faults: &mut [Fault]) {
    let Ok(text) = opened(text) else { return };
    let wanted: Vec<&str> = faults.iter().map(|f| f.pointer.as_str()).collect();
    let mut tree = Tree::new(&wanted);
    // The text was read once without an error; what was found before any error is good enough here.
    let _ = run(text, &mut tree);
    let places: Vec<Option<Place>> = faults.iter().map(|f| tree.place_of(&f.pointer)).collect();
    for (fault, place) in faults.iter_mut().zip(places) {
        if let Some((line, column)) = place.map(|p| p.resolve(text)) {
            fault.line = Some(line);
            fault.column = Some(column);
        }
    }
}

fn run(text: &str, tree: &mut Tree) -> Result<(), (String, Place)> {
    if text.trim_start().starts_with(['{', '[']) {
        pump(&mut json::Reader::new(text), tree)
    } else {
        pump(&mut yaml::Reader::new(text), tree)
    }
}

fn pump<'a>(events: &mut impl Events<'a>, tree: &mut Tree) -> Result<(), (String, Place)> {
    while let Some((event, place)) = events.next()? {
        tree.take(event, place).map_err(|message| (message, place))?;
    }
    Ok(())
}

/// The text without its byte order mark, refused where it cannot be an OpenAPI document at all.
fn opened(text: &str) -> Result<&str, Fault> {
    if text.len() > TEXT_BYTES_MAX {
        let message =
            format!("the text has {} bytes; at most {TEXT_BYTES_MAX} (20 MiB) are read", text.len());
        return Err(Fault::at("", message));
    }
    let text = text.trim_start_matches('\u{feff}');
    let first = |message: &str| Fault { line: Some(1), column: Some(1), ..Fault::at("", message) };
    match text.trim_start().chars().next() {
        None => Err(first("the document is empty; expected an OpenAPI document in JSON or YAML")),
        Some('<') => Err(first(
            "this is HTML or XML, not an OpenAPI document; expected JSON or YAML. Is it the page around the \
             document, or a login page?",
        )),
        Some(_) => Ok(text),
    }
}
