//! Money: what plans charge, what a month comes to, and the bills.

mod close;
mod invoices;
mod pricing;
mod statement;

pub use pricing::{PlanTariff, Pricing};
pub use statement::{Charge, Statement};
