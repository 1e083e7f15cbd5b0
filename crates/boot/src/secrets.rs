//! The secrets of an installation: made once, kept closed, refused when they are weak.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rand::TryRngCore;
use rand::rngs::OsRng;

/// Peppers written out: `1:<hex or base64>,2:<…>`.
pub const PEPPERS_VARIABLE: &str = "TOLLGATE_PEPPERS";
/// A file that holds what [`PEPPERS_VARIABLE`] would, one pepper per line or separated by commas.
pub const PEPPER_FILE_VARIABLE: &str = "TOLLGATE_PEPPER_FILE";

const PEPPER_LEN: usize = 32;

/// Why secrets were refused. No message carries any part of a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file or directory cannot be read or written.
    #[error("{} cannot be used: {source}", path.display())]
    Unusable {
        /// What could not be used.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A secret that others on this machine can read.
    #[error("{} can be read by other users of this machine: chmod 600 it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// A secret that is too short, malformed or looks made up.
    #[error("{origin} {reason}; make one with `openssl rand -hex 32`")]
    Weak {
        /// The file or variable.
        origin: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

/// What the platform must keep from everybody.
#[derive(Clone)]
pub struct Secrets {
    /// Version and key of every pepper that stored key hashes may carry, oldest first; the last is the one
    /// for new hashes. Never empty.
    pub peppers: Vec<(i16, [u8; PEPPER_LEN])>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<i16> = self.peppers.iter().map(|(version, _)| *version).collect();
        f.debug_struct("Secrets").field("pepper_versions", &versions).finish_non_exhaustive()
    }
}

impl Secrets {
    /// Reads `pepper-<version>` files from the directory; makes the directory (0700) and `pepper-1` (0600, 32
    /// bytes from the operating system) where there is none.
    ///
    /// # Errors
    /// [`SecretsError`], naming the file.
    pub fn load_or_create(dir: &Path) -> Result<Self, SecretsError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(unusable(dir))?;
        let mut peppers = Vec::new();
        for entry in fs::read_dir(dir).map_err(unusable(dir))? {
            let path = entry.map_err(unusable(dir))?.path();
            let Some(version) = path
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| name.strip_prefix("pepper-"))
                .and_then(|version| version.parse::<i16>().ok())
            else {
                continue;
            };
            let text = read_closed(&path, 0o077)?;
            peppers.push((version, pepper(&text, &path.display().to_string())?));
        }
        if peppers.is_empty() {
            peppers.push((1, create(&dir.join("pepper-1"))?));
        }
        peppers.sort_by_key(|(version, _)| *version);
        Ok(Self { peppers })
    }

    /// Reads what `TOLLGATE_PEPPERS` holds: `1:<hex or base64>,2:<…>`; the highest version is current.
    ///
    /// # Errors
    /// [`SecretsError::Weak`], naming the variable.
    pub fn from_list(list: &str) -> Result<Self, SecretsError> {
        Self::parse(list, PEPPERS_VARIABLE)
    }

    /// Reads a file in the same form (what `TOLLGATE_PEPPER_FILE` names); a bare secret is version 1.
    ///
    /// # Errors
    /// [`SecretsError`], naming the file. Files below `/run/secrets` may be readable by all: container
    /// engines mount them so, inside a container that has no other users. A group may read others: that is how
    /// orchestrators hand a mounted secret to a process that is not root.
    pub fn from_file(path: &Path) -> Result<Self, SecretsError> {
        let text = if path.starts_with("/run/secrets") {
            fs::read_to_string(path).map_err(unusable(path))?
        } else {
            read_closed(path, 0o007)?
        };
        Self::parse(&text, &path.display().to_string())
    }

    /// The pepper for new hashes.
    #[must_use]
    pub fn current_pepper(&self) -> &(i16, [u8; PEPPER_LEN]) {
        self.peppers.last().expect("no constructor leaves it empty")
    }

    fn parse(text: &str, origin: &str) -> Result<Self, SecretsError> {
        let weak = |reason| SecretsError::Weak { origin: origin.to_owned(), reason };
        let mut peppers = Vec::new();
        for item in text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty()) {
            let (version, secret) = item.split_once(':').unwrap_or(("1", item));
            let version: i16 =
                version.trim().parse().map_err(|_| weak("has a version that is not a number"))?;
            if peppers.iter().any(|(known, _)| *known == version) {
                return Err(weak("names one version twice"));
            }
            peppers.push((version, pepper(secret, origin)?));
        }
        if peppers.is_empty() {
            return Err(weak("is empty"));
        }
        peppers.sort_by_key(|(version, _)| *version);
        Ok(Self { peppers })
    }
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> SecretsError {
    move |source| SecretsError::Unusable { path: path.to_path_buf(), source }
}

fn read_closed(path: &Path, forbidden_mode: u32) -> Result<String, SecretsError> {
    let metadata = fs::metadata(path).map_err(unusable(path))?;
    if metadata.permissions().mode() & forbidden_mode != 0 {
        return Err(SecretsError::Exposed { path: path.to_path_buf() });
    }
    fs::read_to_string(path).map_err(unusable(path))
}

fn create(path: &Path) -> Result<[u8; PEPPER_LEN], SecretsError> {
    let mut secret = [0; PEPPER_LEN];
    OsRng.try_fill_bytes(&mut secret).map_err(|_| SecretsError::NoRandomness)?;
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect();
    // Written beside and renamed: a crash in between never leaves half a secret that keys were hashed with.
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(unusable(&beside))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(unusable(&beside))?;
    fs::rename(&beside, path).map_err(unusable(path))?;
    if let Some(dir) = path.parent() {
        fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(unusable(dir))?;
    }
    Ok(secret)
}

fn pepper(text: &str, origin: &str) -> Result<[u8; PEPPER_LEN], SecretsError> {
    let weak = |reason| SecretsError::Weak { origin: origin.to_owned(), reason };
    let bytes = decode(text.trim()).ok_or_else(|| weak("is neither hexadecimal nor base64"))?;
    let secret: [u8; PEPPER_LEN] = bytes.try_into().map_err(|_| weak("is not 32 bytes long"))?;
    if looks_made_up(&secret) {
        return Err(weak("looks like a sample, not like a random secret"));
    }
    Ok(secret)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let hexadecimal = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal {
        return (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect();
    }
    let bare = text.trim_end_matches('=');
    STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok()
}

/// Repeated patterns, sequences and readable text. A random secret fails each with a chance below 10⁻¹³.
fn looks_made_up(secret: &[u8; PEPPER_LEN]) -> bool {
    let mut distinct = *secret;
    distinct.sort_unstable();
    let distinct = 1 + distinct.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let step = secret[1].wrapping_sub(secret[0]);
    let sequence = secret.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step);
    let readable = secret.iter().all(|byte| (b' '..=b'~').contains(byte));
    distinct < 12 || sequence || readable
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "9f4c02e17ab35d886b1fe0c3594aa7d21e73b60f84cd952a30e86f1bd7429ac5";

    #[test]
    fn a_pepper_is_made_once_and_kept() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("secrets");
        let first = Secrets::load_or_create(&dir).unwrap();
        let second = Secrets::load_or_create(&dir).unwrap();
        assert_eq!(first.peppers, second.peppers);
        assert_eq!(fs::metadata(dir.join("pepper-1")).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_highest_version_is_current() {
        let parent = tempfile::tempdir().unwrap();
        Secrets::load_or_create(parent.path()).unwrap();
        create(&parent.path().join("pepper-10")).unwrap();
        let secrets = Secrets::load_or_create(parent.path()).unwrap();
        assert_eq!(secrets.peppers.iter().map(|(version, _)| *version).collect::<Vec<_>>(), [1, 10]);
        assert_eq!(secrets.current_pepper().0, 10);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_by_name() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("pepper-1");
        fs::write(&path, GOOD).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refusal = Secrets::load_or_create(parent.path()).unwrap_err();
        assert!(matches!(refusal, SecretsError::Exposed { .. }));
        assert!(refusal.to_string().contains("pepper-1"));
    }

    #[test]
    fn weak_secrets_are_refused_without_being_shown() {
        let readable = STANDARD_NO_PAD.encode("change-me-change-me-now-please!!");
        let sequence: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        for weak in ["abcd", &"00".repeat(32), &"deadbeef".repeat(8), &sequence, &readable, "§"] {
            let refusal = Secrets::from_list(&format!("1:{weak}")).unwrap_err().to_string();
            assert!(refusal.contains(PEPPERS_VARIABLE) && !refusal.contains(weak), "{refusal}");
        }
    }

    #[test]
    fn a_list_takes_hex_and_base64() {
        let base64 = STANDARD_NO_PAD.encode(pepper(GOOD, "test").unwrap().map(|byte| byte ^ 0x5a));
        let secrets = Secrets::from_list(&format!("2:{base64}=, 1:{GOOD}")).unwrap();
        assert_eq!(secrets.current_pepper().0, 2);
        assert!(!format!("{secrets:?}").contains("9f"));
        assert!(Secrets::from_list(&format!("1:{GOOD},1:{GOOD}")).is_err());
        assert!(Secrets::from_list(" , ").is_err());
    }
}
