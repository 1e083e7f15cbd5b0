//! The store against a real PostgreSQL, a fresh database per test.

mod feed;
mod fixture;
mod routes;
mod row_security;
mod schema;
mod usage;
