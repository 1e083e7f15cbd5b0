//! What must hold while things break: real gateway processes on a real database, with faults of our own in between.
//!
//! The tests here are the quick half; `scripts/faults` runs them with more rounds, and the slow half with them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod bills;
mod clock;
mod dns;
mod keys;
mod kill;
mod load;
mod postgres;
mod pressure;
mod rig;
mod server;
mod slow;
mod start;
mod upgrade;
mod upstream;
