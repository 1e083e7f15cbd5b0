//! Single calls of the last 30 days, and why each was refused.

mod again;
pub mod list;
pub mod show;
mod why;
