//! Carries noted calls to Postgres, a batch a second, beside the calls.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tollgate_store::NewRequest;
use uuid::Uuid;

use super::RequestLog;
use crate::feed::source::{RecordError, Source, timed_record};
use crate::settings::Settings;

/// Rows of one statement.
const BATCH: usize = 1_000;
/// Statements of one round at most; what is left has its turn a second later.
const BATCHES: usize = 8;

/// Where calls are carried from and to.
pub(crate) struct Carrier {
    log: Arc<RequestLog>,
    source: Arc<dyn Source>,
    settings: Arc<Settings>,
    node: Uuid,
    next_id: i64,
    /// What could not be handed in last time; it is tried again before newer ones.
    waiting: Vec<NewRequest>,
    answered: bool,
}

impl Carrier {
    pub(crate) fn new(
        log: Arc<RequestLog>,
        source: Arc<dyn Source>,
        settings: Arc<Settings>,
        node: Uuid,
    ) -> Self {
        // Counted from a random place, for two gateways may see calls end in the same microsecond.
        let next_id = i64::from(rand::random::<u32>()) << 24;
        Self { log, source, settings, node, next_id, waiting: Vec::new(), answered: true }
    }

    /// Carries until `stop`, then once more.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.settings.flush_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.round().await;
        }
        self.round().await;
    }

    async fn round(&mut self) {
        for _ in 0..BATCHES {
            if self.waiting.is_empty() {
                self.fill();
            }
            if self.waiting.is_empty() || !self.hand_in().await {
                return;
            }
        }
    }

    fn fill(&mut self) {
        let ring = self.log.ring();
        while self.waiting.len() < BATCH
            && let Some(slot) = ring.take()
        {
            self.waiting.push(slot.row(self.next_id, self.node, self.settings.request_log_addresses));
            self.next_id += 1;
            ring.give_back(slot);
        }
    }

    /// Says whether it may go on.
    async fn hand_in(&mut self) -> bool {
        let stored =
            timed_record(self.settings.query_timeout, self.source.record_requests(&self.waiting)).await;
        match stored {
            Ok(()) => {
                self.waiting.clear();
                self.answered = true;
                true
            }
            Err(RecordError::Refused(error)) => {
                tracing::error!(%error, calls = self.waiting.len(), "the database refuses logged calls for good");
                self.log.ring().lost(self.waiting.len() as u64);
                self.waiting.clear();
                true
            }
            Err(error) => {
                if self.answered {
                    tracing::warn!(%error, "cannot store logged calls; the newest are kept in memory");
                }
                self.answered = false;
                false
            }
        }
    }
}
