//! Slowing down whoever tries wrong tokens, without locking out scripts that share their address.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tollgate_boot::trusted::network_of;

const WRONG_MAX: u32 = 60;
const WINDOW: Duration = Duration::from_secs(60);
/// Remembered at most; beyond it, finished windows are forgotten first, then everything.
const ADDRESSES_MAX: usize = 10_000;
const TOKENS_MAX: usize = 10_000;

/// Counts wrong tokens per address for a minute. Kept in memory: a restart forgives.
#[derive(Debug, Default)]
pub struct Throttle {
    seen: Mutex<Seen>,
    // Keyed at random, so that nobody can prepare a token that collides with a right one.
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Seen {
    wrong: HashMap<IpAddr, (Instant, u32)>,
    /// Tokens that were right before. They are still looked up each time, but an address full of guessers (a
    /// proxy in front of everybody, say) does not stop them.
    right: HashSet<u64>,
}

impl Throttle {
    /// Whether a token may be looked up; else the seconds to wait.
    pub fn check(&self, address: IpAddr, token: &str, now: Instant) -> Result<(), u32> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.wrong.get(&network_of(address)) {
            Some((since, wrong)) if *wrong >= WRONG_MAX && now < *since + WINDOW => {
                if seen.right.contains(&self.hasher.hash_one(token)) {
                    return Ok(());
                }
                let left = (*since + WINDOW).saturating_duration_since(now);
                Err(u32::try_from(left.as_secs() + 1).unwrap_or(60))
            }
            _ => Ok(()),
        }
    }

    /// Notes that a token was right.
    pub fn right(&self, token: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.right.len() >= TOKENS_MAX {
            seen.right.clear();
        }
        seen.right.insert(self.hasher.hash_one(token));
    }

    /// Notes that a token was wrong.
    pub fn wrong(&self, address: IpAddr, now: Instant) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.wrong.len() >= ADDRESSES_MAX {
            seen.wrong.retain(|_, (since, _)| now < *since + WINDOW);
            if seen.wrong.len() >= ADDRESSES_MAX {
                seen.wrong.clear();
            }
        }
        let (since, wrong) = seen.wrong.entry(network_of(address)).or_insert((now, 0));
        if now >= *since + WINDOW {
            (*since, *wrong) = (now, 0);
        }
        *wrong += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_wrong_tokens_in_a_minute_close_an_address_to_all_but_known_tokens() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let (guesser, other) = (IpAddr::from([203, 0, 113, 7]), IpAddr::from([203, 0, 113, 8]));
        throttle.right("known");
        for _ in 0..WRONG_MAX {
            assert_eq!(throttle.check(guesser, "guess", start), Ok(()));
            throttle.wrong(guesser, start);
        }
        let later = start + Duration::from_secs(20);
        assert_eq!(throttle.check(guesser, "guess", later), Err(41));
        assert_eq!(throttle.check(guesser, "known", later), Ok(()));
        assert_eq!(throttle.check(other, "guess", later), Ok(()));
        assert_eq!(throttle.check(guesser, "guess", start + WINDOW), Ok(()));
    }
}
