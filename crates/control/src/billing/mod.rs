//! Money: what plans charge, what a month comes to, and the bills.

mod allowance;
mod checkout;
mod close;
mod collect;
mod credits;
mod currency;
mod dunning;
mod events;
mod funds;
mod invoices;
mod outbox;
mod plan_change;
mod pricing;
mod proof;
pub mod provider;
mod reconcile;
mod refunds;
mod replay;
mod revenue;
mod spend_cap;
mod statement;
mod trials;

pub use checkout::CheckoutInput;
pub use credits::{CreditInput, CreditStanding};
pub use events::Received;
pub use funds::{CreditsLeft, FundsStanding};
pub use plan_change::{Move, MovePreview, When};
pub(crate) use pricing::read_terms;
pub use pricing::{PlanTariff, Pricing};
pub use reconcile::Difference;
pub use replay::Replayed;
pub(crate) use revenue::shadow_of;
pub use revenue::{PlanRevenue, Revenue, ShadowBill};
pub use spend_cap::{SpendCapInput, SpendStanding};
pub use statement::{Charge, Statement};
