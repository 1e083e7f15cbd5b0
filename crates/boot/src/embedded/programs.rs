//! The server's programs: found on this machine, or downloaded.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use postgresql_embedded::{PostgreSQL, VersionReq};

use super::account::Account;
use super::place::Place;
use super::{Error, unusable};

/// How long `pg_ctl` waits for the server to start, recover or stop.
pub(super) const WAIT_SECONDS: u64 = 120;
/// The oldest major version whose SQL the migrations may use.
const MAJOR_MIN: u32 = 15;
/// The major version that is downloaded where none is installed.
const MAJOR_DOWNLOADED: u32 = 17;
const RELEASES_URL: &str = "https://github.com/theseus-rs/postgresql-binaries";
const NEEDED: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// A directory of server programs of one version.
#[derive(Debug)]
pub(super) struct Programs {
    bin: PathBuf,
}

impl Programs {
    /// The programs for the cluster: of its own major version, or for a new one the newest there are.
    pub async fn obtain(place: &Place) -> Result<Self, Error> {
        let wanted = place.major();
        if let Some(bin) = newest(installed(&place.downloads()), wanted) {
            return Ok(Self { bin });
        }
        tracing::info!("no PostgreSQL server programs were found, downloading them");
        download(place, wanted.unwrap_or(MAJOR_DOWNLOADED)).await.map(|bin| Self { bin }).map_err(|reason| {
            match wanted {
                Some(major) => Error::OtherMajor { cluster: place.data(), major, reason },
                None => Error::NoPrograms(reason),
            }
        })
    }

    /// Writes the two scripts that stand for these programs: they give up our rights where the account is
    /// another, and pass nothing of our environment on, which may hold secrets.
    pub fn wrap(&self, place: &Place, account: &Account) -> Result<(), Error> {
        let prefix: String = account.prefix()?.iter().map(|word| format!("{} ", quoted(word))).collect();
        let dir = place.wrappers().join("bin");
        fs::create_dir_all(&dir).map_err(unusable(&dir))?;
        fs::set_permissions(place.wrappers(), fs::Permissions::from_mode(0o700)).map_err(unusable(&dir))?;
        // One locale everywhere, and never the server's messages in a language our errors cannot expect.
        let locale = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };
        let initdb_words = format!("--locale={locale} --lc-messages=C --data-checksums");
        for (name, words) in [("initdb", initdb_words.as_str()), ("pg_ctl", "")] {
            let path = dir.join(name);
            let program = quoted(&self.bin.join(name).display().to_string());
            let script = format!(
                "#!/bin/sh\n# Written at every start.\ncd /\nexec {prefix}env -i PATH=\"$PATH\" LC_ALL=C \
                 PGCTLTIMEOUT={WAIT_SECONDS} {program} \"$@\" {words}\n"
            );
            fs::write(&path, script)
                .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o700)))
                .map_err(unusable(&path))?;
        }
        Ok(())
    }
}

/// The first program of that name in `PATH`.
pub(super) fn in_path(name: &str) -> Option<PathBuf> {
    path_dirs().into_iter().map(|dir| dir.join(name)).find(|path| path.is_file())
}

fn path_dirs() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // sbin, because a service's PATH often lacks it and setpriv or runuser may be there.
    std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .chain(["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from))
        .collect()
}

/// Every directory that holds all we need, in the order of preference among equals.
fn installed(downloads: &Path) -> Vec<PathBuf> {
    let mut dirs = path_dirs();
    for (parent, named) in [
        (Path::new("/usr/lib/postgresql"), ""),
        (Path::new("/opt/homebrew/opt"), "postgresql"),
        (Path::new("/usr/local/opt"), "postgresql"),
        (Path::new("/home/linuxbrew/.linuxbrew/opt"), "postgresql"),
        (downloads, ""),
    ] {
        let Ok(entries) = parent.read_dir() else { continue };
        dirs.extend(
            entries
                .flatten()
                .filter(|entry| entry.file_name().to_string_lossy().starts_with(named))
                .map(|entry| entry.path().join("bin")),
        );
    }
    // Fedora's and Alpine's homes of the server.
    dirs.extend(["/usr/pgsql-17/bin", "/usr/pgsql-16/bin", "/usr/libexec/postgresql"].map(PathBuf::from));
    let mut seen = HashSet::new();
    dirs.retain(|dir| NEEDED.iter().all(|name| dir.join(name).is_file()) && seen.insert(dir.clone()));
    dirs
}

fn newest(candidates: Vec<PathBuf>, wanted: Option<u32>) -> Option<PathBuf> {
    candidates
        .into_iter()
        .rev()
        .filter_map(|bin| Some((major(&bin)?, bin)))
        .filter(|(major, _)| wanted.map_or(*major >= MAJOR_MIN, |wanted| wanted == *major))
        // The last of equals wins, and the list was turned round.
        .max_by_key(|(major, _)| *major)
        .map(|(_, bin)| bin)
}

/// `postgres (PostgreSQL) 15.13 (Debian …)` → 15.
fn major(bin: &Path) -> Option<u32> {
    let output = Command::new(bin.join("postgres")).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.split_whitespace().nth(2)?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

async fn download(place: &Place, major: u32) -> Result<PathBuf, String> {
    let downloads = place.downloads();
    fs::create_dir_all(&downloads).map_err(|error| error.to_string())?;
    // `setup` installs, then initialises unless it sees a cluster; the cluster is not its task here.
    let pretended = place.wrappers().join("pretended");
    fs::create_dir_all(&pretended)
        .and_then(|()| fs::write(pretended.join("postgresql.conf"), ""))
        .map_err(|error| error.to_string())?;
    let mut installer = PostgreSQL::new(postgresql_embedded::Settings {
        releases_url: RELEASES_URL.to_owned(),
        version: VersionReq::parse(&format!("={major}")).map_err(|error| error.to_string())?,
        installation_dir: downloads,
        password_file: pretended.join("password"),
        data_dir: pretended,
        host: "localhost".to_owned(),
        port: 1,
        username: String::new(),
        password: String::new(),
        temporary: true,
        timeout: None,
        configuration: std::collections::HashMap::new(),
        trust_installation_dir: false,
        socket_dir: None,
    });
    let allowed = std::time::Duration::from_secs(300);
    match tokio::time::timeout(allowed, installer.setup()).await {
        Ok(Ok(())) => Ok(installer.settings().binary_dir()),
        Ok(Err(error)) => Err(root_cause(&error)),
        Err(_) => Err("it took more than five minutes".to_owned()),
    }
}

/// The innermost reason, which for a blocked download names the connection and not the wrappers around it.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installed_programs_are_found_and_their_version_read() {
        let bin = newest(installed(Path::new("/nonexistent")), None).expect("server programs are installed");
        assert!(major(&bin).unwrap() >= MAJOR_MIN);
        assert_eq!(newest(installed(Path::new("/nonexistent")), Some(9)), None);
    }

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
