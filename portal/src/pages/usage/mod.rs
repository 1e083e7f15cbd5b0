//! What the gateway counted, for its developers.

pub mod csv;
pub mod overview;
pub mod range;
