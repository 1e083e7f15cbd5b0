//! Metering: counted calls go to a journal on disk, and from there, as cumulative counts, to Postgres.
//!
//! `ledger` counts, `journal` is its file format, `flush` carries the counts away and settles the quotas.

pub(crate) mod flush;
pub mod journal;
#[cfg(test)]
mod journal_tests;
pub mod ledger;
