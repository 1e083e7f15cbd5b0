//! The access log: a line of JSON per call, for whoever reads lines. No body, no key, no query.
//!
//! A thread of its own writes, so that a full disk or a reader that stopped reading costs lines, never calls.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;

use super::ring::Ring;
use super::{Ending, LoggedAddress, Slot, Text};

/// Lines that may wait to be written.
const LINES_MAX: usize = 16_384;
/// How often lines are written.
const WRITE_EVERY: Duration = Duration::from_millis(20);

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLogTarget {
    /// Standard output.
    Stdout,
    /// The end of a file, which is made where there is none and opened anew when it was moved away.
    File(PathBuf),
}

impl std::str::FromStr for AccessLogTarget {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "stdout" { Self::Stdout } else { Self::File(text.into()) })
    }
}

/// Takes every call, as long as its writer keeps up.
pub(crate) struct AccessLog {
    ring: Arc<Ring>,
    stop: Arc<AtomicBool>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl AccessLog {
    /// Starts the writer.
    ///
    /// # Errors
    /// The file cannot be opened, or no thread be started.
    pub(crate) fn start(target: AccessLogTarget, addresses: LoggedAddress) -> io::Result<Self> {
        let ring = Arc::new(Ring::new(LINES_MAX));
        let stop = Arc::new(AtomicBool::new(false));
        let mut out = Out::open(target)?;
        let thread = std::thread::Builder::new().name("tollgate-access".to_owned());
        let writer = thread.spawn({
            let (ring, stop) = (Arc::clone(&ring), Arc::clone(&stop));
            move || {
                let mut last = false;
                while !last {
                    last = stop.load(Ordering::Acquire);
                    out.write_all_of(&ring, addresses);
                    if !last {
                        std::thread::park_timeout(WRITE_EVERY);
                    }
                }
            }
        })?;
        Ok(Self { ring, stop, writer: Mutex::new(Some(writer)) })
    }

    pub(super) fn write(&self, ending: &Ending, describe: impl Fn(&mut Slot)) {
        self.ring.put(ending.code.is_none(), |slot| {
            slot.begin(ending);
            describe(slot);
        });
    }

    pub(super) fn dropped(&self) -> u64 {
        self.ring.dropped()
    }
}

impl AccessLog {
    /// Writes what was noted and ends; a reader that stopped reading is waited for a second, not for ever.
    pub(super) fn finish(&self) {
        self.stop.store(true, Ordering::Release);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            writer.thread().unpark();
            let until = std::time::Instant::now() + Duration::from_secs(1);
            while !writer.is_finished() && std::time::Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.finish();
    }
}

struct Out {
    target: AccessLogTarget,
    to: Box<dyn Write + Send>,
    failing: bool,
}

impl Out {
    fn open(target: AccessLogTarget) -> io::Result<Self> {
        let to: Box<dyn Write + Send> = match &target {
            AccessLogTarget::Stdout => Box::new(io::stdout()),
            AccessLogTarget::File(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
        };
        Ok(Self { target, to, failing: false })
    }

    fn write_all_of(&mut self, ring: &Ring, addresses: LoggedAddress) {
        self.follow_rotation();
        let mut lines = Vec::new();
        let mut count = 0u64;
        while let Some(slot) = ring.take() {
            count += 1;
            if serde_json::to_writer(&mut lines, &Line::of(&slot, addresses)).is_ok() {
                lines.push(b'\n');
            }
            ring.give_back(slot);
            if lines.len() >= 64 * 1024 {
                self.hand_out(ring, &mut lines, &mut count);
            }
        }
        self.hand_out(ring, &mut lines, &mut count);
    }

    fn hand_out(&mut self, ring: &Ring, lines: &mut Vec<u8>, count: &mut u64) {
        if lines.is_empty() {
            return;
        }
        let written = self.to.write_all(lines).and_then(|()| self.to.flush());
        if let Err(error) = &written {
            ring.lost(*count);
            if !self.failing {
                tracing::warn!(%error, "cannot write the access log; lines are lost until it can be written");
            }
        }
        self.failing = written.is_err();
        lines.clear();
        *count = 0;
    }

    /// logrotate moves the file away and makes no sound.
    fn follow_rotation(&mut self) {
        if let AccessLogTarget::File(path) = &self.target
            && !path.exists()
            && let Ok(opened) = Self::open(self.target.clone())
        {
            self.to = opened.to;
        }
    }
}

/// Names are those of OpenTelemetry's HTTP conventions where they have one.
#[derive(Serialize)]
struct Line {
    time: String,
    request_id: Option<String>,
    #[serde(rename = "http.request.method")]
    method: Option<String>,
    #[serde(rename = "server.address")]
    host: Option<String>,
    #[serde(rename = "url.path")]
    path: Option<String>,
    #[serde(rename = "http.route", skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    #[serde(rename = "http.response.status_code")]
    status: u16,
    /// The problem's code of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    duration_us: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_us: Option<u128>,
    bytes_in: u64,
    bytes_out: u64,
    #[serde(rename = "client.address", skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(rename = "user_agent.original", skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_id: Option<String>,
}

impl Line {
    fn of(slot: &Slot, addresses: LoggedAddress) -> Self {
        use tollgate_domain::{ApplicationId, CredentialId, OrganizationId};
        let parties = &slot.parties;
        Self {
            time: slot.at().to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            request_id: slot.text(Text::RequestId),
            method: slot.text(Text::Method),
            host: slot.text(Text::Host),
            path: slot.text(Text::Path),
            route: slot.text(Text::Route),
            status: slot.status,
            code: slot.code(),
            duration_us: slot.duration.as_micros(),
            upstream_us: slot.upstream.map(|time| time.as_micros()),
            bytes_in: slot.bytes.0,
            bytes_out: slot.bytes.1,
            client: slot.client.map(|address| addresses.show(address)),
            user_agent: slot.text(Text::UserAgent),
            organization_id: parties.organization_id.map(|id| OrganizationId::from(id).to_string()),
            application_id: parties.application_id.map(|id| ApplicationId::from(id).to_string()),
            credential_id: parties.credential_id.map(|id| CredentialId::from(id).to_string()),
        }
    }
}
