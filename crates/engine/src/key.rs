//! Keys: how they are minted, read, shown, and turned into the digest that is stored instead of them.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tollgate_domain::Environment;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 43 digits of base 62 carry 256 bits.
const RANDOM_LEN: usize = 43;
/// 6 digits of base 62 carry 32 bits.
const CHECKSUM_LEN: usize = 6;
const TAIL_LEN: usize = RANDOM_LEN + CHECKSUM_LEN;
const PREFIX_LEN_MAX: usize = 8;
/// The longest key: prefix, `_live_` or `_test_`, and what follows.
pub(crate) const KEY_LEN_MAX: usize = PREFIX_LEN_MAX + 6 + TAIL_LEN;
/// The regular expression that every key matches, for secret scanners.
pub const KEY_PATTERN: &str = "[a-z0-9]{2,8}_(live|test)_[0-9A-Za-z]{49}";

/// A text that cannot be a key of ours; nothing is looked up for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key: expected <prefix>_<live|test>_<49 letters and digits>, the last six a checksum")]
pub struct MalformedKey;

/// A text that has a key's form and checksum; whether it opens anything is another question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ParsedKey<'k> {
    text: &'k str,
    prefix_len: usize,
    environment: Environment,
}

impl<'k> ParsedKey<'k> {
    /// The whole key: what a digest is made of.
    #[must_use]
    pub const fn text(&self) -> &'k str {
        self.text
    }

    /// What stands before the environment.
    #[must_use]
    pub fn prefix(&self) -> &'k str {
        &self.text[..self.prefix_len]
    }

    /// The environment that is spelled out in the key.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }
}

impl fmt::Debug for ParsedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParsedKey({}_{}_***)", self.prefix(), self.environment.as_str())
    }
}

/// Whether a text may stand before the environment: 2 to 8 of `a-z` and `0-9`.
#[must_use]
pub fn is_key_prefix(text: &str) -> bool {
    (2..=PREFIX_LEN_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Writes a key from 32 random bytes.
///
/// # Panics
/// When `prefix` is not 2 to 8 of `a-z` and `0-9` ([`is_key_prefix`]): a fault of the program's settings.
#[must_use]
pub fn mint(prefix: &str, environment: Environment, random: &[u8; 32]) -> String {
    assert!(is_key_prefix(prefix), "a key's prefix is 2 to 8 of a-z and 0-9");
    let mut digits = [0u8; RANDOM_LEN];
    let mut number = *random;
    for digit in digits.iter_mut().rev() {
        // Long division of the 256-bit number by 62; the remainder is the next digit from the right.
        let mut rest = 0u16;
        for byte in &mut number {
            let value = (rest << 8) | u16::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        *digit = BASE62[usize::from(rest)];
    }
    let mut key = String::with_capacity(prefix.len() + 6 + TAIL_LEN);
    key.push_str(prefix);
    key.push('_');
    key.push_str(environment.as_str());
    key.push('_');
    key.extend(digits.iter().map(|&digit| char::from(digit)));
    let checksum = checksum(key.as_bytes());
    key.extend(checksum.iter().map(|&digit| char::from(digit)));
    key
}

/// Reads a key's form: character set, length and checksum.
///
/// # Errors
/// [`MalformedKey`], which says nothing about which rule was broken.
pub fn parse(text: &str) -> Result<ParsedKey<'_>, MalformedKey> {
    let bytes = text.as_bytes();
    let tail_at = bytes.len().checked_sub(TAIL_LEN).ok_or(MalformedKey)?;
    let (head, tail) = bytes.split_at(tail_at);
    let environment = match head.len().checked_sub(6).map(|at| head.split_at(at)) {
        Some((_, b"_live_")) => Environment::Live,
        Some((_, b"_test_")) => Environment::Test,
        _ => return Err(MalformedKey),
    };
    let prefix_len = head.len() - 6;
    if !tail.iter().all(u8::is_ascii_alphanumeric) || !is_key_prefix(&text[..prefix_len]) {
        return Err(MalformedKey);
    }
    let (signed, sum) = bytes.split_at(bytes.len() - CHECKSUM_LEN);
    if checksum(signed) != sum {
        return Err(MalformedKey);
    }
    Ok(ParsedKey { text, prefix_len, environment })
}

/// What may be shown of a key for recognition: everything up to the first four random characters, and the last
/// four characters.
#[must_use]
pub fn display_parts(key: &ParsedKey<'_>) -> (String, String) {
    let start = key.prefix_len + 6;
    (key.text[..start + 4].to_owned(), key.text[key.text.len() - 4..].to_owned())
}

fn checksum(signed: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut rest = crc32fast::hash(signed);
    let mut digits = [0u8; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// Why a set of peppers cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeppers {
    /// There must be at least one.
    #[error("at least one pepper is needed")]
    Missing,
    /// Two carry the same version.
    #[error("two peppers have version {0}")]
    DuplicateVersion(i16),
    /// A pepper of equal bytes is a placeholder, not a secret.
    #[error("the pepper of version {0} is a placeholder")]
    Placeholder(i16),
}

/// The secrets that key digests are made with, highest version first.
#[derive(Clone)]
pub struct Peppers {
    /// Keyed states: a digest then costs the blocks of the key only.
    states: Vec<(i16, Hmac<Sha256>)>,
}

impl Peppers {
    /// Takes the secrets by version; the highest version makes new digests, the others are still recognised.
    ///
    /// # Errors
    /// None given, a version given twice, or a secret that is 32 equal bytes.
    pub fn new(mut peppers: Vec<(i16, [u8; 32])>) -> Result<Self, InvalidPeppers> {
        peppers.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        if peppers.is_empty() {
            return Err(InvalidPeppers::Missing);
        }
        if let Some(pair) = peppers.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(InvalidPeppers::DuplicateVersion(pair[0].0));
        }
        if let Some((version, _)) = peppers.iter().find(|(_, secret)| secret.iter().all(|b| *b == secret[0]))
        {
            return Err(InvalidPeppers::Placeholder(*version));
        }
        let states = peppers
            .iter()
            .map(|(version, secret)| {
                let state = Hmac::new_from_slice(secret).expect("HMAC takes a secret of any length");
                (*version, state)
            })
            .collect();
        Ok(Self { states })
    }

    /// The version that new digests are made with.
    #[must_use]
    pub fn current(&self) -> i16 {
        self.states[0].0
    }

    /// Every version, current first.
    pub fn versions(&self) -> impl Iterator<Item = i16> + '_ {
        self.states.iter().map(|(version, _)| *version)
    }

    /// HMAC-SHA-256 of the whole key under one version; none where that version is not known.
    #[must_use]
    pub fn digest(&self, version: i16, key: &str) -> Option<[u8; 32]> {
        self.state(version).map(|state| keyed(state, key.as_bytes()))
    }

    /// What a gateway recognises a key by: the first half of its digest. None where that version is not known.
    #[must_use]
    pub fn tag(&self, version: i16, key: &str) -> Option<[u8; 16]> {
        self.digest(version, key).map(|digest| first_half(&digest))
    }

    /// The tags of a key under every version, current first.
    pub(crate) fn tags<'a>(&'a self, key: &'a str) -> impl Iterator<Item = [u8; 16]> + 'a {
        self.states.iter().map(|(_, state)| first_half(&keyed(state, key.as_bytes())))
    }

    /// What a key that was made elsewhere is stored as: the HMAC of the SHA-256 of its text. Whoever can write to the
    /// database alone cannot make one.
    #[must_use]
    pub fn imported_digest(&self, version: i16, sha256: &[u8; 32]) -> Option<[u8; 32]> {
        self.state(version).map(|state| imported(state, sha256))
    }

    /// The tags of a text, as of a key that was made elsewhere, under every version.
    pub(crate) fn imported_tags<'a>(&'a self, text: &str) -> impl Iterator<Item = [u8; 16]> + 'a {
        let sha256: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        self.states.iter().map(move |(_, state)| first_half(&imported(state, &sha256)))
    }

    /// The key that secrets at rest are sealed with under one version; never the pepper itself.
    pub(crate) fn sealing_key(&self, version: i16) -> Option<[u8; 32]> {
        self.state(version).map(|state| keyed(state, b"tollgate sealing key v1"))
    }

    /// A short public name of one pepper, kept beside the data so that a start with another secret is noticed.
    #[must_use]
    pub fn fingerprint(&self, version: i16) -> Option<String> {
        let digest = keyed(self.state(version)?, b"tollgate pepper fingerprint v1");
        Some(digest[..8].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The signature of a grant under the current pepper.
    pub(crate) fn grant_mac(&self, said: &[u8]) -> [u8; 32] {
        grant_mac(&self.states[0].1, said)
    }

    /// The signatures that a grant may carry, current first.
    pub(crate) fn grant_macs<'a>(&'a self, said: &'a [u8]) -> impl Iterator<Item = [u8; 32]> + 'a {
        self.states.iter().map(move |(_, state)| grant_mac(state, said))
    }

    fn state(&self, version: i16) -> Option<&Hmac<Sha256>> {
        self.states.iter().find(|(known, _)| *known == version).map(|(_, state)| state)
    }
}

/// No key begins like this, so that no signature is a key's digest.
fn grant_mac(state: &Hmac<Sha256>, said: &[u8]) -> [u8; 32] {
    let mut mac = state.clone();
    mac.update(b"tollgate relay grant v1\0");
    mac.update(said);
    mac.finalize().into_bytes().into()
}

/// No key begins like this, so that no digest of ours is one of an imported key.
fn imported(state: &Hmac<Sha256>, sha256: &[u8; 32]) -> [u8; 32] {
    let mut mac = state.clone();
    mac.update(b"tollgate imported key v1\0");
    mac.update(sha256);
    mac.finalize().into_bytes().into()
}

fn keyed(state: &Hmac<Sha256>, text: &[u8]) -> [u8; 32] {
    let mut mac = state.clone();
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn first_half(digest: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.states.iter().map(|(version, _)| format!("v{version}:***"))).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_minted_key_reads_back(prefix in "[a-z0-9]{2,8}", live: bool, random: [u8; 32]) {
            let environment = if live { Environment::Live } else { Environment::Test };
            let key = mint(&prefix, environment, &random);
            let parsed = parse(&key).expect("a minted key is well formed");
            prop_assert_eq!(parsed.prefix(), prefix.as_str());
            prop_assert_eq!(parsed.environment(), environment);
            prop_assert_eq!(key.len(), prefix.len() + 55);
            let (first, last) = display_parts(&parsed);
            prop_assert!(key.starts_with(&first) && key.ends_with(&last));
            prop_assert_eq!(first.len() + last.len(), prefix.len() + 14);
            let shown = format!("{:?}", parsed);
            prop_assert!(!shown.contains(&key[prefix.len() + 6..]));
        }

        #[test]
        fn a_key_with_one_other_byte_is_refused(random: [u8; 32], at in 0usize..57, byte in 0x20u8..0x7f) {
            let key = mint("tg", Environment::Live, &random);
            let mut bytes = key.clone().into_bytes();
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            let changed = String::from_utf8(bytes).expect("ASCII");
            prop_assert_eq!(parse(&changed), Err(MalformedKey));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,80}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn the_extreme_keys_are_as_specified() {
        let lowest = mint("toll", Environment::Test, &[0; 32]);
        assert!(lowest.starts_with(&format!("toll_test_{}", "0".repeat(43))));
        let highest = mint("toll", Environment::Live, &[255; 32]);
        assert!(parse(&highest).is_ok());
        for bad in
            ["", "_live_", "tg_live_", &lowest[1..], &lowest[..lowest.len() - 1], &format!("{lowest} ")]
        {
            assert_eq!(parse(bad), Err(MalformedKey), "{bad}");
        }
    }

    #[test]
    fn digests_differ_by_version_and_match_rfc_4231() {
        // RFC 4231 test case 2 has a key shorter than 32 bytes; padding with zeros is what HMAC does itself.
        let mut secret = [0u8; 32];
        secret[..4].copy_from_slice(b"Jefe");
        let peppers =
            Peppers::new(vec![(1, secret), (2, *b"0123456789abcdef0123456789abcdef")]).expect("two");
        let digest = peppers.digest(1, "what do ya want for nothing?").expect("version 1");
        assert_eq!(digest[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_ne!(peppers.digest(2, "what do ya want for nothing?"), Some(digest));
        assert_eq!(peppers.digest(3, "x"), None);
        assert_eq!(peppers.current(), 2);
        assert_ne!(peppers.fingerprint(1), peppers.fingerprint(2));
        assert_eq!(format!("{peppers:?}"), r#"["v2:***", "v1:***"]"#);
    }

    #[test]
    fn unusable_peppers_are_refused() {
        assert_eq!(Peppers::new(vec![]).err(), Some(InvalidPeppers::Missing));
        assert_eq!(Peppers::new(vec![(1, [7; 32])]).err(), Some(InvalidPeppers::Placeholder(1)));
        let secret = *b"0123456789abcdef0123456789abcdef";
        assert_eq!(
            Peppers::new(vec![(1, secret), (1, secret)]).err(),
            Some(InvalidPeppers::DuplicateVersion(1))
        );
    }
}
