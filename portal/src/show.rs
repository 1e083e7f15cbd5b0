//! How numbers, times, limits and states are written on pages.

use chrono::{DateTime, TimeDelta, Utc};
use tollgate_domain::{
    ApiState, ApplicationState, CredentialState, InvoiceState, Limit, LimitKind, Outcome, PlanState,
    ProductState, SubscriptionState,
};

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
            exact: at.format("%-d %B %Y, %H:%M:%S UTC").to_string(),
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
        Self { text: at.format("on %-d %B").to_string(), ..Self::of(at, at) }
    }
}

fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let ago = now - at;
    let (ahead, span) = if ago < TimeDelta::zero() { (true, -ago) } else { (false, ago) };
    let (amount, unit) = match span.num_seconds() {
        ..45 => return if ahead { "in a moment".into() } else { "just now".into() },
        45..3_570 => (((span.num_seconds() + 30) / 60).max(1), "minute"),
        3_570..84_600 => ((span.num_seconds() + 1_800) / 3_600, "hour"),
        84_600..2_592_000 => ((span.num_seconds() + 43_200) / 86_400, "day"),
        _ => return at.format("%-d %b %Y").to_string(),
    };
    let plural = if amount == 1 { "" } else { "s" };
    if ahead { format!("in {amount} {unit}{plural}") } else { format!("{amount} {unit}{plural} ago") }
}

/// 12,345 with a comma per thousand.
#[must_use]
pub fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0 {
        out.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 call`, `2 calls`.
#[must_use]
pub fn count(value: usize, noun: &str) -> String {
    format!("{} {noun}{}", number(value as i64), if value == 1 { "" } else { "s" })
}

/// Microseconds as milliseconds or seconds, two digits that matter.
#[must_use]
pub fn duration(micros: i64) -> String {
    match micros {
        ..10_000 => format!("{}.{} ms", micros / 1_000, (micros % 1_000) / 100),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{}.{} s", micros / 1_000_000, (micros % 1_000_000) / 100_000),
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
        return "under 0.1 %".into();
    }
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// `10 requests per second`, `1,000 calls per month`.
#[must_use]
pub fn limit(limit: &Limit) -> String {
    let noun = match limit.kind {
        LimitKind::Rate => "request",
        LimitKind::Quota => "call",
    };
    let amount = usize::try_from(limit.amount).unwrap_or(usize::MAX);
    format!("{} per {}", count(amount, noun), limit.period.as_str())
}

/// All limits that a developer is meant to see, in one line.
#[must_use]
pub fn limits(limits: &[Limit]) -> String {
    let shown: Vec<String> = limits.iter().filter(|one| one.visible).map(limit).collect();
    if shown.is_empty() { "none".into() } else { shown.join(", ") }
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
            ApplicationState::Active => Self::new("ok", "Active"),
            ApplicationState::Suspended => Self::new("bad", "Suspended"),
        }
    }
}

impl From<CredentialState> for Label {
    fn from(state: CredentialState) -> Self {
        match state {
            CredentialState::Active => Self::new("ok", "Active"),
            CredentialState::Revoked => Self::new("", "Revoked"),
        }
    }
}

impl From<SubscriptionState> for Label {
    fn from(state: SubscriptionState) -> Self {
        match state {
            SubscriptionState::Requested => Self::new("warn", "Waiting for approval"),
            SubscriptionState::Active => Self::new("ok", "Active"),
            SubscriptionState::Suspended => Self::new("bad", "Suspended"),
            SubscriptionState::Ended => Self::new("", "Ended"),
        }
    }
}

impl From<InvoiceState> for Label {
    fn from(state: InvoiceState) -> Self {
        match state {
            InvoiceState::Open => Self::new("warn", "To be paid"),
            InvoiceState::Paid => Self::new("ok", "Paid"),
            InvoiceState::Void => Self::new("", "Given up"),
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
pub const fn outcome(code: i16, status: i16) -> &'static str {
    match Outcome::from_code(code) {
        Some(Outcome::QuotaExceeded) if status == 402 => "Refused: spend cap reached or no credits left",
        Some(Outcome::Served) => "Answered by the service",
        Some(Outcome::RateLimited) => "Refused: rate limit",
        Some(Outcome::QuotaExceeded) => "Refused: quota used up",
        Some(Outcome::UpstreamFailed) => "Service did not answer",
        Some(Outcome::Canceled) => "Caller went away",
        Some(Outcome::Abandoned) => "Given up before the service was asked",
        None => "Unknown",
    }
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
        assert_eq!(ago(90), "2 minutes ago");
        assert_eq!(ago(3_600), "1 hour ago");
        assert_eq!(ago(86_400 * 3), "3 days ago");
        assert_eq!(ago(-7_200), "in 2 hours");
        assert_eq!(ago(86_400 * 60), "22 Sep 2026");
    }
}
