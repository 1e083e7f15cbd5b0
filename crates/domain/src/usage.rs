//! One metered call, and counts of them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{CredentialId, Metering, RouteId, SubscriptionId};

/// How a call of a known consumer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Outcome {
    /// The upstream answered; its status is the call's status.
    Served = 1,
    /// A rate limit refused it.
    RateLimited = 2,
    /// The quota refused it; with status 402, a spend cap or the want of credits.
    QuotaExceeded = 3,
    /// Allowed, but the upstream did not answer.
    UpstreamFailed = 4,
    /// Allowed, but the caller went away after the upstream was asked (nginx's 499). The upstream's work was done.
    Canceled = 5,
    /// Allowed, but given up before the upstream was asked.
    Abandoned = 6,
}

impl Outcome {
    /// As stored in Postgres.
    #[must_use]
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// From what is stored in Postgres or in a journal.
    #[must_use]
    pub const fn from_code(code: i16) -> Option<Self> {
        match code {
            1 => Some(Self::Served),
            2 => Some(Self::RateLimited),
            3 => Some(Self::QuotaExceeded),
            4 => Some(Self::UpstreamFailed),
            5 => Some(Self::Canceled),
            6 => Some(Self::Abandoned),
            _ => None,
        }
    }

    /// Whether such a call counts against the quota and on the bill: what the upstream answered,
    /// unless its API charges others (`charges`, by status; never a failure); and what it was asked and not waited for,
    /// or hanging up would make calls free.
    #[must_use]
    pub fn is_charged(self, status: u16, charges: impl FnOnce(u16) -> bool) -> bool {
        match self {
            Self::Served => status < 500 && charges(status),
            Self::Canceled => true,
            Self::RateLimited | Self::QuotaExceeded | Self::UpstreamFailed | Self::Abandoned => false,
        }
    }
}

/// What calls are counted by. Counts of one key only ever grow while its gateway process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsageKey {
    /// Whose key made the call.
    pub credential_id: CredentialId,
    /// Under which subscription it was decided.
    pub subscription_id: SubscriptionId,
    /// What was called.
    pub route_id: RouteId,
    /// The status the caller saw.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// The minute it ended in, in minutes since the Unix epoch.
    pub minute: u32,
}

/// Cumulative counts of one [`UsageKey`] in one gateway process (`boot_id`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageCount {
    /// The gateway process that counted.
    pub boot_id: Uuid,
    /// What is counted.
    pub key: UsageKey,
    /// Calls.
    pub calls: u64,
    /// Calls that are charged.
    pub charged: u64,
    /// What they cost: what counts against quotas.
    pub units: u64,
    /// Sums of the numbers that were read from their answers, in the order of the API's readings.
    pub readings: [u64; Metering::READINGS_MAX],
    /// Request body bytes.
    pub bytes_in: u64,
    /// Response body bytes.
    pub bytes_out: u64,
    /// Sum of whole-call times in microseconds.
    pub duration_us: u64,
}
