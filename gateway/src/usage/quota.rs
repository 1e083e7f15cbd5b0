//! What was used of each quota by others: asked for once as a whole, then by its changes, and kept on disk for a start
//! without Postgres.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tollgate_domain::{CalendarMonth, SubscriptionId, UsageCount};
use uuid::Uuid;

use super::flush::minute_of;
use super::leftovers::charged_by_subscription;
use super::parcel::with_causes;
use super::status::FlushStatus;
use crate::disk::{DataDir, SavedQuota};
use crate::feed::source::{QuotaAnswer, QuotaMark, QuotaQuestion, Source, SourceError, timed};
use crate::live::Live;
use crate::settings::Settings;
use crate::time;

/// How often the quota file is written where something changed.
const SAVE_EVERY: Duration = Duration::from_secs(10);
/// A question that took long is not asked again at once: asking takes a fifth of the time at most.
const REST: u32 = 4;

pub(super) struct Quota {
    source: Arc<dyn Source>,
    live: Arc<Live>,
    data: Arc<DataDir>,
    settings: Arc<Settings>,
    status: Arc<FlushStatus>,
    boot_id: Uuid,
    month: CalendarMonth,
    /// What this process charged in minutes that are already settled.
    settled: HashMap<SubscriptionId, u64>,
    /// Minutes below this one are settled.
    settled_before: u32,
    elsewhere: HashMap<SubscriptionId, u64>,
    /// Whether `elsewhere` contains what earlier processes left on this disk, handed in or not.
    leftovers_contained: bool,
    /// From where to ask for changes; none before all was asked for.
    mark: Option<QuotaMark>,
    /// The pages of all so far; kept when asking is cut short.
    loading: Option<Loading>,
    ask_at: Instant,
    answered: bool,
    save_at: Instant,
    unsaved: bool,
}

struct Loading {
    month: CalendarMonth,
    mark: Option<QuotaMark>,
    after: Option<SubscriptionId>,
    used: HashMap<SubscriptionId, u64>,
}

impl Quota {
    pub(super) fn new(
        source: Arc<dyn Source>,
        live: Arc<Live>,
        data: Arc<DataDir>,
        settings: Arc<Settings>,
        status: Arc<FlushStatus>,
        boot_id: Uuid,
    ) -> Self {
        let now = Instant::now();
        Self {
            source,
            live,
            data,
            settings,
            status,
            boot_id,
            month: CalendarMonth::of(time::utc()),
            settled: HashMap::new(),
            settled_before: 0,
            elsewhere: HashMap::new(),
            leftovers_contained: false,
            mark: None,
            loading: None,
            ask_at: now,
            answered: true,
            save_at: now,
            unsaved: false,
        }
    }

    /// Takes what is known on disk: the quota file and the journals that it does not contain yet.
    pub(super) fn take_from_disk<'c>(&mut self, leftovers: impl Iterator<Item = &'c UsageCount>) {
        let saved = self.data.load_quota(self.month).unwrap_or_default();
        let uncounted = leftovers
            .filter(|count| !(count.boot_id == saved.boot_id && count.key.minute < saved.settled_before));
        let charged = charged_by_subscription(uncounted, &minutes_of(self.month));
        for (subscription, count) in charged.into_iter().chain(saved.used) {
            add(&mut self.elsewhere, subscription, count);
        }
        self.leftovers_contained = true;
        self.live.set_used_elsewhere(self.month, &self.elsewhere);
    }

    /// A leftover was handed in. It counts until the next answer contains it, so that a start without one forgets
    /// nothing.
    pub(super) fn leftover_stored(&mut self, counts: &[UsageCount]) {
        if !self.leftovers_contained {
            for (subscription, count) in charged_by_subscription(counts, &minutes_of(self.month)) {
                add(&mut self.elsewhere, subscription, count);
            }
        }
    }

    /// This process's own counts were stored.
    pub(super) const fn own_stored(&mut self) {
        self.unsaved = true;
    }

    /// These counts are final and no journal has them any more.
    pub(super) fn settle(&mut self, minute: u32, counts: &[UsageCount]) {
        for (subscription, count) in charged_by_subscription(counts, &minutes_of(self.month)) {
            add(&mut self.settled, subscription, count);
        }
        self.settled_before = self.settled_before.max(minute + 1);
    }

    /// Asks when it is time to, and says once when there is no answer any more.
    pub(super) async fn ask_when_due(&mut self) {
        let began = Instant::now();
        if began < self.ask_at {
            return;
        }
        let asked = self.ask().await;
        match &asked {
            Ok(()) if !self.answered => {
                tracing::info!("it is known again what other gateways used of quotas")
            }
            Err(error) if self.answered => tracing::warn!(
                error = with_causes(error.as_ref()),
                "cannot ask what other gateways used of quotas; each goes on from what it knows"
            ),
            _ => {}
        }
        self.answered = asked.is_ok();
        self.ask_at = Instant::now() + self.settings.quota_every.max(began.elapsed() * REST);
    }

    /// Asks for changes, or for all at the start, in a new month and where changes cannot be told.
    pub(super) async fn ask(&mut self) -> Result<(), SourceError> {
        let month = CalendarMonth::of(time::utc());
        if let Some(since) = self.mark.filter(|_| month == self.month) {
            let answer = self.question(month, QuotaQuestion::Changed { since }).await?;
            if answer.complete {
                self.mark = Some(answer.mark);
                self.change(answer.used);
                self.status.quota_answered();
                return Ok(());
            }
            self.mark = None;
        }
        let loaded = self.load(month).await?;
        if month != self.month {
            self.month = month;
            self.settled.clear();
        }
        self.mark = loaded.mark;
        self.unsaved |= loaded.used != self.elsewhere;
        self.elsewhere = loaded.used;
        self.leftovers_contained = true;
        self.live.set_used_elsewhere(month, &self.elsewhere);
        self.status.quota_answered();
        Ok(())
    }

    fn change(&mut self, mut used: Vec<(SubscriptionId, u64)>) {
        used.retain(|(subscription, count)| self.elsewhere.get(subscription) != Some(count));
        if !used.is_empty() {
            self.unsaved = true;
            self.elsewhere.extend(used.iter().copied());
            self.live.set_used_elsewhere(self.month, used.iter().map(|(id, count)| (id, count)));
        }
    }

    /// All pages, each asked for within the usual time. Later pages are younger than the mark, which is that of the first:
    /// what changed meanwhile is told again as a change.
    async fn load(&mut self, month: CalendarMonth) -> Result<Loading, SourceError> {
        // Where it was when it was cut short.
        if self.loading.as_ref().is_none_or(|loading| loading.month != month) {
            self.loading = Some(Loading { month, mark: None, after: None, used: HashMap::new() });
        }
        loop {
            let after = self.loading.as_ref().and_then(|loading| loading.after);
            let answer = self.question(month, QuotaQuestion::All { after }).await?;
            if let Some(loading) = &mut self.loading {
                loading.mark.get_or_insert(answer.mark);
                loading.after = answer.used.last().map(|(subscription, _)| *subscription);
                loading.used.extend(answer.used);
            }
            if let Some(all) = self.loading.take_if(|_| answer.complete) {
                return Ok(all);
            }
        }
    }

    async fn question(
        &self,
        month: CalendarMonth,
        question: QuotaQuestion,
    ) -> Result<QuotaAnswer, SourceError> {
        let asked = self.source.quota_used_elsewhere(month, self.boot_id, question);
        timed(self.settings.query_timeout, asked).await
    }

    /// Saves when it is time to and something changed.
    pub(super) async fn save_when_due(&mut self) {
        if self.unsaved && self.save_at <= Instant::now() {
            self.save().await;
        }
    }

    pub(super) async fn save(&mut self) {
        self.unsaved = false;
        if self.data.is_handed_over() {
            return;
        }
        self.save_at = Instant::now() + SAVE_EVERY;
        let mut used = self.elsewhere.clone();
        for (subscription, count) in &self.settled {
            add(&mut used, *subscription, *count);
        }
        let saved = SavedQuota {
            month: self.month.first_day(),
            boot_id: self.boot_id,
            settled_before: self.settled_before,
            used,
        };
        let data = Arc::clone(&self.data);
        match tokio::task::spawn_blocking(move || data.save_quota(&saved)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "cannot save the used quotas to disk"),
            Err(error) => tracing::error!(%error, "saving the used quotas failed"),
        }
    }
}

fn add(sums: &mut HashMap<SubscriptionId, u64>, subscription: SubscriptionId, count: u64) {
    let sum = sums.entry(subscription).or_default();
    *sum = sum.saturating_add(count);
}

fn minutes_of(month: CalendarMonth) -> std::ops::Range<u32> {
    minute_of(month.start())..minute_of(month.end())
}
