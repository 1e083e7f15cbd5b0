//! From YAML text to trees, within bounds; whatever the text, reading it ends quickly.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use crate::node::{Content, Member, Node, Place};
use crate::scalar::resolve;

/// The longest text that is read, in bytes.
pub const TEXT_BYTES_MAX: usize = 20 * 1024 * 1024;
/// How deep mappings and lists may nest.
const DEPTH_MAX: usize = 100;
/// How many values a file may hold, copies made by aliases included.
const VALUES_MAX: usize = 1_000_000;

/// What is wrong with a text, and where.
pub struct Flaw {
    pub place: Place,
    /// JSON Pointer inside the YAML document that it stands in.
    pub pointer: String,
    pub message: String,
}

enum Open {
    List(Vec<Node>),
    Map { members: Vec<Member>, lines: HashMap<String, u32>, key: Option<(String, Place)> },
}

/// How many values a node holds, itself included, and how deep it nests.
#[derive(Clone, Copy)]
struct Weight {
    values: usize,
    depth: usize,
}

struct Frame {
    open: Open,
    place: Place,
    anchor: usize,
    weight: Weight,
}

#[derive(Default)]
struct Builder {
    frames: Vec<Frame>,
    anchors: HashMap<usize, (Node, Weight)>,
    values: usize,
    documents: Vec<Node>,
    flaws: Vec<Flaw>,
}

/// The YAML documents of a text, and every flaw of theirs. After a flaw of syntax the rest of the text is not read.
pub fn read(text: &str) -> (Vec<Node>, Vec<Flaw>) {
    let mut builder = Builder::default();
    if text.len() > TEXT_BYTES_MAX {
        let message =
            format!("the file has {} bytes; at most {TEXT_BYTES_MAX} (20 MiB) are read", text.len());
        builder.flaw(Place { line: 1, column: 1 }, message);
        return (builder.documents, builder.flaws);
    }
    let mut parser = Parser::new_from_str(text.trim_start_matches('\u{feff}'));
    loop {
        match parser.next_event() {
            None => break,
            Some(Ok((event, span))) => {
                let place = place(span);
                if let Err(message) = builder.take(event, place) {
                    builder.flaw(place, message);
                    break;
                }
            }
            Some(Err(error)) => {
                let mark = error.marker();
                let place = Place { line: clamp(mark.line()), column: clamp(mark.col() + 1) };
                builder.flaw(place, format!("not valid YAML: {}", error.info()));
                break;
            }
        }
    }
    (builder.documents, builder.flaws)
}

fn clamp(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn place(span: Span) -> Place {
    Place { line: clamp(span.start.line()), column: clamp(span.start.col() + 1) }
}

/// A scalar's meaning by how it was written.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Content, String> {
    let plain = match tag {
        None => style == ScalarStyle::Plain,
        Some(tag) if tag.is_yaml_core_schema() => tag.suffix != "str",
        Some(tag) if tag.suffix.is_empty() => false,
        Some(tag) => return Err(format!("the YAML tag `{tag}` has no meaning here; leave it out")),
    };
    if text.contains('\0') {
        return Err("a NUL character stands in this text; take it out".to_owned());
    }
    Ok(if plain { resolve(text) } else { Content::Text(text.to_owned()) })
}

impl Builder {
    fn flaw(&mut self, place: Place, message: String) {
        let mut pointer = String::new();
        for frame in &self.frames {
            match &frame.open {
                Open::List(items) => pointer.push_str(&format!("/{}", items.len())),
                Open::Map { key: Some((key, _)), .. } => {
                    pointer.push('/');
                    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                }
                Open::Map { key: None, .. } => {}
            }
        }
        self.flaws.push(Flaw { place, pointer, message });
    }

    /// Takes one event; an error ends the reading.
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), String> {
        match event {
            Event::MappingStart(anchor, _) => {
                self.open(Open::Map { members: Vec::new(), lines: HashMap::new(), key: None }, place, anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(Open::List(Vec::new()), place, anchor),
            Event::MappingEnd | Event::SequenceEnd => self.close(),
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(Frame { open: Open::Map { key: key @ None, .. }, .. }) = self.frames.last_mut() {
                    *key = Some((text.into_owned(), place));
                    return Ok(());
                }
                let content = scalar(&text, style, tag.as_deref())?;
                self.put(Node { place, content }, Weight { values: 1, depth: 0 }, anchor)
            }
            Event::Alias(anchor) => {
                self.refuse_as_key()?;
                let Some((node, weight)) = self.anchors.get(&anchor) else {
                    return Err("this alias stands inside the value that it repeats".to_owned());
                };
                let weight = *weight;
                if self.frames.len() + weight.depth > DEPTH_MAX {
                    return Err(too_deep());
                }
                let node = Node { place, content: node.content.clone() };
                self.count(weight)?;
                self.put(node, weight, 0)
            }
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn refuse_as_key(&self) -> Result<(), String> {
        match self.frames.last() {
            Some(Frame { open: Open::Map { key: None, .. }, .. }) => {
                Err("expected a simple word as key, found a collection or an alias".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, open: Open, place: Place, anchor: usize) -> Result<(), String> {
        self.refuse_as_key()?;
        if self.frames.len() >= DEPTH_MAX {
            return Err(too_deep());
        }
        self.frames.push(Frame { open, place, anchor, weight: Weight { values: 1, depth: 0 } });
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let content = match frame.open {
            Open::List(items) => Content::List(items),
            Open::Map { members, .. } => Content::Map(members),
        };
        let weight = Weight { depth: frame.weight.depth + 1, ..frame.weight };
        self.put(Node { place: frame.place, content }, weight, frame.anchor)
    }

    /// Accounts for a copy, so that a few lines cannot grow into gigabytes.
    fn count(&mut self, copied: Weight) -> Result<(), String> {
        self.values += copied.values;
        if self.values > VALUES_MAX {
            return Err(format!("more than {VALUES_MAX} values in one file; split it"));
        }
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn put(&mut self, node: Node, weight: Weight, anchor: usize) -> Result<(), String> {
        // A collection's members were counted when they were put.
        self.count(Weight { values: 1, depth: 0 })?;
        if anchor != 0 {
            self.count(weight)?;
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        let Some(frame) = self.frames.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        frame.weight.values += weight.values;
        frame.weight.depth = frame.weight.depth.max(weight.depth);
        match &mut frame.open {
            Open::List(items) => items.push(node),
            Open::Map { members, lines, key } => {
                let Some((key, place)) = key.take() else {
                    return Err("expected a key before this value".to_owned());
                };
                match lines.get(&key) {
                    Some(first) => {
                        let message = format!("the key `{key}` stands twice; the first is on line {first}");
                        self.flaw(place, message);
                    }
                    None => {
                        lines.insert(key.clone(), place.line);
                        members.push(Member { key, place, value: node });
                    }
                }
            }
        }
        Ok(())
    }
}

fn too_deep() -> String {
    format!("nested deeper than {DEPTH_MAX} levels")
}
