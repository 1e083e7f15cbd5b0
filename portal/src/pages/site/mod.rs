//! What belongs to every page.

pub mod locale;
pub mod look;
pub mod page;
pub mod theme;
