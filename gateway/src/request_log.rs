//! Single calls on their way to Postgres and into the access log: every refusal can be explained by its request id.
//!
//! A call writes itself into a slot that was made before and is done; a task carries slots away. Nothing here waits:
//! where there is no slot the oldest answered call gives its own up, then the oldest refusal, and each kind of call has
//! only so many a second, so that neither a flood of strangers nor plain traffic pushes refusals of consumers out.

mod access;
mod budget;
pub(crate) mod carry;
mod ring;
mod slot;

use std::net::IpAddr;

use tollgate_engine::Denial;

pub(crate) use access::AccessLog;
pub use access::AccessLogTarget;
use budget::Budget;
use ring::Ring;
pub(crate) use slot::{Slot, Text};

/// Slots at most; they are made as they are needed.
const SLOTS_MAX: usize = 8192;

/// Which calls are kept one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RequestLogMode {
    /// Refusals, and of other calls as many as the rate allows.
    #[default]
    All,
    /// Refusals, and calls that ended in 400 or above.
    Errors,
    /// None.
    Off,
}

impl std::str::FromStr for RequestLogMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "errors" => Ok(Self::Errors),
            "off" => Ok(Self::Off),
            _ => Err("it must be all, errors or off".to_owned()),
        }
    }
}

/// How much of a caller's address is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoggedAddress {
    /// Its network: IPv4 /24, IPv6 /48.
    #[default]
    Network,
    /// All of it.
    Whole,
}

impl std::str::FromStr for LoggedAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "network" => Ok(Self::Network),
            "whole" => Ok(Self::Whole),
            _ => Err("it must be network or whole".to_owned()),
        }
    }
}

impl LoggedAddress {
    /// As PostgreSQL reads it.
    pub(crate) fn show(self, address: IpAddr) -> String {
        match (self, address.to_canonical()) {
            (Self::Whole, address) => address.to_string(),
            (Self::Network, IpAddr::V4(v4)) => {
                let [a, b, c, _] = v4.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            (Self::Network, IpAddr::V6(v6)) => {
                let [a, b, c, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}::/48")
            }
        }
    }
}

/// How a call ended, as far as it decides whether it is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    /// Nanoseconds since the Unix epoch.
    pub(crate) at_ns: u64,
    /// What the caller saw.
    pub(crate) status: u16,
    /// The problem's code where the gateway answered.
    pub(crate) code: Option<&'static str>,
    /// Whether the caller's key is one of ours.
    pub(crate) known: bool,
}

/// Who gives way to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answered,
    RefusedConsumer,
    RefusedStranger,
}

impl Ending {
    const fn kind(&self) -> Kind {
        match (self.code, self.known) {
            (None, _) => Kind::Answered,
            (Some(_), true) => Kind::RefusedConsumer,
            (Some(_), false) => Kind::RefusedStranger,
        }
    }
}

/// Where calls are noted.
pub(crate) struct RequestLog {
    mode: RequestLogMode,
    budgets: [Budget; 3],
    ring: Ring,
    access: Option<AccessLog>,
}

impl RequestLog {
    /// `per_second` is for each kind of call: answered ones, refusals of consumers, refusals of strangers.
    pub(crate) fn new(mode: RequestLogMode, per_second: u32, access: Option<AccessLog>) -> Self {
        let mode = if per_second == 0 { RequestLogMode::Off } else { mode };
        Self { mode, budgets: [(); 3].map(|()| Budget::new(per_second)), ring: Ring::new(SLOTS_MAX), access }
    }

    /// Notes a call that ended; `describe` writes into a slot, once for each log that takes the call.
    pub(crate) fn note(&self, ending: Ending, describe: impl Fn(&mut Slot)) {
        if let Some(access) = &self.access {
            access.write(&ending, &describe);
        }
        let kind = ending.kind();
        let wanted = match self.mode {
            RequestLogMode::All => true,
            RequestLogMode::Errors => kind != Kind::Answered || ending.status >= 400,
            RequestLogMode::Off => false,
        };
        if wanted && self.budgets[kind as usize].take(ending.at_ns / 1_000_000_000) {
            self.ring.put(kind == Kind::Answered, |slot| {
                slot.begin(&ending);
                describe(slot);
            });
        }
    }

    /// Calls that were not kept: too many in their second, or pushed out before they could be carried away.
    pub(crate) fn dropped(&self) -> u64 {
        self.budgets.iter().map(Budget::refused).sum::<u64>() + self.ring.dropped()
    }

    /// Lines of the access log that were not written because its file or pipe was too slow or full.
    pub(crate) fn access_dropped(&self) -> u64 {
        self.access.as_ref().map_or(0, AccessLog::dropped)
    }

    /// Writes what is left of the access log and ends it.
    pub(crate) fn finish_access(&self) {
        if let Some(access) = &self.access {
            access.finish();
        }
    }

    pub(crate) const fn ring(&self) -> &Ring {
        &self.ring
    }
}

/// What a denial has to say beyond its code.
pub(crate) fn detail(denial: &Denial, at: chrono::DateTime<chrono::Utc>) -> Option<serde_json::Value> {
    match denial {
        Denial::RateLimited(hit) | Denial::QuotaExceeded(hit) => {
            let wait =
                chrono::Duration::seconds(i64::try_from(hit.retry_after_s).unwrap_or(i64::MAX / 1_000));
            let opens_at = at.checked_add_signed(wait).unwrap_or(at);
            Some(serde_json::json!({
                "limit": &*hit.name,
                "scope": hit.scope.as_str(),
                "amount": hit.amount,
                "per": hit.period.as_str(),
                "retry_after_s": hit.retry_after_s,
                "opens_at": opens_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
                "visible": hit.visible,
            }))
        }
        Denial::AddressNotAllowed(Some(scope)) => Some(serde_json::json!({ "held_by": scope.as_str() })),
        Denial::MethodNotAllowed { allow } => Some(serde_json::json!({ "allow": &**allow })),
        Denial::BadRequest(bad) => Some(serde_json::json!({ "reason": bad.reason() })),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
