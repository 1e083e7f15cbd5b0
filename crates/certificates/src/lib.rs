//! Certificates and private keys as they are brought: read from PEM, checked, described.
//!
//! What is wrong is said by field and in plain words, for those who paste a certificate into a form. Nothing here reads
//! a clock or a file.

mod challenge;
mod check;
mod facts;
mod fault;
mod pem;

pub use challenge::{CHALLENGE_PROTOCOL, challenge_certificate};
pub use facts::Facts;
pub use fault::{Fault, Field};
pub use pem::Pair;

/// Reads a chain and its key, and refuses what must not be served at `now` (Unix seconds).
///
/// # Errors
/// Every fault, each with its field.
pub fn read(chain: &str, key: &str, now: i64) -> Result<(Pair, Facts), Vec<Fault>> {
    let pair = Pair::read(chain, key)?;
    let facts = facts::of(&pair.chain).map_err(|fault| vec![fault])?;
    let faults = check::faults(&pair, &facts, now);
    if faults.is_empty() { Ok((pair, facts)) } else { Err(faults) }
}

/// Reads what was checked when it was brought; by now it may have expired.
///
/// # Errors
/// It cannot be read at all, or the key is another certificate's.
pub fn read_stored(chain: &str, key: &str) -> Result<(Pair, Facts), Vec<Fault>> {
    let pair = Pair::read(chain, key)?;
    let facts = facts::of(&pair.chain).map_err(|fault| vec![fault])?;
    match check::key_fault(&pair) {
        None => Ok((pair, facts)),
        Some(fault) => Err(vec![fault]),
    }
}
