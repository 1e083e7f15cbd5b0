//! The pure data plane: admission, compile, route, decide; no socket, clock, SQL or environment.

pub mod admission;
pub mod gcra;
pub mod key;
pub mod quota;
