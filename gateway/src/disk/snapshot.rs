//! The last good configurations, newest first: written and read as a stream, for there may be a million keys.
//!
//! A file is a magic, the SHA-256 of the rest, and the rest: records, each with its length before it. The first is the
//! header with the blueprint, every other one an application; a length of 0 ends the file.

mod record;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tollgate_domain::{Blueprint, ConsumerApplication};
use uuid::Uuid;

use self::record::Records;
use super::{DIGEST_BYTES, DataDir, MAGIC_BYTES};
use crate::fingerprint::Fingerprint;

const MAGIC: [u8; MAGIC_BYTES] = *b"TGRUN005";
const BODY: u64 = (MAGIC_BYTES + DIGEST_BYTES) as u64;
/// How many are kept.
const KEPT: usize = 5;
const BUFFER_BYTES: usize = 256 * 1024;

/// Up to where changes are contained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The database that it came from.
    pub epoch: Uuid,
    /// The revision.
    pub revision: i64,
}

/// How often something went wrong with snapshots.
#[derive(Debug, Default)]
pub(crate) struct SnapshotCounts {
    damaged: AtomicU64,
    unwritten: AtomicU64,
}

impl SnapshotCounts {
    /// Files that were passed over at the start because they were damaged.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Configurations that could not be written, as on a full disk.
    pub(crate) fn unwritten(&self) -> u64 {
        self.unwritten.load(Ordering::Relaxed)
    }
}

/// The blueprint rides as JSON: its optional fields are left out where absent, which postcard cannot read back.
#[derive(Serialize, Deserialize)]
struct Header {
    position: Position,
    blueprint: Vec<u8>,
}

/// A configuration on disk whose checksum holds.
pub(crate) struct Saved {
    pub(crate) position: Position,
    pub(crate) blueprint: Blueprint,
    /// Who may call.
    pub(crate) applications: Applications,
}

/// Reads application by application; ends early, and says so, where one cannot be read.
pub(crate) struct Applications {
    records: Records<BufReader<File>>,
    /// None before the end, then whether it was the real one.
    end: Option<bool>,
    fingerprint: Fingerprint,
}

impl Applications {
    /// Whether all were read.
    pub(crate) const fn is_complete(&self) -> bool {
        matches!(self.end, Some(true))
    }

    /// Of all that was read.
    pub(crate) const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl Iterator for Applications {
    type Item = ConsumerApplication;

    fn next(&mut self) -> Option<ConsumerApplication> {
        if self.end.is_some() {
            return None;
        }
        match self.records.next::<ConsumerApplication>() {
            Ok(Some(application)) => {
                self.fingerprint.add(&application);
                Some(application)
            }
            Ok(None) => {
                self.end = Some(true);
                None
            }
            Err(error) => {
                tracing::error!(%error, "a saved configuration cannot be read to its end");
                self.end = Some(false);
                None
            }
        }
    }
}

impl DataDir {
    pub(crate) fn snapshot_counts(&self) -> Arc<SnapshotCounts> {
        Arc::clone(&self.snapshots)
    }

    /// Saves a configuration and forgets the oldest; `visit` hands out all applications. Blocks on the disk. Where it
    /// fails, what was saved before stays as it is. Returns the fingerprint of what was saved.
    pub(crate) fn save_runtime(
        &self,
        position: Position,
        blueprint: &Blueprint,
        visit: impl FnMut(&mut dyn FnMut(ConsumerApplication)),
    ) -> io::Result<Fingerprint> {
        self.try_save_runtime(position, blueprint, visit).inspect_err(|_| {
            self.snapshots.unwritten.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn try_save_runtime(
        &self,
        position: Position,
        blueprint: &Blueprint,
        mut visit: impl FnMut(&mut dyn FnMut(ConsumerApplication)),
    ) -> io::Result<Fingerprint> {
        let json = serde_json::to_vec(blueprint).map_err(io::Error::other)?;
        let mut fingerprint = Fingerprint::of(position.epoch, blueprint);
        let newest = self.snapshots_newest_first().first().map_or(0, |(number, _)| *number);
        let unfinished = self.path().join("runtime.new");
        self.write_whole(&unfinished, |file| {
            let mut writer = Writer::new(file)?;
            writer.record(&Header { position, blueprint: json })?;
            let mut failed = None;
            visit(&mut |application| {
                fingerprint.add(&application);
                if failed.is_none() {
                    failed = writer.record(&application).err();
                }
            });
            failed.map_or(Ok(()), Err)?;
            writer.finish()
        })?;
        std::fs::rename(&unfinished, self.path().join(name_of(newest + 1)))?;
        File::open(self.path())?.sync_all()?;
        for (_, path) in self.snapshots_newest_first().into_iter().skip(KEPT) {
            std::fs::remove_file(path)?;
        }
        Ok(fingerprint)
    }

    /// Configurations that are whole, newest first; each is checked when its turn comes.
    pub(crate) fn saved_runtimes(&self) -> impl Iterator<Item = Saved> + Send + use<> {
        let counts = self.snapshot_counts();
        self.snapshots_newest_first().into_iter().filter_map(move |(_, path)| {
            open(&path)
                .inspect_err(|error| {
                    counts.damaged.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(file = %path.display(), %error, "a saved configuration is damaged; trying the one before");
                })
                .ok()
        })
    }

    fn snapshots_newest_first(&self) -> Vec<(u64, PathBuf)> {
        let Ok(entries) = std::fs::read_dir(self.path()) else { return Vec::new() };
        let mut found: Vec<(u64, PathBuf)> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let name = path.file_name()?.to_str()?;
                let number = name.strip_prefix("runtime.")?.strip_suffix(".snapshot")?.parse().ok()?;
                Some((number, path))
            })
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found
    }
}

fn name_of(number: u64) -> String {
    format!("runtime.{number:010}.snapshot")
}

/// Writes records and hashes what it writes.
struct Writer<'f> {
    file: BufWriter<&'f mut File>,
    hash: Sha256,
    record: Vec<u8>,
}

impl<'f> Writer<'f> {
    fn new(file: &'f mut File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(BODY))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(Self { file, hash: Sha256::new(), record: Vec::new() })
    }

    fn record<T: Serialize>(&mut self, record: &T) -> io::Result<()> {
        self.record.clear();
        let bytes =
            postcard::to_extend(record, std::mem::take(&mut self.record)).map_err(io::Error::other)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes();
        for part in [&length[..], &bytes] {
            self.hash.update(part);
            self.file.write_all(part)?;
        }
        self.record = bytes;
        Ok(())
    }

    /// The end is marked, so that a file that lost its tail is not taken for a shorter one; then the head is filled in.
    fn finish(mut self) -> io::Result<()> {
        let end = 0u32.to_le_bytes();
        self.hash.update(end);
        self.file.write_all(&end)?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        file.write_all(&MAGIC)?;
        file.write_all(&self.hash.finalize())
    }
}

/// Checks a file whole, then opens it at its first application.
fn open(path: &Path) -> io::Result<Saved> {
    let broken = |what: &str| io::Error::other(what.to_owned());
    let mut file = File::open(path)?;
    let mut head = [0; MAGIC_BYTES + DIGEST_BYTES];
    file.read_exact(&mut head)?;
    let digest = head.strip_prefix(&MAGIC).ok_or_else(|| broken("unknown format"))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    if hash.finalize().as_slice() != digest {
        return Err(broken("checksum mismatch"));
    }
    file.seek(SeekFrom::Start(BODY))?;
    let mut records = Records::new(BufReader::with_capacity(BUFFER_BYTES, file));
    let header: Header = records.next()?.ok_or_else(|| broken("no header"))?;
    let blueprint: Blueprint = serde_json::from_slice(&header.blueprint)?;
    let fingerprint = Fingerprint::of(header.position.epoch, &blueprint);
    let applications = Applications { records, end: None, fingerprint };
    Ok(Saved { position: header.position, blueprint, applications })
}

#[cfg(test)]
mod tests;
