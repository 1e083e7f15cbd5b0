//! The frames of a connection as they pass, seen by their headers only: what kinds come, and how many.
//!
//! The HTTP/2 library keeps most rules of RFC 9113, but answers PING, SETTINGS, PRIORITY and WINDOW_UPDATE without end
//! and does not say how many there were. They are counted here, below it.

use tokio::time::Instant;

/// What every client sends first (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADER_BYTES: usize = 9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// Frames of one kind that may come at once, and in every second after.
const FREE: u32 = 100;
/// Resets that may come at once: who leaves a page cancels all its streams.
const RESETS_FREE: u32 = 200;
/// Bytes of answers that explain one acknowledging frame more: a WINDOW_UPDATE, or a PING that measures them.
const BYTES_EXPLAIN: usize = 512;

/// A kind of frame that came too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flood {
    Ping,
    Settings,
    Priority,
    WindowUpdate,
    Reset,
    EmptyFrames,
}

impl Flood {
    /// For the metric.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Settings => "settings",
            Self::Priority => "priority",
            Self::WindowUpdate => "window_update",
            Self::Reset => "reset",
            Self::EmptyFrames => "empty_frames",
        }
    }
}

/// So many at once, so many a second.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    most: f64,
    seen: Instant,
}

impl Bucket {
    fn new(most: u32, now: Instant) -> Self {
        Self { left: most.into(), most: most.into(), seen: now }
    }

    fn takes(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.seen).as_secs_f64();
        self.seen = now;
        let refilled = (self.left + passed * f64::from(FREE)).min(self.most);
        self.left = refilled.max(self.left) - 1.0;
        self.left >= 0.0
    }

    fn earn(&mut self, more: f64) {
        // What a large answer explains is not kept for ever: at most ten times the free share.
        self.left = (self.left + more).min(self.most * 10.0);
    }
}

/// Reads the frames of one direction without keeping them.
#[derive(Debug)]
pub(crate) struct Frames {
    /// How much of the preface came.
    preface: usize,
    header: [u8; HEADER_BYTES],
    header_bytes: usize,
    /// Bytes of the present frame that are still to come.
    payload: usize,
    /// Since when a frame or a block of fields has been incomplete.
    open_since: Option<Instant>,
    block_is_open: bool,
    ping: Bucket,
    settings: Bucket,
    priority: Bucket,
    window: Bucket,
    reset: Bucket,
    empty: Bucket,
}

impl Frames {
    pub(crate) fn new(now: Instant) -> Self {
        let bucket = || Bucket::new(FREE, now);
        Self {
            preface: 0,
            header: [0; HEADER_BYTES],
            header_bytes: 0,
            payload: 0,
            open_since: None,
            block_is_open: false,
            ping: bucket(),
            settings: bucket(),
            priority: bucket(),
            window: bucket(),
            reset: Bucket::new(RESETS_FREE, now),
            empty: bucket(),
        }
    }

    /// So many bytes of answers went out.
    pub(crate) fn sent(&mut self, bytes: usize) {
        let explains = bytes as f64 / BYTES_EXPLAIN as f64;
        self.window.earn(explains);
        self.ping.earn(explains);
    }

    /// Since when a head has been under way: a block of fields that does not end, or a frame of which only a part came.
    /// Frames of bodies have a clock of their own and are not meant.
    pub(crate) const fn head_since(&self) -> Option<Instant> {
        self.open_since
    }

    /// Looks at bytes in the order in which they came.
    ///
    /// # Errors
    /// The kind of frame of which there are too many.
    pub(crate) fn pass(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Flood> {
        // A wrong preface is the library's to refuse; it has the same length.
        let preface = bytes.len().min(PREFACE.len() - self.preface);
        self.preface += preface;
        bytes = &bytes[preface..];
        let mut flood = Ok(());
        while !bytes.is_empty() {
            if self.payload > 0 {
                let passed = bytes.len().min(self.payload);
                self.payload -= passed;
                bytes = &bytes[passed..];
            } else {
                let taken = bytes.len().min(HEADER_BYTES - self.header_bytes);
                self.header[self.header_bytes..self.header_bytes + taken].copy_from_slice(&bytes[..taken]);
                self.header_bytes += taken;
                bytes = &bytes[taken..];
                if self.header_bytes == HEADER_BYTES {
                    self.header_bytes = 0;
                    flood = flood.and(self.begin(now));
                }
            }
            self.note_open(now);
        }
        flood
    }

    fn begin(&mut self, now: Instant) -> Result<(), Flood> {
        let [high, middle, low, kind, flags, ..] = self.header;
        self.payload = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        let (counted, flood) = match kind {
            DATA if self.payload <= usize::from(flags & PADDED != 0) && flags & END_STREAM == 0 => {
                (&mut self.empty, Flood::EmptyFrames)
            }
            CONTINUATION if self.payload == 0 => (&mut self.empty, Flood::EmptyFrames),
            PING => (&mut self.ping, Flood::Ping),
            SETTINGS => (&mut self.settings, Flood::Settings),
            PRIORITY => (&mut self.priority, Flood::Priority),
            WINDOW_UPDATE => (&mut self.window, Flood::WindowUpdate),
            RST_STREAM => (&mut self.reset, Flood::Reset),
            HEADERS => {
                // Some clients say once for each stream how dear it is to them, and all open its window.
                self.priority.earn(1.0);
                self.window.earn(2.0);
                self.block_is_open = flags & END_HEADERS == 0;
                return Ok(());
            }
            _ => {
                self.block_is_open &= !(kind == CONTINUATION && flags & END_HEADERS != 0);
                return Ok(());
            }
        };
        if counted.takes(now) { Ok(()) } else { Err(flood) }
    }

    fn note_open(&mut self, now: Instant) {
        let in_frame = self.header_bytes > 0 || (self.payload > 0 && self.header[3] != DATA);
        if in_frame || self.block_is_open {
            self.open_since.get_or_insert(now);
        } else {
            self.open_since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn started(now: Instant) -> Frames {
        let mut frames = Frames::new(now);
        frames.pass(PREFACE, now).expect("the preface is no frame");
        frames
    }

    /// How many frames pass before the flood is told.
    fn passed(frames: &mut Frames, bytes: &[u8], now: Instant) -> (usize, Option<Flood>) {
        for count in 0..10_000 {
            if let Err(flood) = frames.pass(bytes, now) {
                return (count, Some(flood));
            }
        }
        (10_000, None)
    }

    #[tokio::test(start_paused = true)]
    async fn every_flood_is_told_after_a_hundred_frames_and_a_second_wins_back_a_hundred() {
        let now = Instant::now();
        for (bytes, flood, most) in [
            (frame(PING, 0, &[0; 8]), Flood::Ping, 100),
            (frame(SETTINGS, 0, &[]), Flood::Settings, 100),
            (frame(PRIORITY, 0, &[0; 5]), Flood::Priority, 100),
            (frame(WINDOW_UPDATE, 0, &[0, 0, 0, 1]), Flood::WindowUpdate, 100),
            (frame(RST_STREAM, 0, &[0; 4]), Flood::Reset, 200),
            (frame(DATA, 0, &[]), Flood::EmptyFrames, 100),
            (frame(DATA, PADDED, &[0]), Flood::EmptyFrames, 100),
            (frame(CONTINUATION, 0, &[]), Flood::EmptyFrames, 100),
        ] {
            let mut frames = started(now);
            assert_eq!(passed(&mut frames, &bytes, now), (most, Some(flood)));
            assert_eq!(passed(&mut frames, &bytes, now + Duration::from_secs(1)).0, 99, "{flood:?}");
        }
        let body = [frame(DATA, 0, b"x"), frame(DATA, END_STREAM, b"")].concat();
        assert_eq!(passed(&mut started(now), &body, now), (10_000, None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_answers_explain_is_no_flood() {
        let now = Instant::now();
        let mut frames = started(now);
        let update = frame(WINDOW_UPDATE, 0, &[0, 0, 64, 0]);
        for _ in 0..10_000 {
            frames.sent(16 * 1024);
            frames.pass(&update, now).expect("one for each 16 KiB");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn frames_are_found_however_the_bytes_come_and_an_open_head_is_timed() {
        let now = Instant::now();
        let stream = [
            frame(SETTINGS, 0, &[0; 12]),
            frame(HEADERS, 0, b"half of a block"),
            frame(CONTINUATION, 0, b"more"),
            frame(CONTINUATION, END_HEADERS, b"the end"),
            frame(DATA, 0, b"body"),
        ];
        for piece in [1, 2, 7, 1_000] {
            let mut frames = started(now);
            for (index, part) in stream.iter().enumerate() {
                for bytes in part.chunks(piece) {
                    frames.pass(bytes, now + Duration::from_secs(index as u64)).expect("no flood");
                }
                let later = now + Duration::from_secs(9);
                let open = frames.head_since().map(|since| (later - since).as_secs());
                assert_eq!(open, [None, Some(8), Some(8), None, None][index], "{piece} {index}");
            }
        }
        let mut frames = started(now);
        frames.pass(&frame(DATA, 0, b"body")[..11], now).expect("no flood");
        assert_eq!(frames.head_since(), None, "a body has its own clock");
        let mut frames = started(now);
        frames.pass(&[0, 0], now).expect("no flood");
        assert!(frames.head_since().is_some());
    }
}
