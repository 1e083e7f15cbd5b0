//! Use cases against a real PostgreSQL, a fresh database per test.

mod accounts;
mod consumers;
mod fixture;
mod publishing;
mod setup;
