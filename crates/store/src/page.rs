//! Keyset pages.

use uuid::Uuid;

/// Which part of a list: rows after an id, oldest first. Ids are UUIDv7, so their order is that of creation.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The last id of the page before.
    pub after: Option<Uuid>,
    /// Rows at most.
    pub limit: i64,
}

impl Page {
    /// Everything that a screen can show.
    pub const FIRST_500: Self = Self { after: None, limit: 500 };
}
