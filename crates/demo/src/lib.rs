//! The demo publisher: an Atlas API over public data, and the rows that publish it.
//!
//! It is published like anybody's API: an upstream that knows nothing of Tollgate, an OpenAPI document, and calls
//! of the control plane. `data/SOURCES.md` says where the records come from.

mod seed;
mod upstream;

pub use seed::{Seeded, seed};
pub use upstream::{paths, router, serve};

/// The OpenAPI 3.1 document of the Atlas API, in YAML.
pub const OPENAPI: &str = include_str!("../openapi.yaml");
