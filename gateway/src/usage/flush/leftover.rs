//! Journals that earlier processes left behind, on their way to Postgres.

use std::path::PathBuf;

use super::{Flush, Refused};
use crate::fail_point;
use crate::feed::source::{RecordError, timed};
use crate::usage::journal::Recovered;
use crate::usage::leftovers::Leftovers;
use crate::usage::parcel::{Parcel, Verdict};

/// A journal of an earlier process on its way.
pub(super) struct Leftover {
    path: PathBuf,
    pub(super) journal: Recovered,
    parcel: Parcel,
    refused: Refused,
}

impl Flush {
    /// Takes what another process left.
    pub(super) fn adopt(&mut self, found: Leftovers) {
        self.status.set_aside(found.set_aside as u64);
        self.ledger.hold(found.recovered.iter().map(|(_, journal)| journal.file_bytes).sum());
        let leftover = |(path, journal): (PathBuf, Recovered)| Leftover {
            path,
            parcel: Parcel::new(journal.counts.len()),
            journal,
            refused: Refused::default(),
        };
        // What a damaged journal does not tell may have been spent.
        if found.set_aside == 0 {
            let whole = found.recovered.iter().filter(|(_, journal)| journal.damaged_slots == 0);
            self.gone.extend(whole.map(|(_, journal)| journal.boot_id));
        }
        self.leftovers.extend(found.recovered.into_iter().map(leftover));
    }

    pub(super) async fn flush_leftovers(&mut self) -> Result<(), RecordError> {
        while let Some(leftover) = self.leftovers.last_mut() {
            let refused = &mut leftover.refused;
            let tell = |_: usize, verdict: Verdict<'_>| {
                if let Verdict::Refused(error) = verdict {
                    refused.note(error);
                }
            };
            let limit = self.settings.query_timeout;
            let sent =
                leftover.parcel.send(self.source.as_ref(), limit, &leftover.journal.counts, tell).await;
            if let Err(error) = sent {
                if matches!(error, RecordError::Failed(_)) {
                    // The others first.
                    self.leftovers.rotate_right(1);
                }
                return Err(error);
            }
            if let Some(done) = self.leftovers.pop() {
                self.quota.leftover_stored(&done.journal.counts);
                self.ledger.release(done.journal.file_bytes);
                if done.refused.counts > 0 {
                    self.gone.retain(|boot_id| *boot_id != done.journal.boot_id);
                }
                self.clear_away(&done);
            }
        }
        self.bury().await;
        Ok(())
    }

    /// All that processes before this one counted is stored: what they were lent and did not spend can be lent again.
    async fn bury(&mut self) {
        if self.gone.is_empty() {
            return;
        }
        self.gone.sort_unstable();
        self.gone.dedup();
        // Where it does not arrive, it is said again with the next flush.
        if timed(self.settings.query_timeout, self.source.bury(&self.gone)).await.is_ok() {
            self.gone.clear();
        }
    }

    fn clear_away(&self, done: &Leftover) {
        let Leftover { path, journal, refused, .. } = done;
        let cleared = if refused.counts > 0 {
            self.status.set_aside(1);
            self.status.refused(refused.counts);
            tracing::error!(
                file = %path.display(),
                counts = journal.counts.len(),
                refused = refused.counts,
                cause = refused.cause,
                "a usage journal of an earlier process is set aside as *.damaged: the database refused some of its counts"
            );
            std::fs::rename(path, path.with_extension("damaged"))
        } else {
            if !journal.counts.is_empty() {
                tracing::info!(
                    counts = journal.counts.len(),
                    "flushed a usage journal of an earlier process"
                );
            }
            fail_point::reach("truncate");
            std::fs::remove_file(path)
        };
        if let Err(error) = cleared {
            tracing::warn!(%error, file = %path.display(), "cannot clear a flushed usage journal away");
        }
    }
}
