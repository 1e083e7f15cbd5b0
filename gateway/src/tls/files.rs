//! Certificates in a directory: pairs `name.crt` and `name.key`, in it or one level below it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::table::Loaded;

/// The pair that serves callers who name no host, or one that no certificate is for.
const DEFAULT_STEMS: [&str; 2] = ["default", "tls"];
/// More is a wrong directory, not a set of certificates.
const PAIRS_MAX: usize = 10_000;

/// Why a file cannot be served. Never quotes a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct FileFault {
    /// The file or directory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl FileFault {
    fn new(path: &Path, reason: impl ToString) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// What changes when a file does, also where a link is turned to another one.
pub(super) type Stamp = (u64, u64, SystemTime);

/// The directory as it was last read.
#[derive(Debug)]
pub(crate) struct Files {
    dir: PathBuf,
    seen: HashMap<PathBuf, (Stamp, Stamp)>,
    loaded: BTreeMap<PathBuf, Loaded>,
}

impl Files {
    /// Reads the directory for the first time. What is wrong now would not be served at all, so it is refused.
    ///
    /// # Errors
    /// The first file that cannot be served at `now` (Unix seconds).
    pub(crate) fn open(dir: PathBuf, now: i64) -> Result<Self, FileFault> {
        let mut files = Self { dir, seen: HashMap::new(), loaded: BTreeMap::new() };
        match files.refresh(now) {
            (_, faults) if faults.is_empty() => Ok(files),
            (_, mut faults) => Err(faults.remove(0)),
        }
    }

    /// Certificates in order of their files.
    pub(crate) fn loaded(&self) -> impl Iterator<Item = &Loaded> {
        self.loaded.values()
    }

    /// Reads what changed; says whether anything did. A pair that became bad is served on as it was.
    pub(crate) fn refresh(&mut self, now: i64) -> (bool, Vec<FileFault>) {
        let pairs = match pairs_in(&self.dir) {
            Ok(pairs) => pairs,
            Err(error) => return (false, vec![FileFault::new(&self.dir, error)]),
        };
        let (mut changed, mut faults) = (false, Vec::new());
        self.seen.retain(|chain, _| pairs.contains(chain));
        let before = self.loaded.len();
        self.loaded.retain(|chain, _| pairs.contains(chain));
        changed |= before != self.loaded.len();
        for chain in pairs {
            let stamps = stamp(&chain).and_then(|of_chain| Ok((of_chain, stamp(&key_of(&chain))?)));
            match stamps {
                Ok(stamps) if self.seen.get(&chain) == Some(&stamps) => continue,
                Ok(stamps) => drop(self.seen.insert(chain.clone(), stamps)),
                Err(error) => {
                    if self.seen.remove(&chain).is_some() || !self.loaded.contains_key(&chain) {
                        faults.push(FileFault::new(&key_of(&chain), error));
                    }
                    continue;
                }
            }
            match load(&self.dir, &chain, now) {
                Ok(loaded) => {
                    self.loaded.insert(chain, loaded);
                    changed = true;
                }
                Err(fault) => faults.push(fault),
            }
        }
        (changed, faults)
    }
}

fn key_of(chain: &Path) -> PathBuf {
    chain.with_extension("key")
}

pub(super) fn stamp(path: &Path) -> io::Result<Stamp> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.ino(), metadata.len(), metadata.modified()?))
}

/// Every `.crt`, without hidden files and directories: Kubernetes keeps its own there.
fn pairs_in(dir: &Path) -> io::Result<std::collections::BTreeSet<PathBuf>> {
    let mut found = std::collections::BTreeSet::new();
    let is_hidden =
        |path: &Path| path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let is_chain = |path: &Path| path.extension().is_some_and(|extension| extension == "crt");
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if is_hidden(&path) {
            continue;
        }
        if path.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                let path = entry?.path();
                if is_chain(&path) && !is_hidden(&path) {
                    found.insert(path);
                }
            }
        } else if is_chain(&path) {
            found.insert(path);
        }
        if found.len() > PAIRS_MAX {
            return Err(io::Error::other("holds more than 10000 certificates"));
        }
    }
    Ok(found)
}

fn load(dir: &Path, chain_path: &Path, now: i64) -> Result<Loaded, FileFault> {
    let key_path = key_of(chain_path);
    let chain = std::fs::read_to_string(chain_path).map_err(|error| FileFault::new(chain_path, error))?;
    let key = std::fs::read_to_string(&key_path).map_err(|error| FileFault::new(&key_path, error))?;
    if std::fs::metadata(&key_path).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0) {
        tracing::warn!(file = %key_path.display(), "every user of this machine can read this key: chmod 600 it");
    }
    let pair = tollgate_certificates::read(&chain, &key, now).map_err(|faults| {
        let first = faults.first();
        let is_key = first.is_some_and(|fault| fault.field == tollgate_certificates::Field::Key);
        let path = if is_key { &key_path } else { chain_path };
        FileFault::new(path, first.map_or("cannot be read", |fault| fault.message.as_str()))
    })?;
    let name = chain_path.strip_prefix(dir).unwrap_or(chain_path).with_extension("");
    let is_default =
        chain_path.parent() == Some(dir) && name.to_str().is_some_and(|stem| DEFAULT_STEMS.contains(&stem));
    Loaded::new(name.display().to_string(), "file", is_default, pair)
        .ok_or_else(|| FileFault::new(&key_path, "is of a kind that cannot be served"))
}

#[cfg(test)]
mod tests {
    use tollgate_testkit::{Authority, Issued};

    use super::*;

    fn now() -> i64 {
        chrono::Utc::now().timestamp()
    }

    fn put(dir: &Path, stem: &str, issued: &Issued) {
        std::fs::write(dir.join(format!("{stem}.crt")), &issued.chain).expect("written");
        std::fs::write(dir.join(format!("{stem}.key")), &issued.key).expect("written");
    }

    fn names(files: &Files) -> Vec<(&str, bool)> {
        files.loaded().map(|loaded| (loaded.name.as_str(), loaded.is_default)).collect()
    }

    #[test]
    fn pairs_are_found_in_the_directory_and_one_level_below_and_followed() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        put(dir.path(), "tls", &authority.issue(&["a.example"]));
        std::fs::create_dir_all(dir.path().join("shop")).unwrap();
        std::fs::create_dir_all(dir.path().join("..2026")).unwrap();
        put(&dir.path().join("shop"), "tls", &authority.issue(&["shop.example"]));
        put(&dir.path().join("..2026"), "tls", &authority.issue(&["hidden.example"]));
        let mut files = Files::open(dir.path().to_owned(), now()).unwrap();
        assert_eq!(names(&files), [("shop/tls", false), ("tls", true)]);
        assert_eq!(files.refresh(now()), (false, vec![]));

        put(dir.path(), "b", &authority.issue(&["b.example"]));
        assert_eq!(files.refresh(now()), (true, vec![]));
        assert_eq!(names(&files), [("b", false), ("shop/tls", false), ("tls", true)]);
        std::fs::remove_file(dir.path().join("b.crt")).unwrap();
        assert_eq!(files.refresh(now()), (true, vec![]));
        assert_eq!(names(&files).len(), 2);
    }

    #[test]
    fn a_bad_pair_stops_a_start_by_name_and_later_leaves_the_good_one_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let (good, other) = (authority.issue(&["a.example"]), authority.issue(&["a.example"]));
        let mixed = Issued { chain: good.chain.clone(), key: other.key };
        put(dir.path(), "a", &mixed);
        let fault = Files::open(dir.path().to_owned(), now()).unwrap_err();
        assert_eq!(fault.path, dir.path().join("a.key"));
        assert!(fault.to_string().contains("not the key of the first certificate"), "{fault}");
        put(dir.path(), "a", &authority.issue_expired(&["a.example"]));
        assert!(Files::open(dir.path().to_owned(), now()).unwrap_err().reason.starts_with("expired on"));
        std::fs::remove_file(dir.path().join("a.key")).unwrap();
        assert_eq!(Files::open(dir.path().to_owned(), now()).unwrap_err().path, dir.path().join("a.key"));
        assert!(Files::open(dir.path().join("missing"), now()).is_err());

        put(dir.path(), "a", &good);
        let mut files = Files::open(dir.path().to_owned(), now()).unwrap();
        std::fs::write(dir.path().join("a.crt"), "half a certifi").unwrap();
        let (changed, faults) = files.refresh(now());
        assert!(!changed && faults.len() == 1 && names(&files).len() == 1, "{faults:?}");
        assert_eq!(files.refresh(now()), (false, vec![]), "told once");
    }
}
