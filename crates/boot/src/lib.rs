//! Everything before the first request: data directory, secrets, logs, shutdown, the embedded Postgres.

pub mod data_dir;
pub mod descriptors;
pub mod embedded;
pub mod notify;
mod one_line;
pub mod pages;
pub mod secrets;
pub mod shutdown;
pub mod telemetry;
pub mod trusted;

pub mod fnv;

pub use data_dir::{DataDir, DataDirError};
pub use embedded::EmbeddedPostgres;
pub use secrets::Secrets;
pub use trusted::TrustedProxies;
