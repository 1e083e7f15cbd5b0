//! Counts on their way to Postgres: sent in batches, and a batch that is refused is halved until the rows at fault are
//! found, so that one bad row never holds up another.

use std::error::Error;
use std::ops::Range;
use std::time::Duration;

use tollgate_domain::UsageCount;

use crate::fail_point;
use crate::feed::source::{RecordError, Source, SourceError, timed_record};

/// Counts per statement.
const BATCH: usize = 500;
/// How often batches are halved before the rest has to wait for the next round: a database that refuses everything
/// must not be asked a thousand times a second. Enough to find several bad rows per round.
const HALVINGS_MAX: usize = 64;

/// Which of some counts are still to be sent.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Taken from the end.
    todo: Vec<Range<usize>>,
}

/// What became of a count.
pub(super) enum Verdict<'e> {
    Stored,
    /// For good.
    Refused(&'e SourceError),
}

impl Parcel {
    /// For `len` counts, in their order.
    pub(super) fn new(len: usize) -> Self {
        let starts = (0..len).step_by(BATCH);
        Self { todo: starts.map(|start| start..len.min(start + BATCH)).rev().collect() }
    }

    /// Sends what is still to be sent of `counts`, always the same ones, and tells what became of each. Cut short or
    /// failed, it goes on from there when called again; what failed then comes last.
    pub(super) async fn send(
        &mut self,
        source: &dyn Source,
        limit: Duration,
        counts: &[UsageCount],
        mut tell: impl FnMut(usize, Verdict<'_>),
    ) -> Result<(), RecordError> {
        let mut halvings = 0;
        while let Some(range) = self.todo.last().cloned() {
            fail_point::reach("send");
            match timed_record(limit, source.record_usage(&counts[range.clone()])).await {
                Ok(()) => {
                    fail_point::reach("ack");
                    self.todo.pop();
                    range.for_each(|at| tell(at, Verdict::Stored));
                }
                Err(RecordError::Refused(error)) if range.len() == 1 => {
                    self.todo.pop();
                    tell(range.start, Verdict::Refused(&error));
                }
                Err(RecordError::Refused(error)) if halvings == HALVINGS_MAX => {
                    return Err(RecordError::Failed(error));
                }
                Err(RecordError::Refused(_)) => {
                    halvings += 1;
                    let middle = range.start + range.len() / 2;
                    self.todo.pop();
                    self.todo.extend([middle..range.end, range.start..middle]);
                }
                Err(error @ RecordError::Failed(_)) => {
                    self.todo.rotate_right(1);
                    return Err(error);
                }
                Err(error @ RecordError::Away(_)) => return Err(error),
            }
        }
        Ok(())
    }
}

/// An error with what caused it, in one line.
pub(super) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
