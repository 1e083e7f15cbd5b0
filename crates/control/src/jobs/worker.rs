//! Who does the work: leases what is due, does it, and puts off or buries what fails.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tollgate_store::{JobRow, Lane};

use super::Job;
use crate::mail::{MailFault, Mailer, Post};
use crate::provider::ProviderFault;
use crate::{Control, Error};

/// How long the worker rests when nothing is due.
const REST: Duration = Duration::from_secs(2);
/// After this a job is taken for stuck. Its lease is longer, so that no second worker begins it before.
const TIME_MAX: Duration = Duration::from_secs(60);
const LEASE_SECONDS: i32 = 120;
/// The pauses grow from 10 s to an hour; all of them together are about a day.
const ATTEMPTS_MAX: i32 = 30;
const PAUSE_SECONDS: f64 = 10.0;
const PAUSE_SECONDS_MAX: f64 = 3_600.0;

/// Jobs of a lane done at once: so few that pages and calls of the admin API find a connection beside all of them.
const fn at_once(lane: Lane) -> i64 {
    match lane {
        Lane::Prompt | Lane::Many => 4,
        // Closing a month takes several connections by itself.
        Lane::Long => 2,
    }
}

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A use case failed.
    #[error(transparent)]
    Control(#[from] Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] tollgate_store::Error),
    /// The mail did not leave.
    #[error(transparent)]
    Mail(#[from] MailFault),
    /// It took too long.
    #[error("it took longer than {} s", TIME_MAX.as_secs())]
    Stuck,
    /// The row is none that this version can read.
    #[error("not a job that this version knows")]
    Unknown,
}

impl Failure {
    const fn may_pass(&self) -> bool {
        match self {
            Self::Mail(fault) => fault.may_pass(),
            // A newer version beside us may know it.
            Self::Control(_) | Self::Store(_) | Self::Stuck | Self::Unknown => true,
        }
    }
}

/// Seconds to wait after an attempt: twice as long each time, spread by a quarter, so that what failed together does not
/// come back together.
fn pause_seconds(attempts: i32, spread: f64) -> f64 {
    let doubled = PAUSE_SECONDS * 2f64.powi(attempts.clamp(1, 20) - 1);
    doubled.min(PAUSE_SECONDS_MAX) * (0.75 + 0.5 * spread)
}

impl Control {
    /// Works through the queue until told to stop; what was begun is finished first.
    pub async fn work(self, mailer: Arc<Mailer>, shutdown: CancellationToken) {
        let deliveries = tokio::spawn(self.clone().work_on_deliveries(shutdown.clone()));
        self.work_on_jobs(mailer, shutdown).await;
        if let Err(error) = deliveries.await {
            tracing::error!(%error, "the deliveries to webhooks panicked");
        }
    }

    /// Tells webhooks what happened. Beside the jobs: receivers that are slow hold up no mail.
    async fn work_on_deliveries(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let done = self.deliver_once().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the queue of deliveries cannot be read; trying again");
                0
            });
            if done == 0 {
                let _ = shutdown.run_until_cancelled(tokio::time::sleep(REST)).await;
            }
        }
    }

    /// The lanes, each by itself: what is slow in one keeps nobody waiting in another.
    async fn work_on_jobs(self, mailer: Arc<Mailer>, shutdown: CancellationToken) {
        let mut lanes = JoinSet::new();
        for lane in Lane::ALL {
            lanes.spawn(self.clone().work_on_lane(lane, Arc::clone(&mailer), shutdown.clone()));
        }
        while let Some(ended) = lanes.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a lane of jobs panicked");
            }
        }
    }

    async fn work_on_lane(self, lane: Lane, mailer: Arc<Mailer>, shutdown: CancellationToken) {
        let mut prepared = lane != Lane::Prompt;
        while !shutdown.is_cancelled() {
            if !prepared {
                prepared = self.queue_periodic().await.is_ok();
            }
            let done = self.work_once_in(lane, &mailer).await.unwrap_or_else(|error| {
                tracing::warn!(%error, lane = lane.as_str(), "the queue of jobs cannot be read; trying again");
                0
            });
            if done == 0 {
                let _ = shutdown.run_until_cancelled(tokio::time::sleep(REST)).await;
            }
        }
    }

    /// Does what is due now, a few jobs of each lane at most; returns how many were begun.
    ///
    /// # Errors
    /// The database is away.
    pub async fn work_once(&self, mailer: &Arc<Mailer>) -> crate::Result<usize> {
        let mut begun = 0;
        for lane in Lane::ALL {
            begun += self.work_once_in(lane, mailer).await?;
        }
        Ok(begun)
    }

    async fn work_once_in(&self, lane: Lane, mailer: &Arc<Mailer>) -> crate::Result<usize> {
        let jobs = self.store.lease_jobs(lane, at_once(lane), LEASE_SECONDS).await?;
        let begun = jobs.len();
        if jobs.is_empty() {
            return Ok(0);
        }
        // Under which name a mail goes out matters less than that it does.
        let name = self.store.get_look().await.ok().and_then(|look| look.name);
        let mut running = JoinSet::new();
        for job in jobs {
            let (control, mailer, name) = (self.clone(), Arc::clone(mailer), name.clone());
            running.spawn(async move { control.attempt(&job, &mailer.post(name)).await });
        }
        while let Some(ended) = running.join_next().await {
            // A panic leaves the lease to run out, and the job to be tried again.
            if let Err(error) = ended {
                tracing::error!(%error, "a job panicked");
            }
        }
        Ok(begun)
    }

    async fn attempt(&self, row: &JobRow, post: &Post<'_>) {
        let job = Job::read(&row.kind, &row.payload).map_err(|_| Failure::Unknown);
        let period = job.as_ref().ok().and_then(Job::period);
        let outcome = match job {
            Ok(job) => match tokio::time::timeout(TIME_MAX, self.run(row.id, job, post)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Failure::Stuck),
            },
            Err(failure) => Err(failure),
        };
        self.figures.count(&row.kind, outcome.is_ok());
        let noted = match (&outcome, period) {
            (Ok(()), None) => self.store.finish_job(row).await,
            (Ok(()), Some(period)) => self.store.postpone_job(row, period.as_secs_f64(), None).await,
            (Err(failure), period) => self.put_off(row, failure, period.is_some()).await,
        };
        if let Err(error) = noted {
            tracing::warn!(%error, kind = row.kind, "a job's end was not noted; it will be begun again");
        }
    }

    async fn put_off(
        &self,
        row: &JobRow,
        failure: &Failure,
        periodic: bool,
    ) -> Result<(), tollgate_store::Error> {
        let text = failure.to_string();
        // What was promised to a payment provider is never given up because it is away.
        let patient = matches!(failure, Failure::Control(Error::Provider(ProviderFault::Unavailable(_))));
        if periodic || patient || (failure.may_pass() && row.attempts < ATTEMPTS_MAX) {
            tracing::warn!(
                kind = row.kind,
                attempts = row.attempts,
                error = text,
                "a job failed; trying again"
            );
            let pause = pause_seconds(row.attempts, rand::rng().random());
            return self.store.postpone_job(row, pause, Some(&text)).await;
        }
        tracing::error!(kind = row.kind, attempts = row.attempts, error = text, "a job was given up");
        self.store.bury_job(row, &text).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_are_spread() {
        assert!((pause_seconds(1, 0.5) - 10.0).abs() < 1e-9);
        assert!((pause_seconds(3, 0.5) - 40.0).abs() < 1e-9);
        assert!((pause_seconds(30, 0.5) - 3_600.0).abs() < 1e-9);
        assert!((pause_seconds(1, 0.0) - 7.5).abs() < 1e-9 && (pause_seconds(1, 1.0) - 12.5).abs() < 1e-9);
        let all: f64 = (1..ATTEMPTS_MAX).map(|attempts| pause_seconds(attempts, 0.5)).sum();
        assert!((70_000.0..90_000.0).contains(&all), "about a day: {all}");
    }
}
