//! For tests only: a database per test, upstreams that remember, an authority that certifies
//! anything, a published world, and a proxy that spoils connections.
//!
//! Everything here panics with a reason where a test could not go on.

mod acme;
mod authenticator;
mod authority;
mod cluster;
mod database;
mod faults;
mod mail_server;
mod oidc;
mod server;
mod stripe;
mod tls_server;
mod upstream;
mod world;

pub use acme::{AcmeServer, AcmeTrouble};
pub use authenticator::Authenticator;
pub use authority::{Authority, Issued};
pub use cluster::Cluster;
pub use database::TestDatabase;
pub use faults::{Behind, Fault, FaultProxy, Verdict};
pub use mail_server::MailServer;
pub use oidc::{Lie, OidcProvider, SomebodyThere};
pub use stripe::{STRIPE_KEY, STRIPE_WEBHOOK_SECRET, StripeDouble, StripeFault, StripeMessage};
pub use tls_server::{TrustsEverybody, presented};
pub use upstream::{Recorded, Upstream};
pub use world::{World, mint, month_quota, peppers_variable};
