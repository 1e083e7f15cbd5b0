//! The pure data plane: admission, compile, route, decide; no socket, clock, SQL or environment.
//!
//! [`compile()`] turns plain rows into a [`Snapshot`]; [`Consumers`] holds who may call; [`decide()`] asks both about
//! one call. Nothing here waits, and deciding takes no lock.

pub mod admission;
pub mod answer;
mod cells;
pub mod chunked;
mod compile;
mod consumers;
mod decide;
mod denial;
pub mod gcra;
mod grant;
pub mod head;
pub mod head2;
pub mod key;
pub mod lease;
mod limits;
mod policies;
mod problem;
pub mod quota;
pub mod reading;
mod retired;
mod router;
mod rules;
#[cfg(test)]
mod sample;
mod seal;
pub mod snapshot;
mod target;
pub mod websocket;

pub use compile::{CompileError, Kind, Tolerated, compile, compile_what_can_be, faults_of};
pub use consumers::{Consumers, Counts, NewLease};
pub use decide::{
    Admission, Call, Consumer, Familiar, Holder, Matched, Refusal, Standing, credential_of, decide,
};
pub use denial::{Denial, LimitHit};
pub use grant::Grant;
pub use key::{MalformedKey, ParsedKey, Peppers};
pub use problem::{Problem, portal_of};
pub use quota::Month;
pub use rules::{Nowhere, Whence};
pub use seal::{NONCE_BYTES, Unsealable};
pub use snapshot::{RouteMatch, Snapshot};
pub use target::parse_target;
