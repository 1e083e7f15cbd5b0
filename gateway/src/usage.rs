//! Metering: counted calls go to a journal on disk, and from there, as cumulative counts, to Postgres.
//!
//! `ledger` counts, `journal` is its file format, `flush` carries the counts away in `parcel`s, `quota` knows what others
//! used, `leases` are exact quotas, `leftovers` are journals of earlier processes, `status` is what the operator sees of it.

pub(crate) mod flush;
pub mod journal;
#[cfg(test)]
mod journal_tests;
pub(crate) mod leases;
pub mod ledger;
#[cfg(test)]
mod ledger_tests;
pub mod leftovers;
mod parcel;
mod quota;
pub(crate) mod status;
