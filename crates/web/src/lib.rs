//! What both HTTP faces need of axum: request ids, problems, security headers, limits and serving.

mod client;
pub mod csv;
mod face;
mod headers;
mod probes;
mod problem;
mod rejection;
mod request_id;
pub mod serve;

pub use client::client_address;
pub use face::{Face, Render, render_json};
pub use headers::{Headers, JsonHeaders, PageHeaders};
pub use probes::{metrics, probes};
pub use problem::{Content, FieldFault, Place, Problem};
pub use request_id::RequestId;
pub use serve::Limits;
