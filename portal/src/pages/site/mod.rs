//! What belongs to every page.

pub mod locale;
pub mod theme;
