//! The data plane: a thin Pingora skin over the engine.
//!
//! `gateway` starts and stops it; `listen` and `connection` accept callers, `places` says how many and who makes
//! room, `intake` what may go on; `proxy` is a call's life as Pingora's phases, `caller` who calls,
//! `exchange` what one call carries, `reply` every answer made here, `upstream` the way to a target; `feed` keeps the
//! configuration fresh, `live` holds it, `disk` saves it; `usage` counts, `request_log` tells of single calls; `operator` shows.

mod caller;
mod connection;
mod disk;
mod exchange;
mod feed;
mod fields;
mod gateway;
mod heartbeat;
mod intake;
mod listen;
mod live;
mod metrics;
mod operator;
mod places;
mod proxy;
mod reply;
mod request_log;
mod resolve;
mod settings;
mod status;
mod upstream;
pub mod usage;

pub use disk::DirError;
pub use feed::source;
pub use gateway::{Gateway, RunningGateway, StartError};
pub use request_log::{AccessLogTarget, LoggedAddress, RequestLogMode};
pub use settings::Settings;
