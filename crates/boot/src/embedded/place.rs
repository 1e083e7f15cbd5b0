//! Where the cluster, its password and its socket live, and who may reach them.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rand::TryRngCore;
use rand::rngs::OsRng;

use super::account::Account;
use super::{Error, PORT, unusable};
use crate::fnv;

/// The shortest limit among systems for a socket's path (macOS: 104 bytes with the final zero).
const SOCKET_PATH_MAX: usize = 103;

/// One cluster's directory.
#[derive(Debug)]
pub(super) struct Place {
    root: PathBuf,
}

/// Makes the directory, chooses the account, and moves the cluster to `/var/lib/tollgate` when that account
/// cannot reach the directory asked for. The move is written down, so that it is found again even when the
/// permissions change.
pub(super) fn settle(cluster_dir: &Path, run_as: Option<&str>) -> Result<(Place, Account), Error> {
    make_dir(cluster_dir)?;
    let asked = fs::canonicalize(cluster_dir).map_err(unusable(cluster_dir))?;
    let note = asked.join("location");
    let moved = match fs::read_to_string(&note) {
        Ok(path) => Some(PathBuf::from(path.trim())),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(unusable(&note)(error)),
    };
    let mut place = Place { root: moved.unwrap_or_else(|| asked.clone()) };
    let account = Account::choose(run_as, place.data().metadata().ok().map(|data| data.uid()))?;
    make_dir(&place.root)?;
    // A data directory of ours, told by its lock, is opened to the server's group as far as passing
    // through; somebody else's directory is left as it is.
    let above = place.root.parent().filter(|dir| dir.join("lock").is_file());
    for dir in above.into_iter().chain([place.root.as_path()]) {
        account.let_through(dir).map_err(unusable(dir))?;
    }
    if !account.reaches(&place.root)? {
        if place.data().exists() {
            let who = account.other().map_or_else(String::new, |user| user.name.clone());
            let reason = format!("the account {who} cannot reach {}", place.root.display());
            return Err(Error::NoAccount(reason));
        }
        let root = Path::new("/var/lib/tollgate").join(fnv::hex(asked.as_os_str().as_encoded_bytes()));
        DirBuilder::new().recursive(true).mode(0o755).create("/var/lib/tollgate").map_err(unusable(&root))?;
        make_dir(&root)?;
        account.let_through(&root).map_err(unusable(&root))?;
        fs::write(&note, format!("{}\n", root.display())).map_err(unusable(&note))?;
        place = Place { root };
    }
    if place.root != asked {
        tracing::info!(
            cluster = %place.root.display(),
            "the database is kept outside the data directory, which the account that runs it cannot enter"
        );
    }
    if place.data().exists() {
        account.give(&place.data())?;
    }
    Ok((place, account))
}

impl Place {
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The cluster itself.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Where the scripts are that run the server's programs under its account. Ours alone: root runs them.
    pub fn wrappers(&self) -> PathBuf {
        self.root.join("programs")
    }

    /// Where downloaded programs go.
    pub fn downloads(&self) -> PathBuf {
        self.root.join("download")
    }

    pub fn password_file(&self) -> PathBuf {
        self.root.join("password")
    }

    /// The major version of the cluster that is there.
    pub fn major(&self) -> Option<u32> {
        fs::read_to_string(self.data().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// An empty directory for `initdb`; what an interrupted one left is removed.
    pub fn prepare_incoming(&self, account: &Account) -> Result<PathBuf, Error> {
        let incoming = self.root.join("data.new");
        match fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unusable(&incoming)(error)),
            _ => {}
        }
        make_dir(&incoming)?;
        account.give(&incoming)?;
        Ok(incoming)
    }

    /// The password of the superuser, made with the cluster; `initdb` reads it from the same file.
    pub fn password(&self, account: &Account) -> Result<String, Error> {
        let path = self.password_file();
        match fs::read_to_string(&path) {
            Ok(password) if password.len() >= 32 => {
                account.give(&path)?;
                return Ok(password);
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unusable(&path)(error)),
            _ if self.data().exists() => return Err(Error::PasswordLost(path)),
            // Missing, or cut short by a crash before there was a cluster that knew it.
            _ => {}
        }
        let mut bytes = [0; 24];
        OsRng.try_fill_bytes(&mut bytes).map_err(|error| unusable(&path)(std::io::Error::other(error)))?;
        let password: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(unusable(&path))?;
        file.write_all(password.as_bytes()).and_then(|()| file.sync_all()).map_err(unusable(&path))?;
        account.give(&path)?;
        Ok(password)
    }

    /// A directory for the socket, entered by the server's account and by root only: beside the cluster, or
    /// below `/tmp` where that path is too long or has characters that `pg_ctl` would split at.
    pub fn socket_dir(&self, account: &Account) -> Result<PathBuf, Error> {
        let beside = self.root.join("run");
        let text = beside.to_string_lossy();
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+@".contains(&byte));
        if plain && text.len() + format!("/.s.PGSQL.{PORT}").len() <= SOCKET_PATH_MAX {
            make_dir(&beside)?;
            account.give(&beside)?;
            return Ok(beside);
        }
        let short =
            PathBuf::from(format!("/tmp/tollgate-{}", fnv::hex(self.root.as_os_str().as_encoded_bytes())));
        make_dir(&short)?;
        // Anybody can make names in /tmp: what was there before must already be the server's, and closed.
        let metadata = short.symlink_metadata().map_err(unusable(&short))?;
        let owners = [account.uid(), nix::unistd::Uid::effective().as_raw()];
        if !metadata.is_dir()
            || !owners.contains(&metadata.uid())
            || metadata.permissions().mode() & 0o077 != 0
        {
            return Err(unusable(&short)(ErrorKind::PermissionDenied.into()));
        }
        account.give(&short)?;
        Ok(short)
    }
}

fn make_dir(dir: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(unusable(dir))
}
