//! What a gateway remembers between two lives: the last good configuration and what was used of each quota.
//!
//! A file is a magic, a SHA-256 and a body, written beside its final name, synced and renamed, so that it is whole or
//! absent. Older ones are kept: when the newest is damaged, the one before is better than none.

mod snapshot;

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tollgate_domain::{CalendarMonth, SubscriptionId};
use uuid::Uuid;

pub(crate) use snapshot::{Position, Saved, SnapshotCounts};

const MAGIC_BYTES: usize = 8;
const DIGEST_BYTES: usize = 32;

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirError {
    /// Another gateway runs on it.
    #[error("another gateway is using {0}; give each gateway a data directory of its own")]
    Locked(PathBuf),
    /// The file system refused.
    #[error("{path}: {error}")]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// What the file system said.
        error: io::Error,
    },
}

/// The gateway's own directory, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    snapshots: Arc<SnapshotCounts>,
    handed_over: AtomicBool,
    lock: File,
}

/// Used quota, for a start without Postgres.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SavedQuota {
    /// First day of the month that the numbers are for.
    pub month: chrono::NaiveDate,
    /// The process that saved it.
    pub boot_id: Uuid,
    /// What that process counted in minutes before this one (since the Unix epoch) is contained in `used`.
    pub settled_before: u32,
    /// Charged calls by subscription, of all gateways, except what stands in journals still on disk.
    pub used: HashMap<SubscriptionId, u64>,
}

const QUOTA: (&str, [u8; MAGIC_BYTES]) = ("quota.snapshot", *b"TGQUO001");

impl DataDir {
    /// Makes and locks the directory.
    ///
    /// # Errors
    /// When it cannot be made, or another process holds it.
    pub(crate) fn open(path: &Path) -> Result<Self, DirError> {
        let failed = |error| DirError::Io { path: path.to_owned(), error };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(failed)?;
        // The kernel gives the lock back when the process ends, however it ends.
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => DirError::Locked(path.to_owned()),
            TryLockError::Error(error) => failed(error),
        })?;
        Ok(Self {
            path: path.to_owned(),
            snapshots: Arc::default(),
            handed_over: AtomicBool::new(false),
            lock,
        })
    }

    /// Takes over a directory with its lock from the process that has it.
    pub(crate) fn inherit(path: &Path, lock: OwnedFd) -> Self {
        Self {
            path: path.to_owned(),
            snapshots: Arc::default(),
            handed_over: AtomicBool::new(false),
            lock: lock.into(),
        }
    }

    /// The lock, to be handed over.
    pub(crate) fn lock(&self) -> io::Result<OwnedFd> {
        Ok(self.lock.try_clone()?.into())
    }

    /// From now on another process saves here, and this one does not.
    pub(crate) fn hand_over(&self) {
        self.handed_over.store(true, Ordering::Release);
    }

    /// Whether another process saves here.
    pub(crate) fn is_handed_over(&self) -> bool {
        self.handed_over.load(Ordering::Acquire)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Saves the used quotas. Blocks on the disk.
    pub(crate) fn save_quota(&self, saved: &SavedQuota) -> io::Result<()> {
        self.save(QUOTA, saved)
    }

    /// The newest whole quota file of `month`.
    pub(crate) fn load_quota(&self, month: CalendarMonth) -> Option<SavedQuota> {
        self.load(QUOTA).filter(|saved: &SavedQuota| saved.month == month.first_day())
    }

    fn save<T: Serialize>(&self, (name, magic): (&str, [u8; MAGIC_BYTES]), body: &T) -> io::Result<()> {
        let body = postcard::to_stdvec(body).map_err(io::Error::other)?;
        let path = self.path.join(name);
        self.write_whole(&self.path.join(format!("{name}.new")), |file| {
            file.write_all(&magic)?;
            file.write_all(&Sha256::digest(&body))?;
            file.write_all(&body)
        })?;
        match std::fs::rename(&path, self.path.join(format!("{name}.previous"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::rename(self.path.join(format!("{name}.new")), &path)?;
        File::open(&self.path)?.sync_all()
    }

    /// Writes a file and syncs it; one that does not succeed is removed, for it would take what room is left.
    fn write_whole(&self, path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).read(true).write(true).truncate(true).mode(0o600).open(path)?;
        let written = write(&mut file).and_then(|()| file.sync_all());
        written.inspect_err(|_| drop(std::fs::remove_file(path)))
    }

    fn load<T: DeserializeOwned>(&self, (name, magic): (&str, [u8; MAGIC_BYTES])) -> Option<T> {
        [name.to_owned(), format!("{name}.previous")].iter().find_map(|name| {
            let path = self.path.join(name);
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
                Err(error) => {
                    tracing::warn!(file = %path.display(), %error, "cannot read");
                    return None;
                }
            };
            let read = open_envelope(&bytes, magic)
                .and_then(|body| postcard::from_bytes(body).map_err(|error| error.to_string()));
            read.inspect_err(|error| tracing::warn!(file = %path.display(), %error, "ignored: it is damaged"))
                .ok()
        })
    }
}

fn open_envelope(bytes: &[u8], magic: [u8; MAGIC_BYTES]) -> Result<&[u8], String> {
    let rest = bytes.strip_prefix(&magic).ok_or("unknown format")?;
    let (digest, body) = rest.split_at_checked(DIGEST_BYTES).ok_or("cut short")?;
    if Sha256::digest(body).as_slice() == digest { Ok(body) } else { Err("checksum mismatch".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_directory_in_use_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        assert!(matches!(DataDir::open(dir.path()), Err(DirError::Locked(_))));
        drop(first);
        assert!(DataDir::open(dir.path()).is_ok());
    }

    #[test]
    fn quotas_of_another_month_are_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let month = CalendarMonth::of("2026-11-21T00:00:00Z".parse().unwrap());
        let used = HashMap::from([(Uuid::from_u128(1).into(), 7)]);
        data.save_quota(&SavedQuota { month: month.first_day(), used, ..SavedQuota::default() }).unwrap();
        assert_eq!(data.load_quota(month).unwrap().used.len(), 1);
        assert!(data.load_quota(CalendarMonth::of(month.end())).is_none());
    }
}
