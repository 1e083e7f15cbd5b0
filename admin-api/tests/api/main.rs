//! The admin API from the outside, each test on a database of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod authz;
mod certificates;
mod description;
mod documents;
mod faults;
mod nasty;
mod pages;
mod resources;
mod stage;
mod tokens;
mod versions;
mod waiting;
