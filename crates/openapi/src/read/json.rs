//! JSON (RFC 8259) as events, without recursion; strings are decoded and literals judged by serde_json.

use std::borrow::Cow;

use super::event::{Event, Events, Place, Style};

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
    Nothing,
}

/// Reads a JSON text from front to back.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    expect: Expect,
    /// Open brackets; `true` is an object. Bounded by the builder, which refuses depth.
    open: Vec<bool>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, expect: Expect::Value, open: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn fail<T>(&self, expected: &str) -> Result<T, (String, Place)> {
        let found = self.text[self.at..].chars().next();
        let found =
            found.map_or_else(|| "the end of the text".to_owned(), |c| format!("`{}`", c.escape_debug()));
        Err((format!("not valid JSON: expected {expected}, found {found}"), Place::Offset(self.at)))
    }

    fn after_value(&mut self) {
        self.expect = if self.open.is_empty() { Expect::Nothing } else { Expect::CommaOrEnd };
    }

    fn string(&mut self) -> Result<Cow<'a, str>, (String, Place)> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        let mut plain = true;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    plain = false;
                    at += 2;
                }
                Some(byte) => {
                    plain &= *byte >= 0x20;
                    at += 1;
                }
                None => {
                    return Err((
                        "not valid JSON: this text never ends; expected a closing \"".to_owned(),
                        Place::Offset(start),
                    ));
                }
            }
        }
        self.at = at + 1;
        if plain {
            return Ok(self.text[start + 1..at].into());
        }
        serde_json::from_str::<String>(&self.text[start..=at]).map(Cow::Owned).map_err(|_| {
            (
                "not valid JSON: a wrong escape or a bare control character in this text".to_owned(),
                Place::Offset(start),
            )
        })
    }

    fn literal(&mut self) -> Result<Cow<'a, str>, (String, Place)> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')) {
            self.at += 1;
        }
        if self.at == start {
            return self.fail("a value");
        }
        Ok(self.text[start..self.at].into())
    }

    fn key(&mut self) -> Result<Event<'a>, (String, Place)> {
        if self.peek() != Some(b'"') {
            return self.fail("a key in double quotes");
        }
        let text = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return self.fail("`:` after the key");
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Event::Scalar { text, style: Style::Text, anchor: 0 })
    }

    fn value(&mut self) -> Result<Event<'a>, (String, Place)> {
        let object = match self.peek() {
            Some(b'{') => true,
            Some(b'[') => false,
            Some(b'"') => {
                let text = self.string()?;
                self.after_value();
                return Ok(Event::Scalar { text, style: Style::Text, anchor: 0 });
            }
            _ => {
                let text = self.literal()?;
                self.after_value();
                return Ok(Event::Scalar { text, style: Style::Literal, anchor: 0 });
            }
        };
        self.at += 1;
        self.open.push(object);
        self.expect = if object { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
        Ok(if object { Event::Object { anchor: 0 } } else { Event::Array { anchor: 0 } })
    }
}

impl<'a> Events<'a> for Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Place)>, (String, Place)> {
        self.skip_space();
        if self.expect == Expect::CommaOrEnd && self.peek() == Some(b',') {
            self.at += 1;
            self.skip_space();
            self.expect = if self.open.last() == Some(&true) { Expect::Key } else { Expect::Value };
        }
        let place = Place::Offset(self.at);
        let closing = match self.open.last() {
            Some(true) => Some(b'}'),
            Some(false) => Some(b']'),
            None => None,
        };
        let may_end = matches!(self.expect, Expect::ValueOrEnd | Expect::KeyOrEnd | Expect::CommaOrEnd);
        if may_end && closing.is_some() && self.peek() == closing {
            self.at += 1;
            self.open.pop();
            self.after_value();
            return Ok(Some((Event::End, place)));
        }
        let event = match self.expect {
            Expect::Value | Expect::ValueOrEnd => self.value()?,
            Expect::Key | Expect::KeyOrEnd => self.key()?,
            Expect::CommaOrEnd if closing == Some(b'}') => return self.fail("`,` or `}`"),
            Expect::CommaOrEnd => return self.fail("`,` or `]`"),
            Expect::Nothing if self.peek().is_none() => return Ok(None),
            Expect::Nothing => return self.fail("nothing more"),
        };
        Ok(Some((event, place)))
    }
}
