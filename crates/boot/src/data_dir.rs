//! The directory that holds everything one installation keeps, and the lock that gives it one owner.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process works in it.
    #[error("the data directory {} is in use by another tollgate{}", path.display(), pid_phrase(*pid))]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process that holds it, where it could be read.
        pid: Option<u32>,
    },
    /// It cannot be made, read or written.
    #[error("the data directory {} cannot be used: {source}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn pid_phrase(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// An open data directory. It stays this process's own until the value is dropped or the process ends,
/// however it ends: the kernel releases the lock.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// None where another process has it and hands it over.
    lock: Option<File>,
}

impl DataDir {
    /// Creates the directory where it is missing (mode 0700) and takes its lock.
    ///
    /// # Errors
    /// [`DataDirError::InUse`] when another process holds it, [`DataDirError::Unusable`] for anything the
    /// file system refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DataDirError> {
        let path = path.as_ref();
        let unusable = |source| DataDirError::Unusable { path: path.to_path_buf(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(unusable)?;
        }
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        // Absolute, because the server and its tools run from another working directory.
        let path = fs::canonicalize(path).map_err(unusable)?;
        let unusable = |source| DataDirError::Unusable { path: path.clone(), source };

        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = lock.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(DataDirError::InUse { path, pid });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        // The pid is a courtesy to whoever is refused; the lock does not depend on it.
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(unusable)?;
        Ok(Self { path, lock: Some(lock) })
    }

    /// The directory that another process has, for one that takes over from it and gets the lock from it.
    ///
    /// # Errors
    /// When the directory does not exist, or cannot be written to.
    pub fn of_predecessor(path: impl AsRef<Path>) -> Result<Self, DataDirError> {
        let path = path.as_ref();
        let unusable = |source| DataDirError::Unusable { path: path.to_path_buf(), source };
        let path = fs::canonicalize(path).map_err(unusable)?;
        let unusable = |source| DataDirError::Unusable { path: path.clone(), source };
        fs::write(path.join("lock"), format!("{}\n", std::process::id())).map_err(unusable)?;
        Ok(Self { path, lock: None })
    }

    /// The lock, to be handed to a process that takes over; none where it is still to come.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn lock(&self) -> io::Result<Option<File>> {
        self.lock.as_ref().map(File::try_clone).transpose()
    }

    /// The directory itself, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the embedded Postgres keeps its cluster.
    #[must_use]
    pub fn postgres(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// Where the gateway keeps its last good snapshot and its usage journal.
    #[must_use]
    pub fn gateway(&self) -> PathBuf {
        self.path.join("gateway")
    }

    /// Where generated secrets live.
    #[must_use]
    pub fn secrets(&self) -> PathBuf {
        self.path.join("secrets")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_directory_is_closed_to_others() {
        let parent = tempfile::tempdir().unwrap();
        let dir = DataDir::open(parent.path().join("a/b")).unwrap();
        assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(dir.path().is_absolute());
    }

    #[test]
    fn a_second_owner_is_told_the_directory_and_the_process() {
        let parent = tempfile::tempdir().unwrap();
        let first = DataDir::open(parent.path()).unwrap();
        let refusal = DataDir::open(parent.path()).unwrap_err().to_string();
        assert!(refusal.contains(&first.path().display().to_string()), "{refusal}");
        assert!(refusal.contains(&format!("process {}", std::process::id())), "{refusal}");
        drop(first);
        DataDir::open(parent.path()).unwrap();
    }
}
