//! Money: what plans charge, what a month comes to, and the bills.

mod checkout;
mod close;
mod collect;
mod dunning;
mod events;
mod invoices;
mod outbox;
mod pricing;
pub mod provider;
mod reconcile;
mod refunds;
mod statement;

pub use checkout::CheckoutInput;
pub use events::Received;
pub use pricing::{PlanTariff, Pricing};
pub use reconcile::Difference;
pub use statement::{Charge, Statement};
