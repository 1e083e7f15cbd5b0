//! Deadlines that cost a call nothing: one alarm per connection that is set late, and patience that is earned back.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// An alarm that is only set anew when it would ring too late. One that rings too early is set to what is due then;
/// so calls whose deadlines move on ahead of them touch no timer at all.
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    /// Whom it wakes; none while it is not set.
    wakes: Option<Waker>,
}

impl Alarm {
    /// Not set before it is first waited for.
    pub(crate) fn new(due: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(due)), wakes: None }
    }

    /// Ready at `due`.
    pub(crate) fn poll_until(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        if self.sleep.deadline() > due {
            self.sleep.as_mut().reset(due);
        }
        // It is set, will wake whoever asks, and has not rung: there is nothing to do.
        let is_set = self.wakes.as_ref().is_some_and(|wakes| wakes.will_wake(cx.waker()));
        if is_set && !self.sleep.is_elapsed() {
            return Poll::Pending;
        }
        self.wakes = None;
        while self.sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(due);
        }
        self.wakes = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// How long somebody is waited for in all. Time passes only while they are waited for; every byte wins some of it back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    most: Duration,
    left: Duration,
    /// Bytes that win back a second; none where any byte wins back everything.
    rate: Option<u64>,
    due: Option<Instant>,
}

impl Patience {
    pub(crate) const fn new(most: Duration, rate: Option<u64>) -> Self {
        Self { most, left: most, rate, due: None }
    }

    /// Nothing comes: until when is it waited for?
    pub(crate) fn waits(&mut self) -> Instant {
        self.waits_from(Instant::now)
    }

    /// As [`Patience::waits`], where the present moment is known.
    pub(crate) fn waits_from(&mut self, now: impl FnOnce() -> Instant) -> Instant {
        *self.due.get_or_insert_with(|| now() + self.left)
    }

    /// When the present wait ends, if there is one.
    pub(crate) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// So many bytes came, or went.
    pub(crate) fn came(&mut self, bytes: usize) {
        let Some(due) = self.due.take() else { return };
        self.left = match self.rate {
            None => self.most,
            Some(rate) => {
                let earned = Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64);
                (due.saturating_duration_since(Instant::now()) + earned).min(self.most)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_alarm_rings_when_it_is_due_however_the_deadline_moves() {
        let began = Instant::now();
        let after = |seconds| began + Duration::from_secs(seconds);
        let mut alarm = Alarm::new(after(10));
        for (due, rings) in [(60, 60), (61, 61), (62, 62), (62, 62), (200, 200), (201, 201)] {
            poll_fn(|cx| alarm.poll_until(cx, after(due))).await;
            assert_eq!(began.elapsed().as_secs(), rings);
        }
        // Asked for a later moment first, then for an earlier one.
        let waker = std::task::Waker::noop();
        assert!(alarm.poll_until(&mut Context::from_waker(waker), after(300)).is_pending());
        poll_fn(|cx| alarm.poll_until(cx, after(250))).await;
        assert_eq!(began.elapsed().as_secs(), 250);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_is_used_up_by_waiting_and_earned_by_bytes() {
        let mut patience = Patience::new(Duration::from_secs(10), Some(100));
        let began = Instant::now();
        assert_eq!(patience.waits(), began + Duration::from_secs(10));
        tokio::time::advance(Duration::from_secs(8)).await;
        patience.came(100);
        assert_eq!(patience.waits(), Instant::now() + Duration::from_secs(3));
        tokio::time::advance(Duration::from_secs(1)).await;
        patience.came(1_000_000);
        // Time that nobody waited is not counted.
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(patience.waits(), Instant::now() + Duration::from_secs(10));
    }
}
