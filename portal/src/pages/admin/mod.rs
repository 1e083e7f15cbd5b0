//! The operators' pages: what is published, who uses it, how it goes.

pub mod api;
pub mod apis;
pub mod application;
pub mod applications;
pub mod approvals;
pub mod audit;
pub mod certificate;
pub mod certificate_order;
pub mod certificates;
pub mod desk;
pub mod developer;
pub mod developers;
pub mod explain;
pub mod find;
pub mod gateways;
pub mod invoices;
pub mod key_revoke;
pub mod keys;
mod offers;
pub mod operators;
pub mod organization;
pub mod organization_terms;
pub mod organizations;
pub mod overview;
pub mod payments;
pub mod plan;
pub mod portal;
pub mod portal_page;
mod prices;
pub mod product;
pub mod products;
pub mod proofs;
mod rename;
pub mod requests;
pub mod revenue;
pub mod service;
pub mod services;
pub mod setup;
pub mod subscription;
pub mod subscription_limits;
pub mod subscriptions;
pub mod terms;
mod timeline;
pub mod traffic;

/// An operator's table never shows more rows of calls than this.
const TRAFFIC_ROWS: i64 = 500;
