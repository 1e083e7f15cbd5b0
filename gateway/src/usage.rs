//! Metering: counted calls go to a journal on disk, and from there, as cumulative counts, to Postgres.
//!
//! `ledger` counts, `journal` is its file format, `flush` carries the counts away and knows the quotas, `leftovers` are
//! journals of earlier processes.

pub(crate) mod flush;
pub mod journal;
#[cfg(test)]
mod journal_tests;
pub mod ledger;
#[cfg(test)]
mod ledger_tests;
pub mod leftovers;
