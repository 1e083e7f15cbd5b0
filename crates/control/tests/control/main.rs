//! Use cases against a real PostgreSQL, a fresh database per test.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod accounts;
mod apart;
mod apply;
mod audit;
mod billing;
mod certificates;
mod consumers;
mod fixture;
mod funds;
mod jobs;
mod late;
mod lenders;
mod lost;
mod moving;
mod prices;
mod proofs;
mod publishing;
mod quotas;
mod scale;
mod setup;
mod webhooks;
