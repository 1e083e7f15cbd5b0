//! What both readers say about a text, piece by piece.

use std::borrow::Cow;

/// One piece of a document.
pub(super) enum Event<'a> {
    /// `{` or a block mapping begins. An anchor of 0 is none.
    Object { anchor: usize },
    /// `[` or a block sequence begins.
    Array { anchor: usize },
    /// The innermost object or array ends.
    End,
    /// A key, or a value that is no collection.
    Scalar { text: Cow<'a, str>, style: Style, anchor: usize },
    /// A copy of an anchored value.
    Alias { anchor: usize },
}

/// How a scalar was written, which decides its type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// It is text.
    Text,
    /// JSON's `true`, `null`, `12`.
    Literal,
    /// YAML's unquoted words, resolved by its core schema.
    Plain,
}

/// Where a piece begins.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A byte offset.
    Offset(usize),
    /// Line and column, both from 1.
    Line(u32, u32),
}

impl Place {
    /// Line and column, both from 1.
    pub(super) fn resolve(self, text: &str) -> (u32, u32) {
        match self {
            Self::Line(line, column) => (line, column),
            Self::Offset(offset) => {
                let before = &text.as_bytes()[..offset.min(text.len())];
                let line = before.iter().filter(|b| **b == b'\n').count() + 1;
                let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
                // Continuation bytes of UTF-8 are not characters of their own.
                let column = before[start..].iter().filter(|b| **b & 0xc0 != 0x80).count() + 1;
                (clamp(line), clamp(column))
            }
        }
    }
}

/// A count that fits every bounded text.
pub(super) fn clamp(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A source of events; an error says what was expected, and where.
pub(super) trait Events<'a> {
    /// The next event, none at the end of the text.
    fn next(&mut self) -> Result<Option<(Event<'a>, Place)>, (String, Place)>;
}
