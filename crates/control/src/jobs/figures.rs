//! How the work goes, for operators.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tollgate_store::{
    AfterAttempt, CreditAccountRow, DeliveryFigures, Lane, LaneFigures, ProviderFigures, QueueFigures,
};

use crate::Control;
use crate::mail::Mailer;

/// Attempts since the start of this process: at jobs by kind (done, failed), and to tell webhooks something.
#[derive(Debug, Default)]
pub struct Figures {
    jobs: Mutex<BTreeMap<String, (u64, u64)>>,
    delivered: AtomicU64,
    delayed: AtomicU64,
    dead: AtomicU64,
    messages_refused: AtomicU64,
    /// How somebody signed in, and whether they did.
    sign_ins: Mutex<BTreeMap<(&'static str, bool), u64>>,
}

impl Figures {
    pub(super) fn count(&self, kind: &str, done: bool) {
        let mut kinds = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let (well, ill) = kinds.entry(kind.to_owned()).or_default();
        *(if done { well } else { ill }) += 1;
    }

    /// Somebody sent what claims to be the payment provider's, and is not.
    pub(crate) fn refuse_message(&self) {
        self.messages_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Somebody signed in, or could not: by `password`, `provider` or `passkey`.
    pub(crate) fn count_sign_in(&self, by: &'static str, done: bool) {
        let mut sign_ins = self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner);
        *sign_ins.entry((by, done)).or_default() += 1;
    }

    /// An attempt to tell a webhook something.
    pub(crate) fn count_delivery(&self, after: AfterAttempt) {
        let counter = match after {
            AfterAttempt::Delivered => &self.delivered,
            AfterAttempt::Again(_) => &self.delayed,
            AfterAttempt::Dead => &self.dead,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Control {
    /// Jobs and mails in the Prometheus text format (0.0.4). The queue's own figures are missing while the database is
    /// away.
    pub async fn work_metrics(&self, mailer: &Mailer) -> String {
        let kinds = self.figures.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, values: &[(String, i128)]| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        if let Ok(QueueFigures { lanes, dead }) = self.store.queue_figures().await {
            let each = |pick: fn(&LaneFigures) -> i64| -> Vec<(String, i128)> {
                let named = Lane::ALL.iter().zip(&lanes);
                named
                    .map(|(lane, one)| (format!("{{lane=\"{}\"}}", lane.as_str()), i128::from(pick(one))))
                    .collect()
            };
            let help = "Jobs whose time has come, by lane: prompt, long (over everything), many (one of many of a kind).";
            metric("tollgate_jobs_due", "gauge", help, &each(|one| one.due));
            let help = "How long the oldest due job of a lane has waited.";
            metric("tollgate_jobs_oldest_due_seconds", "gauge", help, &each(|one| one.oldest_seconds));
            metric(
                "tollgate_jobs_dead",
                "gauge",
                "Jobs that were given up.",
                &[(String::new(), i128::from(dead))],
            );
        }
        if let Ok(DeliveryFigures { pending, due, oldest_seconds, disabled }) =
            self.store.delivery_figures().await
        {
            let one = |value: i64| [(String::new(), i128::from(value))];
            let help = "Deliveries to webhooks that neither arrived nor were given up.";
            metric("tollgate_webhook_deliveries_pending", "gauge", help, &one(pending));
            metric(
                "tollgate_webhook_deliveries_due",
                "gauge",
                "Of them, those whose time has come.",
                &one(due),
            );
            let help = "How long the oldest due delivery has waited.";
            metric("tollgate_webhook_oldest_due_seconds", "gauge", help, &one(oldest_seconds));
            let help = "Webhooks that were switched off because they did not work.";
            metric("tollgate_webhooks_disabled", "gauge", help, &one(disabled));
        }
        if let Ok(Some(differences)) = self.store.proof_differences().await {
            let help = "Differences between what was allowed, metered and invoiced, in the latest proofs; alert above 0.";
            metric("tollgate_proof_differences", "gauge", help, &[(String::new(), i128::from(differences))]);
        }
        if let Ok((caps, reached)) = self.store.spend_cap_figures().await {
            let one = |value: i64| [(String::new(), i128::from(value))];
            metric("tollgate_spend_caps", "gauge", "Subscriptions with a spend cap.", &one(caps));
            let help = "Of them, those whose cap of this month allows no further call.";
            metric("tollgate_spend_caps_reached", "gauge", help, &one(reached));
        }
        if let Ok(accounts) = self.store.credit_figures().await {
            let each = |pick: fn(&CreditAccountRow) -> u64| -> Vec<(String, i128)> {
                let labelled = accounts.iter();
                labelled
                    .map(|one| (format!("{{currency=\"{}\"}}", one.currency.as_str()), i128::from(pick(one))))
                    .collect()
            };
            let help = "Credits that customers have, in minor units.";
            metric("tollgate_credits_minor", "gauge", help, &each(|one| one.balance().minor));
            let help = "Of them, what is held for prepaid calls that have no invoice yet.";
            metric("tollgate_credits_held_minor", "gauge", help, &each(|one| one.held().minor));
        }
        let figures = &self.figures;
        let sent =
            [("delivered", &figures.delivered), ("delayed", &figures.delayed), ("dead", &figures.dead)];
        let sent = sent.map(|(result, count)| {
            (format!("{{result=\"{result}\"}}"), i128::from(count.load(Ordering::Relaxed)))
        });
        let help = "Attempts to tell webhooks something: it arrived, is tried again, or was given up.";
        metric("tollgate_webhook_attempts_total", "counter", help, &sent);
        if let Ok(failing) = self.store.count_failing_orders().await {
            let help = "Certificates whose authority did not issue them when asked last.";
            metric(
                "tollgate_certificate_orders_failing",
                "gauge",
                help,
                &[(String::new(), i128::from(failing))],
            );
        }
        let labelled = |kind: &str, result: &str| format!("{{kind=\"{kind}\",result=\"{result}\"}}");
        let attempts: Vec<_> = kinds
            .iter()
            .flat_map(|(kind, (well, ill))| {
                [(labelled(kind, "done"), i128::from(*well)), (labelled(kind, "failed"), i128::from(*ill))]
            })
            .collect();
        metric("tollgate_job_attempts_total", "counter", "Attempts at jobs.", &attempts);
        let mails = mailer.figures();
        let mails = [("sent", mails.sent), ("failed", mails.failed)]
            .map(|(result, value)| (format!("{{result=\"{result}\"}}"), i128::from(value)));
        metric("tollgate_mails_total", "counter", "Mails handed to the mail server, or not.", &mails);
        if let Ok(money) = self.store.provider_figures().await {
            for (name, help, value) in of_money(&money) {
                metric(name, "gauge", help, &[(String::new(), i128::from(value))]);
            }
        }
        let sign_ins = self.figures.sign_ins.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sign_ins: Vec<_> = sign_ins
            .iter()
            .map(|((by, done), count)| {
                let result = if *done { "done" } else { "refused" };
                (format!("{{by=\"{by}\",result=\"{result}\"}}"), i128::from(*count))
            })
            .collect();
        metric("tollgate_sign_ins_total", "counter", "Sign-ins, by what somebody showed.", &sign_ins);
        let refused = i128::from(self.figures.messages_refused.load(Ordering::Relaxed));
        let help = "Messages that claimed to be the payment provider's and were not.";
        metric("tollgate_payment_messages_refused_total", "counter", help, &[(String::new(), refused)]);
        text
    }
}

/// How the talk with the payment provider goes: names, what they mean, values.
const fn of_money(money: &ProviderFigures) -> [(&'static str, &'static str, i64); 9] {
    [
        (
            "tollgate_payment_calls_waiting",
            "Calls to the payment provider that are not done.",
            money.calls_waiting,
        ),
        (
            "tollgate_payment_calls_oldest_seconds",
            "How long the oldest call to the payment provider has waited.",
            money.oldest_call_seconds,
        ),
        (
            "tollgate_payment_events_queued",
            "Events of the payment provider not handled yet.",
            money.events_queued,
        ),
        (
            "tollgate_payment_events_foreign",
            "Events of another mode or account than ours: the provider is set up wrongly.",
            money.events_foreign,
        ),
        (
            "tollgate_payment_events_odd",
            "Events of the last day in another version of the provider's interface than ours; they were handled.",
            money.events_odd,
        ),
        (
            "tollgate_payment_differences",
            "Differences from the payment provider's invoices at the last comparison.",
            money.differences,
        ),
        (
            "tollgate_payment_returns_failed",
            "Refunds and credit notes that the payment provider refused, and about which nobody has decided.",
            money.failed_returns,
        ),
        ("tollgate_invoices_failed", "Open invoices that could not be collected.", money.failed_invoices),
        (
            "tollgate_subscriptions_landed",
            "Subscriptions stopped or throttled for an unpaid invoice.",
            money.landed_subscriptions,
        ),
    ]
}
