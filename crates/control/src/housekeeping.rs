//! What must be done at start and now and then.

use crate::{Control, Error, Result};

impl Control {
    /// Checks that the peppers are those that this database's keys were hashed with.
    ///
    /// # Errors
    /// `Conflict` naming the version whose pepper is another one; or the database is away.
    pub async fn check_peppers(&self) -> Result<()> {
        for version in self.peppers.versions() {
            let Some(fingerprint) = self.peppers.fingerprint(version) else { continue };
            if self.store.pepper_fingerprint(version, &fingerprint).await? != fingerprint {
                return Err(Error::Conflict(format!(
                    "pepper {version} is not the one this database was set up with; no key would be recognised"
                )));
            }
        }
        self.look_at_seals().await.map(drop)
    }

    /// Forgets what is over: sessions, sign-in attempts, setup links, old lines of the change log, whose calls were
    /// counted by which gateway that is no more, single calls of a month ago, usage of
    /// months that need not be kept. And lets the search find what was published before there was one.
    ///
    /// # Errors
    /// The database is away.
    pub async fn sweep(&self) -> Result<()> {
        self.store.sweep_expired().await?;
        self.store.sweep_kept_answers().await?;
        self.store.feed_prune().await?;
        self.store.fold_quota_usage().await?;
        self.store.sweep_budgets().await?;
        self.store.keep_request_days().await?;
        self.store.sweep_jobs().await?;
        self.store.sweep_events().await?;
        self.store.sweep_incidents().await?;
        self.end_shadows().await?;
        self.store.keep_usage_months().await?;
        self.find_what_is_published().await?;
        Ok(())
    }
}
