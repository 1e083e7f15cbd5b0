//! The data plane: a thin skin of sockets over the engine.
//!
//! `gateway` starts and stops it, `handover` passes its sockets on to the next process; `listen` accepts callers,
//! `desks` shares them out among the workers, `places` says how many and who makes room; `downstream` is a caller's request however it came, `connection` one
//! that came by HTTP/1, `intake` what of it may go on, `http2` those that came by HTTP/2; `tls` shakes hands and
//! knows the certificates; `proxy` is a call's life, `exchange` what one call carries, `terms` what it is held to, `request_id` what it is called, `relay` both of its directions
//! at once, `tunnel` what a WebSocket becomes, `fields` what changes on the way, `caller` who calls, `reply` every
//! answer made here; `browser` what pages get of it, `origins` which of them; `upstream` is the way to a target, `link` a connection to one, `pool` those at rest, `health`
//! how it does; `clock` keeps the deadlines; `feed` keeps the configuration fresh, `live` holds it, `disk` saves it,
//! `fingerprint` compares it; `usage` counts, `request_log` tells of single calls; `operator` shows.

/// Whether calls are decided, counted and told of themselves. Only a bench builds without (feature `bare`): then the first
/// call's admission holds for all that follow on its worker, and what the chain costs is the difference.
pub(crate) const HAS_CHAIN: bool = !cfg!(feature = "bare");

#[cfg(feature = "bare")]
mod bare;
mod browser;
mod caller;
mod clock;
mod connection;
mod date;
mod desks;
mod disk;
mod downstream;
mod exchange;
mod fail_point;
mod feed;
mod fields;
mod fingerprint;
mod gateway;
mod grpc;
mod handover;
mod health;
mod heartbeat;
mod http2;
mod intake;
mod link;
mod listen;
mod live;
mod metrics;
mod notice;
mod operator;
mod origins;
mod places;
#[cfg(test)]
#[path = "../../crates/engine/examples/platform/mod.rs"]
#[allow(dead_code)]
mod platform;
mod pool;
mod proxy;
mod readings;
mod relay;
mod reply;
mod request_id;
mod request_log;
mod resolve;
mod settings;
mod status;
mod terms;
mod time;
pub mod tls;
mod tunnel;
mod upstream;
pub mod usage;
mod vary;

pub use disk::DirError;
pub use feed::source;
pub use gateway::{Gateway, RunningGateway, StartError};
pub use origins::Origins;
pub use request_log::{AccessLogTarget, LoggedAddress, RequestLogMode};
pub use settings::Settings;
