//! How numbers, times, limits and states are written on pages.

use chrono::{DateTime, TimeDelta, Utc};
use tollgate_domain::{
    ApiState, ApplicationState, CredentialState, InvoiceState, Limit, LimitKind, Outcome, PlanState,
    ProductState, RatePolicy, SubscriptionState,
};

use crate::say::{language, say, t};
use tollgate_language as written;

/// An instant as `<time>` shows it.
#[derive(Debug, Clone)]
pub struct Moment {
    /// RFC 3339, for machines.
    pub iso: String,
    /// To the second, in UTC.
    pub exact: String,
    /// Relative to now.
    pub text: String,
}

impl Moment {
    /// `at` as seen from `now`.
    #[must_use]
    pub fn of(at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            iso: at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            exact: exactly(at),
            text: relative(at, now),
        }
    }

    /// `at` with the clock time written out, where seconds matter.
    #[must_use]
    pub fn clock(at: DateTime<Utc>) -> Self {
        Self { text: at.format("%H:%M:%S UTC").to_string(), ..Self::of(at, at) }
    }

    /// `at` as a day: for things that happen at midnight.
    #[must_use]
    pub fn day(at: DateTime<Utc>) -> Self {
        Self {
            text: say("show-on-day").with("day", written::day_of_year(language(), &at)).into(),
            ..Self::of(at, at)
        }
    }
}

/// `6 December`: a day inside a sentence that says until, from or since.
#[must_use]
pub fn day(at: DateTime<Utc>) -> String {
    written::day_of_year(language(), &at)
}

fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let ago = now - at;
    // The database may have looked at its clock after this page did, and may be another machine.
    let (ahead, span) = if ago < TimeDelta::seconds(-2) { (true, -ago) } else { (false, ago) };
    let (amount, before, after) = match span.num_seconds() {
        ..45 => return t(if ahead { "show-in-a-moment" } else { "show-just-now" }).to_owned(),
        45..3_570 => (((span.num_seconds() + 30) / 60).max(1), "show-minutes-ago", "show-in-minutes"),
        3_570..84_600 => ((span.num_seconds() + 1_800) / 3_600, "show-hours-ago", "show-in-hours"),
        84_600..2_592_000 => ((span.num_seconds() + 43_200) / 86_400, "show-days-ago", "show-in-days"),
        _ => return format!("{} {}", written::short_day(language(), &at), at.format("%Y")),
    };
    say(if ahead { after } else { before }).count(amount).into()
}

/// An instant to the second.
#[must_use]
pub fn exactly(at: DateTime<Utc>) -> String {
    format!("{}, {}", written::day(language(), &at), at.format("%H:%M:%S UTC"))
}

/// 12,345 with its thousands apart.
#[must_use]
pub fn number(value: i64) -> String {
    written::number(language(), value)
}

/// A sum of money or a price, as the reader writes it: `1,250.00 EUR`.
#[must_use]
pub fn money(plain: impl std::fmt::Display) -> String {
    written::money(language(), &plain.to_string())
}

/// `1 call`, `2 calls`: for operators, who read English.
#[must_use]
pub fn count(value: usize, noun: &str) -> String {
    format!("{} {noun}{}", number(value as i64), if value == 1 { "" } else { "s" })
}

/// Microseconds as milliseconds or seconds, two digits that matter.
#[must_use]
pub fn duration(micros: i64) -> String {
    match micros {
        ..10_000 => format!("{} ms", written::decimal(language(), micros / 1_000, (micros % 1_000) / 100)),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => {
            format!("{} s", written::decimal(language(), micros / 1_000_000, (micros % 1_000_000) / 100_000))
        }
    }
}

/// A share of a whole in percent with one digit.
#[must_use]
pub fn share(part: i64, whole: i64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".into();
    }
    // Rounded to the nearest tenth.
    let tenths = (part * 1_000 + whole / 2) / whole;
    if tenths == 0 && part > 0 {
        return say("show-under-a-tenth").with("least", written::decimal(language(), 0, 1)).into();
    }
    format!("{} %", written::decimal(language(), tenths / 10, tenths % 10))
}

/// `10 requests per second`, `1,000 calls per month`.
#[must_use]
pub fn limit(limit: &Limit) -> String {
    let key = match limit.kind {
        LimitKind::Rate => "show-requests-per",
        LimitKind::Quota => "show-calls-per",
    };
    say(key).count(limit.amount).with("period", limit.period.as_str()).into()
}

/// The same of a policy's rate.
#[must_use]
pub fn rate(rate: &RatePolicy) -> String {
    say("show-requests-per").count(rate.amount).with("period", rate.period.as_str()).into()
}

/// All limits that a developer is meant to see, in one line.
#[must_use]
pub fn limits(limits: &[Limit]) -> String {
    let shown: Vec<String> = limits.iter().filter(|one| one.visible).map(limit).collect();
    if shown.is_empty() { t("show-none").into() } else { shown.join(", ") }
}

/// A small tinted word.
#[derive(Debug, Clone)]
pub struct Label {
    /// A class of the style sheet: ok, warn, bad, info, violet, accent or none.
    pub tone: &'static str,
    /// The word.
    pub text: String,
}

impl Label {
    /// A label from its parts.
    pub fn new(tone: &'static str, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }

    /// An HTTP status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::new(status_tone(status), status.to_string())
    }
}

/// The tone of an HTTP status.
#[must_use]
pub const fn status_tone(status: u16) -> &'static str {
    match status {
        200..=299 => "ok",
        300..=399 => "info",
        400..=499 => "warn",
        500..=599 => "bad",
        _ => "",
    }
}

impl From<ApplicationState> for Label {
    fn from(state: ApplicationState) -> Self {
        match state {
            ApplicationState::Active => Self::new("ok", t("state-active")),
            ApplicationState::Suspended => Self::new("bad", t("state-suspended")),
        }
    }
}

impl From<CredentialState> for Label {
    fn from(state: CredentialState) -> Self {
        match state {
            CredentialState::Active => Self::new("ok", t("state-active")),
            CredentialState::Revoked => Self::new("", t("state-revoked")),
        }
    }
}

impl From<SubscriptionState> for Label {
    fn from(state: SubscriptionState) -> Self {
        match state {
            SubscriptionState::Requested => Self::new("warn", t("state-requested")),
            SubscriptionState::Active => Self::new("ok", t("state-active")),
            SubscriptionState::Suspended => Self::new("bad", t("state-suspended")),
            SubscriptionState::Ended => Self::new("", t("state-ended")),
        }
    }
}

impl From<InvoiceState> for Label {
    fn from(state: InvoiceState) -> Self {
        match state {
            InvoiceState::Open => Self::new("warn", t("bill-open")),
            InvoiceState::Paid => Self::new("ok", t("bill-paid")),
            InvoiceState::Void => Self::new("", t("bill-void")),
        }
    }
}

impl From<ApiState> for Label {
    fn from(state: ApiState) -> Self {
        match state {
            ApiState::Draft => Self::new("", "Draft"),
            ApiState::Published => Self::new("ok", "Published"),
            ApiState::Deprecated => Self::new("warn", "Deprecated"),
            ApiState::Retired => Self::new("", "Retired"),
        }
    }
}

impl From<ProductState> for Label {
    fn from(state: ProductState) -> Self {
        match state {
            ProductState::Draft => Self::new("", "Draft"),
            ProductState::Published => Self::new("ok", "Published"),
            ProductState::Retired => Self::new("warn", "Retired"),
        }
    }
}

impl From<PlanState> for Label {
    fn from(state: PlanState) -> Self {
        match state {
            PlanState::Open => Self::new("ok", "Open"),
            PlanState::Announced => Self::new("info", "Announced"),
            PlanState::Closed => Self::new("", "Closed"),
        }
    }
}

/// How a call ended, in words. What money did not allow is refused as quotas are, and answered 402.
#[must_use]
pub fn outcome(code: i16, status: i16) -> &'static str {
    t(match Outcome::from_code(code) {
        Some(Outcome::QuotaExceeded) if status == 402 => "outcome-money",
        Some(Outcome::Served) => "outcome-served",
        Some(Outcome::RateLimited) => "outcome-rate-limited",
        Some(Outcome::QuotaExceeded) => "outcome-quota-exceeded",
        Some(Outcome::UpstreamFailed) => "outcome-upstream-failed",
        Some(Outcome::Canceled) => "outcome-canceled",
        Some(Outcome::Abandoned) => "outcome-abandoned",
        None => "outcome-unknown",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_like_text() {
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(number(-1_000), "-1,000");
        assert_eq!(count(1, "call"), "1 call");
        assert_eq!(duration(4_210), "4.2 ms");
        assert_eq!(duration(1_250_000), "1.2 s");
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(1, 28), "3.6 %");
        let now = "2026-11-21T12:00:00Z".parse::<DateTime<Utc>>().expect("an instant");
        let ago = |seconds| Moment::of(now - TimeDelta::seconds(seconds), now).text;
        assert_eq!(ago(3), "just now");
        assert_eq!(ago(-1), "just now");
        assert_eq!(ago(-10), "in a moment");
        assert_eq!(ago(90), "2 minutes ago");
        assert_eq!(ago(3_600), "1 hour ago");
        assert_eq!(ago(86_400 * 3), "3 days ago");
        assert_eq!(ago(-7_200), "in 2 hours");
        assert_eq!(ago(86_400 * 60), "22 Sep 2026");
    }
}
