//! Trying a call out: a form made from the schema, sent through the gateway by the portal.

mod answer;
mod form;
pub mod page;

pub use form::ready_fields;
