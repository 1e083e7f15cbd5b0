//! What a gateway asks of the control plane: its configuration, and a place to put usage.

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tollgate_domain::{ApplicationId, Blueprint, CalendarMonth, ConsumerApplication, UsageCount};
use tollgate_store::{Error as StoreError, Listener, NodeReport, Store};
pub use tollgate_store::{
    FeedChange, FeedKind, FullLoad, Head, LeaseAsk, LeaseGrant, LeaseReturn, NewRequest, Parties,
    QuotaAnswer, QuotaMark, QuotaQuestion,
};
use uuid::Uuid;

/// Why the control plane did not answer. A gateway only waits and asks again, whatever it was.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Why counts were not stored.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Some of these very counts break a rule of the database; to send them again is of no use.
    #[error("refused")]
    Refused(#[source] SourceError),
    /// The control plane does not answer; it would not answer others either.
    #[error("no answer")]
    Away(#[source] SourceError),
    /// Something else; others may fare better, and these may later.
    #[error("not stored")]
    Failed(#[source] SourceError),
}

impl From<StoreError> for RecordError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Away(error.into()),
            error if error.is_refusal() => Self::Refused(error.into()),
            error => Self::Failed(error.into()),
        }
    }
}

/// The control plane as a gateway sees it. Any of these may fail at any time without disturbing traffic.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// The newest revision, and what time it is there; none where that is not known.
    async fn head(&self) -> Result<(Head, Option<DateTime<Utc>>), SourceError>;
    /// What the control plane calls the pepper of a version that its keys are hashed with
    /// ([`Peppers::fingerprint`](tollgate_engine::key::Peppers::fingerprint)); none where it knows none.
    async fn pepper_fingerprint(&self, version: i16) -> Result<Option<String>, SourceError>;
    /// Everything, in one consistent view.
    async fn full(&self) -> Result<FullLoad, SourceError>;
    /// What changed after a revision, oldest first; none where that is no longer known and all must be loaded.
    async fn changes(&self, after: i64) -> Result<Option<Vec<FeedChange>>, SourceError>;
    /// The newest blueprint. What did not change since the one that is known may be taken from there.
    async fn blueprint(&self, known: Option<&Blueprint>) -> Result<Blueprint, SourceError>;
    /// The newest state of some applications; one that is not returned may no longer call.
    async fn consumers(&self, ids: &[ApplicationId]) -> Result<Vec<ConsumerApplication>, SourceError>;
    /// Opens a stream of hints that something changed.
    async fn listen(&self) -> Result<Box<dyn Hints>, SourceError>;
    /// Stores cumulative counts. Storing the same or older ones again changes nothing.
    async fn record_usage(&self, counts: &[UsageCount]) -> Result<(), RecordError>;
    /// Charged calls of a month by subscription, of all processes but `boot_id`; all of them, or what changed.
    async fn quota_used_elsewhere(
        &self,
        month: CalendarMonth,
        boot_id: Uuid,
        question: QuotaQuestion,
    ) -> Result<QuotaAnswer, SourceError>;
    /// Lends units of the leased budgets of some subscriptions.
    async fn lease_budgets(&self, boot_id: Uuid, asks: &[LeaseAsk]) -> Result<Vec<LeaseGrant>, SourceError>;
    /// Takes back units that were not spent.
    async fn return_leases(&self, boot_id: Uuid, returns: &[LeaseReturn]) -> Result<(), SourceError>;
    /// Says that processes are gone for good, and all that they counted is stored.
    async fn bury(&self, boots: &[Uuid]) -> Result<(), SourceError>;
    /// Adds calls to the request log. The same ones again change nothing.
    async fn record_requests(&self, calls: &[NewRequest]) -> Result<(), RecordError>;
    /// Reports this gateway.
    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), SourceError>;
}

/// Hints that something changed; each may be missed.
#[async_trait]
pub trait Hints: Send {
    /// Waits for the next hint.
    async fn next(&mut self) -> Result<(), SourceError>;
}

/// What a gateway says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// This process.
    pub boot_id: Uuid,
    /// Its configured name.
    pub name: String,
    /// Its version.
    pub version: &'static str,
    /// The revision it runs.
    pub revision: i64,
    /// Where it stands in its life.
    pub state: GatewayState,
    /// What of the newest revision it does not run, and why.
    pub last_error: Option<String>,
    /// What the revision is made of: equal wherever the same configuration runs.
    pub hash: Option<String>,
    /// All its calls that ended before this are stored.
    pub counted_at: Option<DateTime<Utc>>,
}

/// Where a gateway stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayState {
    /// Nothing is loaded yet.
    Starting,
    /// It serves.
    Serving,
    /// It finishes the calls in flight.
    Draining,
    /// It is gone.
    Stopped,
}

impl GatewayState {
    /// As stored in Postgres.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
        }
    }
}

#[async_trait]
impl Source for Store {
    async fn head(&self) -> Result<(Head, Option<DateTime<Utc>>), SourceError> {
        let (head, now) = self.feed_head_now().await?;
        Ok((head, Some(now)))
    }

    async fn pepper_fingerprint(&self, version: i16) -> Result<Option<String>, SourceError> {
        Ok(self.known_pepper_fingerprint(version).await?)
    }

    async fn full(&self) -> Result<FullLoad, SourceError> {
        Ok(self.feed_full().await?)
    }

    async fn changes(&self, after: i64) -> Result<Option<Vec<FeedChange>>, SourceError> {
        Ok(self.feed_changes(after).await?)
    }

    async fn blueprint(&self, known: Option<&Blueprint>) -> Result<Blueprint, SourceError> {
        let Some(known) = known else { return Ok(self.feed_blueprint().await?) };
        let since = Head { epoch: known.epoch, revision: known.revision };
        Ok(self.feed_blueprint_since(since).await?.onto(known))
    }

    async fn consumers(&self, ids: &[ApplicationId]) -> Result<Vec<ConsumerApplication>, SourceError> {
        Ok(self.feed_consumers(ids).await?)
    }

    async fn listen(&self) -> Result<Box<dyn Hints>, SourceError> {
        Ok(Box::new(self.feed_listen().await?))
    }

    async fn record_usage(&self, counts: &[UsageCount]) -> Result<(), RecordError> {
        Self::record_usage(self, counts).await.map_err(RecordError::from)
    }

    async fn record_requests(&self, calls: &[NewRequest]) -> Result<(), RecordError> {
        Ok(self.insert_requests(calls).await?)
    }

    async fn quota_used_elsewhere(
        &self,
        month: CalendarMonth,
        boot_id: Uuid,
        question: QuotaQuestion,
    ) -> Result<QuotaAnswer, SourceError> {
        Ok(Self::quota_used_elsewhere(self, month, boot_id, question).await?)
    }

    async fn lease_budgets(&self, boot_id: Uuid, asks: &[LeaseAsk]) -> Result<Vec<LeaseGrant>, SourceError> {
        Ok(Self::lease_budgets(self, boot_id, asks).await?)
    }

    async fn return_leases(&self, boot_id: Uuid, returns: &[LeaseReturn]) -> Result<(), SourceError> {
        Ok(Self::return_leases(self, boot_id, returns).await?)
    }

    async fn bury(&self, boots: &[Uuid]) -> Result<(), SourceError> {
        Ok(self.bury_gateways(boots).await?)
    }

    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), SourceError> {
        let report = NodeReport {
            boot_id: heartbeat.boot_id,
            name: &heartbeat.name,
            version: heartbeat.version,
            revision: heartbeat.revision,
            state: heartbeat.state.as_str(),
            last_error: heartbeat.last_error.as_deref(),
            hash: heartbeat.hash.as_deref(),
            counted_at: heartbeat.counted_at,
        };
        Ok(self.gateway_heartbeat(&report).await?)
    }
}

#[async_trait]
impl Hints for Listener {
    async fn next(&mut self) -> Result<(), SourceError> {
        Ok(self.recv().await?)
    }
}

/// Waits until rows are stored, but never longer than `limit`.
pub(crate) async fn timed_record(
    limit: Duration,
    stored: impl Future<Output = Result<(), RecordError>>,
) -> Result<(), RecordError> {
    let stored = tokio::time::timeout(limit, stored).await;
    stored.unwrap_or_else(|_| Err(RecordError::Away("no answer in time".into())))
}

/// Waits for an answer, but never longer than `limit`: a frozen server must not freeze its askers.
pub(crate) async fn timed<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    tokio::time::timeout(limit, answer).await.map_err(|_| SourceError::from("no answer in time"))?
}
