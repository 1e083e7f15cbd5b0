//! Journals that earlier processes left behind: found at start, read, and what they charge.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tollgate_domain::{SubscriptionId, UsageCount};
use uuid::Uuid;

use super::journal::{Recovered, Unreadable, prefix_of, recover};

/// Files of earlier processes, as found at start.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// What could be read, with the file it came from.
    pub recovered: Vec<(PathBuf, Recovered)>,
    /// Files set aside because they could not be read.
    pub set_aside: usize,
}

/// Reads what earlier processes left in `dir`: journals are recovered, unreadable ones set aside under another
/// name, unfinished ones removed. Those of `living` are left alone: that process still counts.
///
/// # Errors
/// When the directory cannot be listed.
pub fn leftovers(dir: &Path, living: Option<Uuid>) -> std::io::Result<Leftovers> {
    let living = living.map(prefix_of);
    recover_all(dir, |name| living.as_ref().is_none_or(|living| !name.starts_with(living)))
}

/// Reads what one process left that is gone by now, like [`leftovers`].
///
/// # Errors
/// When the directory cannot be listed.
pub fn leftovers_of(dir: &Path, boot_id: Uuid) -> std::io::Result<Leftovers> {
    let prefix = prefix_of(boot_id);
    recover_all(dir, |name| name.starts_with(&prefix))
}

fn recover_all(dir: &Path, is_wanted: impl Fn(&str) -> bool) -> std::io::Result<Leftovers> {
    let mut found = Leftovers::default();
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(dir)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with("usage-") || !is_wanted(name) {
            continue;
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("new") => drop(std::fs::remove_file(&path)),
            Some("journal") => match recover(&path) {
                Ok(recovered) => {
                    if recovered.damaged_slots > 0 {
                        tracing::error!(
                            file = %path.display(),
                            damaged_slots = recovered.damaged_slots,
                            "a usage journal has damaged entries; the others are kept"
                        );
                    }
                    found.recovered.push((path, recovered));
                }
                Err(error) => {
                    found.set_aside += 1;
                    set_aside(&path, &error);
                }
            },
            _ => {}
        }
    }
    Ok(found)
}

fn set_aside(path: &Path, error: &Unreadable) {
    tracing::error!(file = %path.display(), %error, "a usage journal is set aside as *.damaged");
    if let Err(error) = std::fs::rename(path, path.with_extension("damaged")) {
        tracing::error!(%error, "cannot set it aside");
    }
}

/// The sum of what `counts` charge each subscription in the given range of minutes.
pub fn charged_by_subscription<'a>(
    counts: impl IntoIterator<Item = &'a UsageCount>,
    minutes: &Range<u32>,
) -> HashMap<SubscriptionId, u64> {
    let mut sums = HashMap::new();
    for count in counts {
        if count.units > 0 && minutes.contains(&count.key.minute) {
            let sum: &mut u64 = sums.entry(count.key.subscription_id).or_default();
            *sum = sum.saturating_add(count.units);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use tollgate_domain::{Outcome, UsageKey};

    use super::*;
    use crate::usage::journal::{Amounts, Segment};

    fn key() -> UsageKey {
        UsageKey {
            credential_id: Uuid::from_u128(1).into(),
            subscription_id: Uuid::from_u128(2).into(),
            route_id: Uuid::from_u128(3).into(),
            status: 200,
            outcome: Outcome::Served,
            minute: 100,
        }
    }

    #[test]
    fn leftovers_are_recovered_and_broken_ones_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let boot_id = Uuid::now_v7();
        let segment = Segment::create(dir.path(), boot_id, 0, 4).unwrap();
        let slot = segment.claim(&key()).unwrap();
        segment.add(slot, &Amounts { charged: 1, units: 1, ..Amounts::default() });
        std::mem::forget(segment);
        assert!(leftovers(dir.path(), Some(boot_id)).unwrap().recovered.is_empty(), "it lives");
        std::fs::write(dir.path().join("usage-x.journal"), b"not a journal").unwrap();
        std::fs::write(dir.path().join("usage-y.new"), b"half made").unwrap();
        let found = leftovers(dir.path(), None).unwrap();
        assert_eq!((found.recovered.len(), found.set_aside), (1, 1));
        assert_eq!(found.recovered[0].1.counts[0].charged, 1);
        assert!(dir.path().join("usage-x.damaged").exists());
        assert!(!dir.path().join("usage-y.new").exists());
        let sums = charged_by_subscription(&found.recovered[0].1.counts, &(100..101));
        assert_eq!(sums.values().sum::<u64>(), 1);
    }
}
