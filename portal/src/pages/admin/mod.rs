//! The operators' pages: what is published, who uses it, how it goes.

pub mod api;
pub mod apis;
pub mod application;
pub mod developers;
pub mod key_revoke;
pub mod overview;
pub mod products;
pub mod traffic;

/// An operator's table never shows more rows of calls than this.
const TRAFFIC_ROWS: i64 = 500;
