//! For tests only: a database per test, upstreams that remember, an authority that certifies anything.
//!
//! Everything here panics with a reason where a test could not go on.

mod authority;
mod database;
mod mail_server;
mod server;
mod upstream;

pub use authority::{Authority, Issued};
pub use database::TestDatabase;
pub use mail_server::MailServer;
pub use upstream::{Recorded, Upstream};
