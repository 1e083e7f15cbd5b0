//! What is wrong with what was brought.

use std::fmt;

/// Where a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// In the certificates.
    Chain,
    /// In the private key.
    Key,
}

/// One fault, in words for whoever brought it. Never quotes a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub field: Field,
    /// What is wrong, and what is expected.
    pub message: String,
}

impl Fault {
    pub(crate) fn chain(message: impl Into<String>) -> Self {
        Self { field: Field::Chain, message: message.into() }
    }

    pub(crate) fn key(message: impl Into<String>) -> Self {
        Self { field: Field::Key, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
