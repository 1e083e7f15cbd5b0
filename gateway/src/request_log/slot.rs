//! The room for one call: of a fixed size, written by the call, read by who carries it away.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tollgate_engine::{Denial, key};
use tollgate_store::{NewRequest, Parties};
use uuid::Uuid;

use super::{Ending, LoggedAddress, detail};

/// The texts of a call, and how many bytes of each are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    RequestId,
    Method,
    Host,
    Path,
    UserAgent,
    /// Base path and path template as published.
    Route,
    /// What may be shown of a key that is not known: its first and last characters.
    ShownKey,
}

const KEPT: [usize; 7] = [128, 32, 255, 512, 128, 128, 64];
const TEXT_BYTES: usize = 1_247;
const _: () = {
    let (mut at, mut sum) = (0, 0);
    while at < KEPT.len() {
        sum += KEPT[at];
        at += 1;
    }
    assert!(sum == TEXT_BYTES);
};

/// One call.
pub(crate) struct Slot {
    at_us: i64,
    pub(crate) status: u16,
    code: Option<&'static str>,
    /// Whether the request id was made here.
    pub(crate) minted: bool,
    pub(crate) parties: Parties,
    /// The refusal with what it was about, where the engine decided it.
    pub(crate) denial: Option<Denial>,
    pub(crate) duration: Duration,
    pub(crate) upstream: Option<Duration>,
    /// Of the bodies, in and out.
    pub(crate) bytes: (u64, u64),
    pub(crate) client: Option<IpAddr>,
    /// Begin and end of each text in `texts`; equal where there is none.
    places: [(u16, u16); KEPT.len()],
    written: u16,
    texts: [u8; TEXT_BYTES],
}

impl Slot {
    pub(super) fn boxed() -> Box<Self> {
        Box::new(Self {
            at_us: 0,
            status: 0,
            code: None,
            minted: false,
            parties: Parties::default(),
            denial: None,
            duration: Duration::ZERO,
            upstream: None,
            bytes: (0, 0),
            client: None,
            places: [(0, 0); KEPT.len()],
            written: 0,
            texts: [0; TEXT_BYTES],
        })
    }

    pub(super) fn begin(&mut self, ending: &Ending) {
        self.clear();
        self.at_us = i64::try_from(ending.at_ns / 1_000).unwrap_or(i64::MAX);
        self.status = ending.status;
        self.code = ending.code;
    }

    /// Empties it; a slot that waits must not hold on to a revision's texts.
    pub(super) fn clear(&mut self) {
        self.minted = false;
        self.parties = Parties::default();
        self.denial = None;
        (self.duration, self.upstream, self.bytes, self.client) = (Duration::ZERO, None, (0, 0), None);
        (self.places, self.written) = ([(0, 0); KEPT.len()], 0);
    }

    /// Writes a text, cut where it is longer than is kept; each at most once.
    pub(crate) fn write(&mut self, text: Text, bytes: &[u8]) {
        let begin = self.written;
        let kept = &bytes[..bytes.len().min(KEPT[text as usize])];
        let Some(to) = self.texts.get_mut(usize::from(begin)..).and_then(|rest| rest.get_mut(..kept.len()))
        else {
            return;
        };
        to.copy_from_slice(kept);
        self.written += u16::try_from(kept.len()).unwrap_or(0);
        self.places[text as usize] = (begin, self.written);
    }

    /// Writes the path of a request target: what stands before the query, which may hold secrets.
    pub(crate) fn write_path_of(&mut self, target: &[u8]) {
        let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
        self.write(Text::Path, &target[..end]);
    }

    /// Writes the characters by which people recognise a key, where it is one by form; of anything else, nothing.
    pub(crate) fn write_shown_key(&mut self, credential: &[u8]) {
        if let Ok(text) = std::str::from_utf8(credential)
            && let Ok(parsed) = key::parse(text)
        {
            let (first, last) = key::display_parts(&parsed);
            self.write(Text::ShownKey, format!("{first}…{last}").as_bytes());
        }
    }

    /// A text, none where it is empty; bytes that are no UTF-8 are replaced.
    pub(super) fn text(&self, text: Text) -> Option<String> {
        let (begin, end) = self.places[text as usize];
        let bytes = self.texts.get(usize::from(begin)..usize::from(end))?;
        let shown = String::from_utf8_lossy(bytes);
        // A character that was cut in two at the end is no character.
        let shown = shown.trim_end_matches('\u{fffd}');
        (!shown.is_empty()).then(|| shown.to_owned())
    }

    pub(super) fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.at_us).unwrap_or_default()
    }

    pub(super) const fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// As a row. `id` tells calls of one microsecond apart.
    pub(super) fn row(&self, id: i64, node: Uuid, addresses: LoggedAddress) -> NewRequest {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let mut about = self.denial.as_ref().and_then(|denial| detail(denial, self.at()));
        if let Some(shown) = self.text(Text::ShownKey) {
            about = Some(serde_json::json!({ "key": shown }));
        }
        NewRequest {
            id,
            at: self.at(),
            request_id: self.text(Text::RequestId).unwrap_or_default(),
            minted: self.minted,
            node,
            parties: self.parties,
            method: self.text(Text::Method),
            host: self.text(Text::Host),
            path: self.text(Text::Path),
            status: self.status,
            code: self.code,
            detail: about,
            duration_us: micros(self.duration),
            upstream_us: self.upstream.map(micros),
            bytes_in: self.bytes.0,
            bytes_out: self.bytes.1,
            client: self.client.map(|address| addresses.show(address)),
            user_agent: self.text(Text::UserAgent),
        }
    }
}
