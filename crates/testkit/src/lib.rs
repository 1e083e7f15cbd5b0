//! For tests only: a database per test, upstreams that remember, an authority that certifies anything.
//!
//! Everything here panics with a reason where a test could not go on.

mod authority;
mod database;
mod server;
mod upstream;

pub use authority::{Authority, Issued};
pub use database::TestDatabase;
pub use upstream::{Recorded, Upstream};
