//! What a gateway remembers between two lives: the last good configuration and what was used of each quota.
//!
//! A file is a magic, a SHA-256 and a postcard body, written beside its final name, synced and renamed, so that it is
//! whole or absent. The one before is kept: when the newest is damaged, the older one is better than none.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tollgate_domain::{Blueprint, CalendarMonth, ConsumerApplication, SubscriptionId};
use uuid::Uuid;

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
    _lock: File,
}

/// The last good configuration.
#[derive(Debug, Clone)]
pub(crate) struct SavedRuntime {
    /// The database it came from.
    pub epoch: Uuid,
    /// Up to which revision changes are contained.
    pub position: i64,
    /// Routes, services, products, plans.
    pub blueprint: Blueprint,
    /// Who may call.
    pub consumers: Vec<ConsumerApplication>,
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

/// The blueprint rides as JSON: its optional fields are left out where absent, which postcard cannot read back.
#[derive(Serialize, Deserialize)]
struct RuntimeBody {
    epoch: Uuid,
    position: i64,
    blueprint: Vec<u8>,
    consumers: Vec<ConsumerApplication>,
}

const RUNTIME: (&str, [u8; MAGIC_BYTES]) = ("runtime.snapshot", *b"TGRUN001");
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
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Saves the configuration. Blocks on the disk.
    pub(crate) fn save_runtime(&self, saved: SavedRuntime) -> io::Result<()> {
        let blueprint = serde_json::to_vec(&saved.blueprint).map_err(io::Error::other)?;
        let SavedRuntime { epoch, position, consumers, .. } = saved;
        self.save(RUNTIME, &RuntimeBody { epoch, position, blueprint, consumers })
    }

    /// The newest configuration that is whole; none where there is none.
    pub(crate) fn load_runtime(&self) -> Option<SavedRuntime> {
        self.load(RUNTIME, |body: RuntimeBody| {
            let blueprint = serde_json::from_slice(&body.blueprint).map_err(|error| error.to_string())?;
            let RuntimeBody { epoch, position, consumers, .. } = body;
            Ok(SavedRuntime { epoch, position, blueprint, consumers })
        })
    }

    /// Saves the used quotas. Blocks on the disk.
    pub(crate) fn save_quota(&self, saved: &SavedQuota) -> io::Result<()> {
        self.save(QUOTA, saved)
    }

    /// The newest whole quota file of `month`.
    pub(crate) fn load_quota(&self, month: CalendarMonth) -> Option<SavedQuota> {
        self.load(QUOTA, |saved: SavedQuota| Ok(saved)).filter(|saved| saved.month == month.first_day())
    }

    fn save<T: Serialize>(&self, (name, magic): (&str, [u8; MAGIC_BYTES]), body: &T) -> io::Result<()> {
        let body = postcard::to_stdvec(body).map_err(io::Error::other)?;
        let unfinished = self.path.join(format!("{name}.new"));
        let mut file =
            OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(&magic)?;
        file.write_all(&Sha256::digest(&body))?;
        file.write_all(&body)?;
        file.sync_all()?;
        let path = self.path.join(name);
        match std::fs::rename(&path, self.path.join(format!("{name}.previous"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::rename(&unfinished, &path)?;
        File::open(&self.path)?.sync_all()
    }

    fn load<T: DeserializeOwned, R>(
        &self,
        (name, magic): (&str, [u8; MAGIC_BYTES]),
        finish: impl Fn(T) -> Result<R, String>,
    ) -> Option<R> {
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
                .and_then(|body| postcard::from_bytes(body).map_err(|error| error.to_string()))
                .and_then(&finish);
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
    use tollgate_domain::{Limit, LimitKind, LimitPer, Period, Plan};

    fn saved(position: i64) -> SavedRuntime {
        let limit = |burst| Limit {
            name: "burst".into(),
            kind: LimitKind::Rate,
            amount: 10,
            period: Period::Second,
            burst,
            per: LimitPer::Subscription,
            visible: true,
        };
        let plan = Plan {
            id: Uuid::from_u128(1).into(),
            product_id: Uuid::from_u128(2).into(),
            slug: "free".into(),
            limits: vec![limit(None), limit(Some(5))],
        };
        let blueprint = Blueprint { plans: vec![plan], revision: position, ..Blueprint::default() };
        let consumer = ConsumerApplication {
            id: Uuid::from_u128(3).into(),
            organization_id: Uuid::from_u128(4).into(),
            credentials: vec![],
            subscriptions: vec![],
        };
        SavedRuntime { epoch: Uuid::from_u128(9), position, blueprint, consumers: vec![consumer] }
    }

    #[test]
    fn what_is_saved_is_loaded_and_a_damaged_file_gives_way_to_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(&dir.path().join("gateway")).unwrap();
        assert!(data.load_runtime().is_none());
        data.save_runtime(saved(1)).unwrap();
        data.save_runtime(saved(2)).unwrap();
        let found = data.load_runtime().unwrap();
        assert_eq!((found.position, found.consumers.len()), (2, 1));
        assert_eq!(found.blueprint.plans[0].limits[1].burst, Some(5));

        let path = data.path().join("runtime.snapshot");
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(data.load_runtime().unwrap().position, 1);
    }

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
