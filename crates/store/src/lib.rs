//! Postgres, and the only SQL of the project.
//!
//! Reads are methods of [`Store`]; reads of tenants' rows take a [`Scope`](tollgate_domain::Scope). Writes are
//! methods of [`Tx`], which `control` opens together with an audit entry. Verbs: `find` (maybe none), `get` (or
//! not found), `list` (a page), `insert`, `update`, `delete`, `lock`.

mod account_links;
mod apis;
mod applications;
mod audit;
mod billing;
pub mod browse;
mod certificates;
mod credentials;
mod db;
mod documents;
mod effects;
mod error;
mod feed;
mod idempotency_keys;
mod invoices;
mod jobs;
mod nodes;
mod organizations;
mod page;
mod plans;
mod products;
mod publication;
mod quota;
mod request_log;
mod schema;
mod second_factors;
mod sent_forms;
mod services;
mod sessions;
mod sign_in;
mod subscriptions;
mod suspension;
mod tariffs;
mod tokens;
mod tx;
mod usage;
mod usage_report;
mod users;

pub use apis::{ApiRow, NewApi, RouteRow};
pub use applications::ApplicationRow;
pub use audit::{AuditFilter, AuditHead, AuditRow, AuditSeal, NewAuditEntry};
pub use billing::{BillableDayRow, BillableRow, BilledRow};
pub use certificates::{CertificateRow, NewCertificate};
pub use credentials::{CredentialRow, NewCredential};
pub use documents::{CallerRow, DocumentRow};
pub use effects::{KeyHolder, UserOfThing};
pub use error::{Error, Result};
pub use feed::{FeedChange, FeedKind, FullLoad, Head, Listener};
pub use idempotency_keys::KeptAnswer;
pub use invoices::{InvoiceDayRow, InvoiceLineRow, InvoiceRow, NewInvoice, NewInvoiceLine};
pub use jobs::{DeadJobRow, JobRow, NewJob, QueueFigures};
pub use nodes::{NodeReport, NodeRow};
pub use organizations::{MemberRow, OrganizationRow};
pub use page::Page;
pub use plans::{NewPlan, PlanRow};
pub use products::{NewProduct, ProductRow};
pub use publication::Publication;
pub use quota::{QuotaAnswer, QuotaMark, QuotaQuestion};
pub use request_log::{NewRequest, Parties, RequestCursor, RequestFilter, RequestRow};
pub use schema::migrate;
pub use second_factors::SecondFactorRow;
pub use sent_forms::FormClaim;
pub use services::{NewService, ServiceRow};
pub use sessions::{SessionOwner, SessionRow, SignedInRow};
pub use subscriptions::{NewSubscription, SubscriptionRow};
pub use tariffs::TariffRow;
pub use tokens::{NewToken, TokenRow};
pub use tx::{Store, Tx};
pub use usage_report::{TrafficRow, UsageBucketRow, UsageTotals};
pub use users::{NewUser, OperatorRow, UserRow};
