//! For tests only: a database per test, and upstreams that remember.
//!
//! Everything here panics with a reason where a test could not go on.

mod database;
mod server;
mod upstream;

pub use database::TestDatabase;
pub use upstream::{Recorded, Upstream};
