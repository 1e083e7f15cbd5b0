//! The store against a real PostgreSQL, a fresh database per test.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod budgets;
mod feed;
mod fixture;
mod large_lists;
mod quota;
mod request_log;
mod routes;
mod row_security;
mod schema;
mod units;
mod usage;
mod usage_keep;
