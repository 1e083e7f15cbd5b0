//! The publisher's state as YAML files: read with places for faults, written in a stable order.
//!
//! Pure: whoever calls brings the texts of the files. One table (`kind`) says which fields there are; reading,
//! writing and the JSON Schema all follow it. What a value must be for the platform to take it is the control
//! plane's to say; its faults are brought back to file and line by [`Manifest::place`].

mod export;
mod fault;
mod kind;
mod kong;
mod manifest;
mod node;
mod read;
mod resource;
mod scalar;
mod schema;
mod write;

pub use export::{files, stream, stream_beside};
pub use fault::Fault;
pub use kong::{Note as KongNote, from_kong};
pub use manifest::{Fetch, File, Manifest};
pub use read::TEXT_BYTES_MAX;
pub use schema::schema;
