//! Whose account the server runs under, and how to become it.

use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User};

use super::{Error, programs, unusable};

/// The account of the server.
#[derive(Debug)]
pub(super) struct Account {
    /// Somebody else than ourselves, which only root may choose.
    other: Option<User>,
}

impl Account {
    /// The account asked for, else the owner of the existing cluster, else `postgres`; for anybody but root
    /// it is always themselves.
    pub fn choose(run_as: Option<&str>, cluster_owner: Option<u32>) -> Result<Self, Error> {
        let me = Uid::effective();
        if !me.is_root() {
            let named = run_as.map(|name| User::from_name(name).ok().flatten());
            return match named {
                Some(user) if user.as_ref().map(|user| user.uid) != Some(me) => {
                    Err(Error::NoAccount("only root can run the server under another account".to_owned()))
                }
                _ => Ok(Self { other: None }),
            };
        }
        let user = match (run_as, cluster_owner.filter(|uid| *uid != 0)) {
            (None, Some(uid)) => User::from_uid(Uid::from_raw(uid)).ok().flatten().ok_or_else(|| {
                Error::NoAccount(format!("the cluster belongs to uid {uid}, which has no account"))
            })?,
            (name, _) => {
                let name = name.unwrap_or("postgres");
                User::from_name(name).ok().flatten().ok_or_else(|| {
                    Error::NoAccount(format!(
                        "root cannot run PostgreSQL and there is no account named {name}"
                    ))
                })?
            }
        };
        if user.uid.is_root() {
            return Err(Error::NoAccount("PostgreSQL refuses to run as root".to_owned()));
        }
        Ok(Self { other: Some(user) })
    }

    /// The other account, if the server does not run under ours.
    pub const fn other(&self) -> Option<&User> {
        self.other.as_ref()
    }

    /// The uid that owns the server's files and processes.
    pub fn uid(&self) -> u32 {
        self.other.as_ref().map_or_else(Uid::effective, |user| user.uid).as_raw()
    }

    /// The words to put before a command so that it runs under this account; none for our own.
    pub fn prefix(&self) -> Result<Vec<String>, Error> {
        let Some(user) = &self.other else { return Ok(Vec::new()) };
        let name = user.name.clone();
        let words = |program: PathBuf, rest: &[&str]| {
            [program.display().to_string()]
                .into_iter()
                .chain(rest.iter().map(|word| (*word).to_owned()))
                .collect()
        };
        if let Some(setpriv) = programs::in_path("setpriv") {
            let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
            return Ok(words(setpriv, &["--reuid", &uid, "--regid", &gid, "--init-groups"]));
        }
        if let Some(runuser) = programs::in_path("runuser") {
            return Ok(words(runuser, &["-u", &name, "--"]));
        }
        if let Some(sudo) = programs::in_path("sudo") {
            return Ok(words(sudo, &["-n", "-u", &name, "--"]));
        }
        Err(Error::NoAccount(format!("none of setpriv, runuser and sudo is there to become {name}")))
    }

    /// Whether this account can get into a directory; asked of the system, so that access lists count too.
    pub fn reaches(&self, dir: &Path) -> Result<bool, Error> {
        let prefix = self.prefix()?;
        let Some((program, words)) = prefix.split_first() else { return Ok(true) };
        let status = Command::new(program)
            .args(words)
            .args(["/bin/sh", "-c", "cd \"$1\"", "sh"])
            .arg(dir)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(unusable(Path::new(program)))?;
        Ok(status.success())
    }

    /// Gives a path, and all below it, to this account. Symbolic links are given away, not followed.
    pub fn give(&self, path: &Path) -> Result<(), Error> {
        let Some(user) = &self.other else { return Ok(()) };
        let metadata = path.symlink_metadata().map_err(unusable(path))?;
        if metadata.uid() == user.uid.as_raw() {
            return Ok(());
        }
        if metadata.is_dir() {
            for entry in path.read_dir().map_err(unusable(path))? {
                self.give(&entry.map_err(unusable(path))?.path())?;
            }
        }
        // Last, so that an interrupted walk starts again.
        lchown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(unusable(path))
    }

    /// Lets the account's group pass through a directory of ours without listing it.
    pub fn let_through(&self, dir: &Path) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let Some(user) = &self.other else { return Ok(()) };
        let metadata = dir.metadata()?;
        let mode = metadata.permissions().mode();
        if metadata.uid() != 0 || mode & 0o001 != 0 {
            return Ok(());
        }
        std::os::unix::fs::chown(dir, None, Some(user.gid.as_raw()))?;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode((mode & 0o700) | 0o010))
    }
}
