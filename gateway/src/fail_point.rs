//! Places at which tests kill the process: in builds for tests only, elsewhere nothing.
//!
//! `TOLLGATE_FAIL_POINT=append:37` kills it, as `kill -9` does, when it comes to the place `append` for the 37th time.

/// Comes to a place.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn reach(_: &'static str) {}

/// Comes to a place.
#[cfg(debug_assertions)]
pub(crate) fn reach(place: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static DOOM: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let doom = DOOM.get_or_init(|| {
        let text = std::env::var("TOLLGATE_FAIL_POINT").ok()?;
        let (place, count) = text.split_once(':')?;
        Some((place.to_owned(), AtomicU64::new(count.parse().ok()?)))
    });
    if let Some((doomed, left)) = doom
        && doomed == place
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
