//! Builds a value from events, within bounds, and remembers the places that were asked for.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::event::{Event, Place, Style};
use super::scalar::{checked, resolve, short};
use crate::{Fault, pointer};

/// How deep objects and arrays may nest.
pub(crate) const DEPTH_MAX: usize = 200;
/// How many values a document may hold, copies made by aliases included.
const VALUES_MAX: usize = 2_000_000;
/// What all anchors and aliases together may copy, in bytes: far above any honest document, far below a bomb.
const COPIED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What one value is reckoned to cost besides its text.
const VALUE_BYTES: usize = 64;

/// Size of a value: how many values it holds, how many bytes it takes, and how deep it nests.
#[derive(Clone, Copy, Default)]
struct Weight {
    values: usize,
    bytes: usize,
    depth: usize,
}

/// A key whose value is on its way.
struct Key {
    text: String,
    /// YAML's `<<`: its value is merged.
    merges: bool,
}

enum Open {
    Object { map: Map<String, Value>, key: Option<Key>, merges: Vec<Value> },
    Array(Vec<Value>),
}

struct Frame {
    open: Open,
    anchor: usize,
    weight: Weight,
    /// Length of `path` at this collection itself.
    path_len: usize,
}

/// A document under construction.
pub(super) struct Tree {
    frames: Vec<Frame>,
    path: String,
    root: Option<Value>,
    anchors: HashMap<usize, (Value, Weight)>,
    values: usize,
    copied: usize,
    wanted: HashSet<String>,
    places: HashMap<String, Place>,
}

impl Tree {
    /// Remembers the places of these pointers and their ancestors.
    pub(super) fn new(pointers: &[&str]) -> Self {
        let mut wanted = HashSet::new();
        for pointer in pointers {
            wanted.insert((*pointer).to_owned());
            wanted.extend(pointer.match_indices('/').map(|(at, _)| pointer[..at].to_owned()));
        }
        Self {
            frames: Vec::new(),
            path: String::new(),
            root: None,
            anchors: HashMap::new(),
            values: 0,
            copied: 0,
            wanted,
            places: HashMap::new(),
        }
    }

    /// Where the reading stands.
    pub(super) fn path(&self) -> String {
        self.path.clone()
    }

    /// The place of a pointer, or of its nearest ancestor.
    pub(super) fn place_of(&self, pointer: &str) -> Option<Place> {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.places.get(pointer) {
                return Some(*place);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }

    /// The finished document.
    pub(super) fn into_value(self) -> Result<Value, Fault> {
        self.root.ok_or_else(|| Fault::at("", "the document is empty; expected an OpenAPI document"))
    }

    /// Takes one event; an error says what is wrong with it.
    pub(super) fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), String> {
        match event {
            Event::End => self.end(),
            Event::Scalar { text, style, .. } if self.wants_key() => self.key(text, style, place),
            _ if self.wants_key() => {
                Err("expected a simple word as key, found a collection or an alias".to_owned())
            }
            Event::Scalar { text, style, anchor } => {
                self.step(place);
                let weight = Weight { values: 1, bytes: VALUE_BYTES + text.len(), depth: 0 };
                let value = resolve(text, style)?;
                self.put(value, weight, anchor)
            }
            Event::Object { anchor } => {
                self.step(place);
                self.open(Open::Object { map: Map::new(), key: None, merges: Vec::new() }, anchor)
            }
            Event::Array { anchor } => {
                self.step(place);
                self.open(Open::Array(Vec::new()), anchor)
            }
            Event::Alias { anchor } => {
                self.step(place);
                let Some((_, weight)) = self.anchors.get(&anchor) else {
                    return Err(
                        "this alias stands inside the value that it repeats; expected a finite document"
                            .into(),
                    );
                };
                let weight = *weight;
                self.copy(weight)?;
                if self.frames.len() + weight.depth > DEPTH_MAX {
                    return Err(too_deep());
                }
                let value = self.anchors.get(&anchor).map(|(value, _)| value.clone()).unwrap_or_default();
                self.put(value, weight, 0)
            }
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { open: Open::Object { key: None, .. }, .. }))
    }

    /// Notes where a key stands; its value is then on its way.
    fn key(&mut self, text: Cow<'_, str>, style: Style, place: Place) -> Result<(), String> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        self.path.truncate(frame.path_len);
        self.path.push('/');
        self.path.push_str(&pointer::escape(&text));
        if let Open::Object { map, key, .. } = &mut frame.open {
            let merges = style == Style::Plain && text == "<<";
            if !merges && map.contains_key(text.as_ref()) {
                return Err(format!("the key `{}` is here twice; expected each key once", short(&text)));
            }
            checked(&text)?;
            frame.weight.bytes += text.len();
            *key = Some(Key { text: text.into_owned(), merges });
        }
        self.remember(place);
        Ok(())
    }

    /// Notes where a value without a key of its own stands.
    fn step(&mut self, place: Place) {
        if let Some(Frame { open: Open::Array(items), path_len, .. }) = self.frames.last() {
            self.path.truncate(*path_len);
            self.path.push('/');
            self.path.push_str(&items.len().to_string());
            self.remember(place);
        } else if self.frames.is_empty() {
            self.remember(place);
        }
    }

    fn remember(&mut self, place: Place) {
        if self.wanted.contains(&self.path) {
            self.places.insert(self.path.clone(), place);
        }
    }

    fn open(&mut self, open: Open, anchor: usize) -> Result<(), String> {
        if self.frames.len() >= DEPTH_MAX {
            return Err(too_deep());
        }
        let weight = Weight { values: 1, bytes: VALUE_BYTES, depth: 0 };
        self.frames.push(Frame { open, anchor, weight, path_len: self.path.len() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        self.path.truncate(frame.path_len);
        let mut weight = frame.weight;
        weight.depth += 1;
        let value = match frame.open {
            Open::Array(items) => Value::Array(items),
            Open::Object { mut map, merges, .. } => {
                for merge in merges {
                    merge_into(&mut map, merge)?;
                }
                Value::Object(map)
            }
        };
        self.put(value, weight, frame.anchor)
    }

    /// Puts a finished value where it belongs.
    fn put(&mut self, value: Value, weight: Weight, anchor: usize) -> Result<(), String> {
        // A collection's own members were counted when they were put.
        self.values += if weight.depth == 0 { weight.values } else { 1 };
        if self.values > VALUES_MAX {
            return Err(format!("more than {VALUES_MAX} values in one document; split it"));
        }
        if anchor != 0 {
            self.copy(weight)?;
            self.anchors.insert(anchor, (value.clone(), weight));
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        frame.weight.values += weight.values;
        frame.weight.bytes += weight.bytes;
        frame.weight.depth = frame.weight.depth.max(weight.depth);
        self.path.truncate(frame.path_len);
        match &mut frame.open {
            Open::Array(items) => items.push(value),
            Open::Object { map, key, merges } => match key.take() {
                Some(Key { merges: true, .. }) => merges.push(value),
                Some(Key { text, .. }) => {
                    map.insert(text, value);
                }
                None => return Err("expected a key before this value".to_owned()),
            },
        }
        Ok(())
    }

    /// Accounts for a copy, so that a few lines cannot grow into gigabytes.
    fn copy(&mut self, weight: Weight) -> Result<(), String> {
        self.copied += weight.bytes;
        self.values += weight.values;
        if self.copied > COPIED_BYTES_MAX || self.values > VALUES_MAX {
            return Err(
                "the aliases of this document repeat more than 16 MiB; write the values out or use $ref"
                    .into(),
            );
        }
        Ok(())
    }
}

/// YAML's `<<`: members that the object does not have itself.
fn merge_into(map: &mut Map<String, Value>, merge: Value) -> Result<(), String> {
    match merge {
        Value::Object(members) => {
            for (key, value) in members {
                map.entry(key).or_insert(value);
            }
            Ok(())
        }
        Value::Array(items) if items.iter().all(Value::is_object) => {
            items.into_iter().try_for_each(|item| merge_into(map, item))
        }
        _ => Err("expected an object, or a list of objects, after the merge key `<<`".to_owned()),
    }
}

fn too_deep() -> String {
    format!("nested deeper than {DEPTH_MAX} levels; expected a flatter document")
}
