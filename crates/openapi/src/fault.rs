//! What is wrong with a document, and where.

use std::fmt;

use serde::Serialize;

/// The most faults that one reading reports.
pub(crate) const FAULTS_MAX: usize = 50;

/// One reason why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Fault {
    /// Where in the document: a JSON Pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// The line in the text, from 1, where it can be told.
    pub line: Option<u32>,
    /// The column in that line, in characters from 1.
    pub column: Option<u32>,
    /// What is wrong and what was expected, in plain words.
    pub message: String,
}

impl Fault {
    /// A fault whose line is not known yet.
    pub(crate) fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), line: None, column: None, message: message.into() }
    }
}

impl fmt::Display for Fault {
    /// `line 12, /paths/~1pets: …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        let place = if self.pointer.is_empty() { "document" } else { &self.pointer };
        write!(f, "{place}: {}", self.message)
    }
}
