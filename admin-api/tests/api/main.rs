//! The admin API from the outside, each test on a database of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod authz;
mod batch;
mod billing;
mod certificates;
mod description;
mod documents;
mod dry_run;
mod explain;
mod faults;
mod incidents;
mod lists;
mod nasty;
mod once;
mod operators;
mod pages;
mod portal;
mod put;
mod resources;
mod stage;
mod tokens;
mod versions;
mod waiting;
