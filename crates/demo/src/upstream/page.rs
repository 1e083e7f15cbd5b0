//! Paging: a limit, and an opaque cursor that stays good when records come and go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::parameters::Parameters;

/// How many records a page has where the caller does not say.
const LIMIT_DEFAULT: usize = 20;
/// The most records on a page.
const LIMIT_MAX: usize = 100;

/// Which page is wanted.
pub(super) struct Wanted {
    limit: usize,
    /// The key of the last record that the caller has.
    after: Option<String>,
}

/// One page.
#[derive(Serialize)]
pub(super) struct Page<'a, T> {
    data: Vec<&'a T>,
    /// What to send as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
    /// How many records the filters leave, on all pages together.
    total: usize,
}

/// Takes `limit` and `cursor`.
pub(super) fn wanted(parameters: &mut Parameters) -> Wanted {
    let limit = parameters.take("limit", "expected a number from 1 to 100", |text| {
        text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
    });
    let after = parameters.take("cursor", "expected the next_cursor of the page before", read_cursor);
    Wanted { limit: limit.unwrap_or(LIMIT_DEFAULT), after }
}

impl Wanted {
    /// The page of records that are in the order of their keys.
    pub(super) fn of<'a, T>(self, records: Vec<&'a T>, key: impl Fn(&T) -> &str) -> Page<'a, T> {
        let total = records.len();
        let start =
            self.after.map_or(0, |after| records.partition_point(|record| key(record) <= after.as_str()));
        let rest = &records[start..];
        let data = rest[..rest.len().min(self.limit)].to_vec();
        let more = rest.len() > data.len();
        let next_cursor = data.last().filter(|_| more).map(|last| cursor(key(last)));
        Page { data, next_cursor, total }
    }
}

fn cursor(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("a:{key}"))
}

fn read_cursor(text: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix("a:").map(str::to_owned)
}
