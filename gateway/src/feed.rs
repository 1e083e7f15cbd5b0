//! Keeps the running configuration in step with Postgres, and the last good one when Postgres is away.
//!
//! A notification is only a hint: the revision number decides, and it is also asked for every two seconds. Consumers
//! are replaced one by one, the blueprint as a whole. A row that does not compile keeps no other back: what it breaks stays
//! as it was, and is on record. Nothing here is ever waited for by a call.

mod listen;
pub mod source;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::disk::{DataDir, Position};
use crate::fingerprint::Fingerprint;
use crate::live::Live;
use crate::settings::Settings;
use crate::time;
use source::{FeedChange, FeedKind, Head, Source, SourceError, timed};

/// How long after a change the configuration is saved to disk, so that a burst is saved once.
const SAVE_AFTER: Duration = Duration::from_secs(1);

/// How long changes of a burst are gathered at most, however long it took to apply those before.
const GATHER_MAX: Duration = Duration::from_millis(200);

/// How long after a failure it is tried again; a full disk is not emptied by asking.
const SAVE_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How often meters that nobody needs any more are forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(600);

pub(crate) struct Feed {
    source: Arc<dyn Source>,
    live: Arc<Live>,
    data: Arc<DataDir>,
    settings: Arc<Settings>,
    hint: Arc<Notify>,
    /// Hints before this wait for it.
    may_ask_at: tokio::time::Instant,
    known: Option<Head>,
    unsaved: bool,
    save_at: tokio::time::Instant,
    save_took: Duration,
    saving: Option<tokio::task::JoinHandle<Saving>>,
    answered: bool,
}

impl Feed {
    pub(crate) fn new(
        source: Arc<dyn Source>,
        live: Arc<Live>,
        data: Arc<DataDir>,
        settings: Arc<Settings>,
    ) -> Self {
        let hint = Arc::new(Notify::new());
        Self {
            source,
            live,
            data,
            settings,
            hint,
            may_ask_at: tokio::time::Instant::now(),
            known: None,
            unsaved: false,
            save_at: tokio::time::Instant::now(),
            save_took: Duration::ZERO,
            saving: None,
            answered: true,
        }
    }

    /// Starts from what was saved, the newest that is whole and still compiles; says whether there was one. The first
    /// answer of the control plane replaces it wholly, so that what a former process refused is tried again.
    pub(crate) async fn start_from_disk(&mut self) -> bool {
        let mut saved = self.data.saved_runtimes();
        loop {
            let opened = tokio::task::spawn_blocking(move || (saved.next(), saved)).await;
            let Ok((Some(found), others)) = opened else { return false };
            saved = others;
            let revision = found.position.revision;
            if let Some(fingerprint) = self.live.restore(found).await {
                tracing::info!(revision, "serving the configuration saved on disk");
                self.live.status.applied(revision);
                self.live.status.fingerprinted(revision, fingerprint);
                return true;
            }
        }
    }

    /// Follows the source until `stop`.
    pub(crate) async fn follow(mut self, stop: CancellationToken) {
        let listening = tokio::spawn(listen::listen(
            Arc::clone(&self.source),
            Arc::clone(&self.hint),
            self.settings.query_timeout,
            stop.clone(),
        ));
        let mut tidy_at = tokio::time::Instant::now() + TIDY_EVERY;
        loop {
            if tidy_at <= tokio::time::Instant::now() {
                tidy_at += TIDY_EVERY;
                self.live.tidy();
            }
            let was_unsaved = self.unsaved;
            let asked = tokio::time::Instant::now();
            self.catch_up_logged().await;
            // The first of a burst of changes is applied at once, the others together: where one came while those before
            // were applied, they come faster than that, and as much time is left to all else.
            let answered = tokio::time::Instant::now();
            let gather = match self.hint.notified().now_or_never() {
                Some(()) => {
                    self.hint.notify_one();
                    (answered - asked).min(GATHER_MAX)
                }
                None => Duration::ZERO,
            };
            self.may_ask_at = answered + gather.max(self.settings.debounce);
            if self.unsaved && !was_unsaved {
                // A large configuration is saved less often: a twentieth of the time at most.
                self.save_at = tokio::time::Instant::now() + SAVE_AFTER.max(self.save_took * 20);
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.hint.notified() => tokio::time::sleep_until(self.may_ask_at).await,
                () = tokio::time::sleep(jittered(self.settings.poll_every)) => {}
                () = tokio::time::sleep_until(self.save_at), if self.unsaved && self.saving.is_none() => {
                    self.begin_to_save();
                }
                saved = ended(&mut self.saving) => self.saved(saved),
            }
        }
        if self.saving.is_some() {
            let saved = ended(&mut self.saving).await;
            self.saved(saved);
        }
        if self.unsaved {
            self.begin_to_save();
        }
        if self.saving.is_some() {
            let saved = ended(&mut self.saving).await;
            self.saved(saved);
        }
        // It ends with the same token.
        let _ = listening.await;
    }

    /// Brings the running configuration up to the newest revision, and logs only when things turn.
    pub(crate) async fn catch_up_logged(&mut self) {
        match self.catch_up().await {
            Ok(()) if !self.answered => tracing::info!("the control plane answers again"),
            Err(error) if self.answered => {
                tracing::warn!(%error, "the control plane does not answer; serving on with what is loaded");
                self.answered = false;
                return;
            }
            Err(error) => return tracing::debug!(%error, "the control plane still does not answer"),
            Ok(()) => {}
        }
        self.answered = true;
    }

    async fn catch_up(&mut self) -> Result<(), SourceError> {
        let limit = self.settings.query_timeout;
        let asked = Instant::now();
        let (head, now) = timed(limit, self.source.head()).await?;
        if let Some(now) = now {
            time::told(now, asked);
        }
        self.live.status.seen(head.revision);
        let Some(known) =
            self.known.filter(|known| known.epoch == head.epoch && known.revision <= head.revision)
        else {
            return self.load_all().await;
        };
        if head.revision == known.revision {
            return Ok(());
        }
        match timed(limit, self.source.changes(known.revision)).await? {
            Some(changes) => self.apply(head, &changes).await,
            None => self.load_all().await,
        }
    }

    /// Applies all `changes` up to `head`, which was read before them.
    async fn apply(&mut self, head: Head, changes: &[FeedChange]) -> Result<(), SourceError> {
        let limit = self.settings.query_timeout;
        let mut applications = HashSet::new();
        let mut blueprint_changed = false;
        let mut revision = head.revision;
        for change in changes {
            revision = revision.max(change.revision);
            match change.kind {
                FeedKind::Blueprint => blueprint_changed = true,
                FeedKind::Consumer(id) => drop(applications.insert(id)),
            }
        }
        // Consumers are read first, so that the blueprint read after them knows every plan they name.
        let ids: Vec<_> = applications.into_iter().collect();
        let consumers = match ids.is_empty() {
            true => Vec::new(),
            false => timed(limit, self.source.consumers(&ids)).await?,
        };
        let read = match blueprint_changed {
            true => {
                let known = self.live.sound_blueprint();
                timed(limit, self.source.blueprint(known.as_deref())).await.map(Some)
            }
            false => Ok(None),
        };
        // Whatever became of the blueprint, unread or refused (that is on record in the status), revocations do not
        // wait for it. What is applied twice changes nothing.
        let read = match read {
            Ok(Some(blueprint)) => {
                self.live.apply_blueprint(blueprint).await;
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        self.live.apply_consumers(&ids, consumers);
        read?;
        self.known = Some(Head { revision, ..head });
        self.report(revision);
        self.unsaved = true;
        Ok(())
    }

    /// A gateway that runs an old blueprint reports the old revision, though newer consumers are in force.
    fn report(&self, revision: i64) {
        if !self.live.status.is_refused() {
            self.live.status.applied(revision);
        }
    }

    async fn load_all(&mut self) -> Result<(), SourceError> {
        // Everything may be much, on a machine that is busy; it gets more time than a question, but not for ever.
        let load = timed(self.settings.query_timeout * 24, self.source.full()).await?;
        let head = Head { epoch: load.blueprint.epoch, revision: load.blueprint.revision };
        let accepted = self.live.replace(load.blueprint, load.applications).await;
        self.known = Some(head);
        self.live.status.loaded_all();
        self.report(head.revision);
        self.unsaved |= accepted;
        Ok(())
    }

    /// Saves beside all else: a revocation does not wait for a million keys to be written.
    fn begin_to_save(&mut self) {
        self.unsaved = false;
        let (Some(head), Some(blueprint)) = (self.known, self.live.blueprint()) else { return };
        if self.data.is_handed_over() {
            return;
        }
        let (live, data) = (Arc::clone(&self.live), Arc::clone(&self.data));
        let position = Position { epoch: head.epoch, revision: head.revision };
        self.saving = Some(tokio::task::spawn_blocking(move || {
            let began = std::time::Instant::now();
            let result = data.save_runtime(position, &blueprint, |take| live.consumers.for_each(take));
            Saving { position, result, took: began.elapsed() }
        }));
    }

    fn saved(&mut self, saved: Option<Saving>) {
        self.saving = None;
        let Some(Saving { position, result, took }) = saved else { return };
        self.save_took = took;
        match result {
            // What changed while it was written may be in it or not; the next saving tells.
            Ok(_) if self.known.is_some_and(|known| known.revision != position.revision) => {}
            Ok(fingerprint) => self.live.status.fingerprinted(position.revision, fingerprint),
            Err(error) => {
                tracing::error!(%error, "cannot save the configuration to disk; what was saved before stays");
                self.unsaved = true;
                self.save_at = tokio::time::Instant::now() + SAVE_AGAIN_AFTER;
            }
        }
    }
}

/// What became of a configuration that was to be saved.
struct Saving {
    position: Position,
    result: std::io::Result<Fingerprint>,
    took: Duration,
}

/// Waits for the end of a saving; for ever where there is none.
async fn ended(saving: &mut Option<tokio::task::JoinHandle<Saving>>) -> Option<Saving> {
    match saving {
        Some(saving) => saving.await.inspect_err(|error| tracing::error!(%error, "saving failed")).ok(),
        None => std::future::pending().await,
    }
}

/// `every`, give or take a fifth, so that many gateways do not ask at once.
fn jittered(every: Duration) -> Duration {
    every.mul_f64(rand::random_range(0.8..1.2))
}
