//! What the gateway counted, for its developers.

pub mod overview;
pub mod range;
