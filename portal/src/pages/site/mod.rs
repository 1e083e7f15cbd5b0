//! What belongs to every page.

pub mod theme;
