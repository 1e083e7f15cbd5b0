//! Numbers in answers, read while they pass: nothing is held back, and of a body nothing is kept but one key or number.
//!
//! A [`Scanner`] follows JSON just far enough to know where it is. It does not judge it: what is no JSON has no number
//! where the pointer leads. Bodies of several values (NDJSON) and streams of events (`text/event-stream`) are read value
//! by value; the last one that has the number says it.

use tollgate_domain::Metering;

/// Containers inside each other that are followed; what is deeper is not looked at.
const DEPTH_MAX: u32 = 128;
/// The longest key or number that is looked at.
const TOKEN_MAX: usize = 200;
/// The largest number that is taken: nothing in one answer is worth more.
const NUMBER_MAX: u64 = 1_000_000_000_000;

/// The steps of a pointer, unescaped.
type Steps = Box<[Box<[u8]>]>;

/// Where a number stands in an answer, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a JSON body: the steps of its pointer, unescaped.
    Json(Steps),
    /// In a header of this name, lower case.
    Header(Box<[u8]>),
}

impl Place {
    /// The steps of an RFC 6901 pointer.
    #[must_use]
    pub fn of_pointer(pointer: &str) -> Self {
        let unescaped = |step: &str| step.replace("~1", "/").replace("~0", "~").into_bytes().into();
        Self::Json(pointer.split('/').skip(1).map(unescaped).collect())
    }
}

/// A whole number as a header or JSON writes it: digits; decimals are cut off. Nothing else is a number: no sign, no
/// exponent, nothing beyond 10¹².
#[must_use]
pub fn number(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let (whole, decimals) = match text.iter().position(|byte| *byte == b'.') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !digits(whole) || whole.len() > 13 || decimals.is_some_and(|part| !digits(part)) {
        return None;
    }
    let number = whole.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    (number <= NUMBER_MAX).then_some(number)
}

/// What is expected next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A value, or the end of an array.
    Value,
    /// A key, or the end of an object.
    Key,
    Colon,
    /// A comma, or the end of the container.
    Comma,
    /// The rest of a string; whether it is a key.
    Text {
        key: bool,
    },
    /// What stands behind a backslash.
    Escape {
        key: bool,
    },
    /// The rest of a number or a word.
    Bare,
    /// Nothing more is read of this value.
    Lost,
}

/// Reads numbers at some places of JSON that comes in pieces.
#[derive(Debug)]
pub struct Scanner {
    places: Box<[Option<Steps>]>,
    /// For each place, how many of the open containers lead to it.
    on: [u32; Metering::READINGS_MAX],
    found: [Option<u64>; Metering::READINGS_MAX],
    next: Next,
    depth: u32,
    /// Whether each open container is an object, the innermost lowest.
    objects: u128,
    /// Which element the innermost container that leads to a place is at, by depth.
    elements: [u32; Metering::POINTER_DEPTH_MAX + 1],
    /// Whether the value that is expected stands at a place, or on the way to it.
    leads: [bool; Metering::READINGS_MAX],
    token: Vec<u8>,
    token_kept: bool,
}

impl Scanner {
    /// For the places that are in JSON; none where none is.
    #[must_use]
    pub fn new(places: &[Place]) -> Option<Self> {
        let steps = |place: &Place| match place {
            Place::Json(steps) => Some(steps.clone()),
            Place::Header(_) => None,
        };
        let places: Box<[_]> = places.iter().take(Metering::READINGS_MAX).map(steps).collect();
        if places.iter().all(Option::is_none) {
            return None;
        }
        let mut scanner = Self {
            places,
            on: [0; Metering::READINGS_MAX],
            found: [None; Metering::READINGS_MAX],
            next: Next::Value,
            depth: 0,
            objects: 0,
            elements: [0; Metering::POINTER_DEPTH_MAX + 1],
            leads: [false; Metering::READINGS_MAX],
            token: Vec::new(),
            token_kept: false,
        };
        scanner.begin();
        Some(scanner)
    }

    /// The numbers found so far.
    #[must_use]
    pub const fn found(&self) -> [Option<u64>; Metering::READINGS_MAX] {
        self.found
    }

    /// Begins another value; what was found stays until it says otherwise.
    pub fn begin(&mut self) {
        self.next = Next::Value;
        self.depth = 0;
        self.on = [0; Metering::READINGS_MAX];
        self.leads = std::array::from_fn(|at| self.steps(at).is_some());
        self.drop_token();
    }

    /// Reads the next piece.
    pub fn read(&mut self, mut piece: &[u8]) {
        while let Some((byte, rest)) = piece.split_first() {
            match self.next {
                Next::Lost => return,
                Next::Text { key } => {
                    let end = piece.iter().position(|byte| matches!(byte, b'"' | b'\\'));
                    self.keep(&piece[..end.unwrap_or(piece.len())]);
                    let Some(end) = end else { return };
                    match (piece[end], key) {
                        (b'\\', key) => self.next = Next::Escape { key },
                        (_, true) => self.next = Next::Colon,
                        (_, false) => self.value_is_over(),
                    }
                    piece = &piece[end + 1..];
                    continue;
                }
                Next::Escape { key } => {
                    self.escaped(*byte);
                    self.next = Next::Text { key };
                }
                Next::Bare if matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n') => {
                    self.bare_is_over();
                    continue;
                }
                Next::Bare => self.keep(std::slice::from_ref(byte)),
                _ if byte.is_ascii_whitespace() => {}
                Next::Colon if *byte == b':' => {
                    self.key_is_known();
                    self.next = Next::Value;
                }
                Next::Colon => self.next = Next::Lost,
                Next::Key => match byte {
                    b'"' => self.begin_text(true),
                    b'}' => self.close(),
                    _ => self.next = Next::Lost,
                },
                Next::Comma => match (byte, self.depth) {
                    (b',', 1..) => self.next_member(),
                    (b'}' | b']', 1..) => self.close(),
                    // Another value behind the first.
                    (_, 0) => {
                        self.begin();
                        continue;
                    }
                    _ => self.next = Next::Lost,
                },
                Next::Value => self.value(*byte),
            }
            piece = rest;
        }
    }

    /// A number may end with the body.
    pub fn end(&mut self) {
        if self.next == Next::Bare {
            self.bare_is_over();
        }
    }

    fn steps(&self, at: usize) -> Option<&[Box<[u8]>]> {
        self.places.get(at)?.as_deref()
    }

    fn value(&mut self, byte: u8) {
        match byte {
            b'{' | b'[' => self.open(byte == b'{'),
            b']' if self.depth > 0 => self.close(),
            b'"' => self.begin_text(false),
            _ => {
                self.drop_token();
                let ends_here =
                    |at: usize| self.steps(at).is_some_and(|steps| steps.len() as u32 == self.depth);
                self.token_kept = (0..self.leads.len()).any(|at| self.leads[at] && ends_here(at));
                self.next = Next::Bare;
                self.keep(&[byte]);
            }
        }
    }

    fn open(&mut self, is_object: bool) {
        if self.depth == DEPTH_MAX {
            self.next = Next::Lost;
            return;
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(is_object);
        for at in 0..self.on.len() {
            let goes_on = self.steps(at).is_some_and(|steps| steps.len() as u32 >= self.depth);
            if self.leads[at] && goes_on {
                self.on[at] = self.depth;
            }
        }
        if is_object {
            self.next = Next::Key;
            return;
        }
        if let Some(element) = self.elements.get_mut(self.depth as usize) {
            *element = 0;
        }
        self.element_is_known();
        self.next = Next::Value;
    }

    fn close(&mut self) {
        for on in &mut self.on {
            *on = (*on).min(self.depth - 1);
        }
        self.depth -= 1;
        self.objects >>= 1;
        self.value_is_over();
    }

    fn value_is_over(&mut self) {
        self.next = Next::Comma;
    }

    fn next_member(&mut self) {
        if self.objects & 1 == 1 {
            self.next = Next::Key;
            return;
        }
        if let Some(element) = self.elements.get_mut(self.depth as usize) {
            *element = element.saturating_add(1);
        }
        self.element_is_known();
        self.next = Next::Value;
    }

    /// Whether the innermost container leads to a place, and by which step.
    fn step(&self, at: usize) -> Option<&[u8]> {
        (self.on[at] == self.depth)
            .then(|| self.steps(at)?.get(self.depth as usize - 1).map(|step| &**step))?
    }

    fn key_is_known(&mut self) {
        let kept = self.token_kept;
        self.leads = std::array::from_fn(|at| kept && self.step(at) == Some(self.token.as_slice()));
    }

    fn element_is_known(&mut self) {
        let element = self.elements.get(self.depth as usize).copied();
        self.leads = std::array::from_fn(|at| {
            let step = self.step(at).and_then(|step| std::str::from_utf8(step).ok());
            step.is_some_and(|step| step.parse::<u32>().ok() == element && is_plain(step))
        });
    }

    fn begin_text(&mut self, key: bool) {
        self.drop_token();
        self.token_kept = key && (0..self.on.len()).any(|at| self.step(at).is_some());
        self.next = Next::Text { key };
    }

    fn bare_is_over(&mut self) {
        // A word like `null` is no number, and a later answer without one takes an earlier one's not back.
        if let Some(number) = Some(&self.token).filter(|_| self.token_kept).and_then(|token| number(token)) {
            for at in 0..self.found.len() {
                let ends_here = self.steps(at).is_some_and(|steps| steps.len() as u32 == self.depth);
                if self.leads[at] && ends_here {
                    self.found[at] = Some(number);
                }
            }
        }
        self.value_is_over();
    }

    fn keep(&mut self, bytes: &[u8]) {
        if !self.token_kept {
            return;
        }
        if self.token.len() + bytes.len() > TOKEN_MAX {
            self.drop_token();
        } else {
            self.token.extend_from_slice(bytes);
        }
    }

    fn drop_token(&mut self) {
        self.token.clear();
        self.token_kept = false;
    }

    fn escaped(&mut self, byte: u8) {
        match byte {
            b'"' | b'\\' | b'/' => self.keep(&[byte]),
            b'n' => self.keep(b"\n"),
            b't' => self.keep(b"\t"),
            // A key written with other escapes leads nowhere.
            _ => self.drop_token(),
        }
    }
}

/// RFC 6901 §4: an element's number has no leading zero.
fn is_plain(step: &str) -> bool {
    step == "0" || !step.starts_with(['0', '+'])
}

/// Where a stream of events stands in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// So many bytes of `data:` were read.
    Field(usize),
    /// Data, up to the end of the line.
    Data,
    /// Anything else, up to the end of the line.
    Other,
}

/// Reads the data of a stream of events (WHATWG HTML §9.2) as JSON, event by event.
#[derive(Debug)]
pub struct Events {
    line: Line,
}

const DATA: &[u8] = b"data:";

impl Events {
    /// At the beginning of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self { line: Line::Field(0) }
    }

    /// Reads the next piece of the stream.
    pub fn read(&mut self, mut piece: &[u8], scanner: &mut Scanner) {
        while let Some((byte, rest)) = piece.split_first() {
            match self.line {
                Line::Field(_) if matches!(byte, b'\n' | b'\r') => {
                    // An empty line ends the event.
                    scanner.end();
                    scanner.begin();
                    self.line = Line::Field(0);
                }
                Line::Field(read) if DATA[read] == *byte => {
                    self.line = if read + 1 == DATA.len() { Line::Data } else { Line::Field(read + 1) };
                }
                Line::Field(_) => self.line = Line::Other,
                Line::Data | Line::Other => {
                    let end = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                    let data = &piece[..end.unwrap_or(piece.len())];
                    if self.line == Line::Data {
                        scanner.read(data);
                    }
                    let Some(end) = end else { return };
                    // `\r\n` ends one line, not an event.
                    let skipped = if piece[end..].starts_with(b"\r\n") { 2 } else { 1 };
                    self.line = Line::Field(0);
                    piece = &piece[end + skipped..];
                    continue;
                }
            }
            piece = rest;
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
