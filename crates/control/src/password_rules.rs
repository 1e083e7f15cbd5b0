//! What a new password must be: long, and not what guessers try first (NIST SP 800-63B-4, section 3.1.1.2).

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::FieldFault;

/// The shortest password, in characters (NIST SP 800-63B-4: 15 where it is the only factor).
pub const PASSWORD_CHARS_MIN: usize = 15;
/// The longest, so that hashing has a bound.
pub const PASSWORD_CHARS_MAX: usize = 128;

/// The 3,000 most common passwords, in lower case; from the lists of zxcvbn (Copyright 2012-2016 Dan Wheeler and Dropbox,
/// Inc., MIT licence). Nearly all are shorter than the shortest that is taken, so what counts is which passwords are made
/// of them.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").split_whitespace().collect());

/// Long texts that guessers try first and that are not put together from common passwords.
const WELL_KNOWN: &[&str] = &["correcthorsebatterystaple", "thisismypassword", "administrator"];

/// The rules for a new password. No composition rules: length, and not being guessable from what is known.
pub fn check_new(password: &str, email: &str, pointer: &str, faults: &mut Vec<FieldFault>) {
    let mut refuse = |message: String| faults.push(FieldFault::new(pointer, message));
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN {
        return refuse(format!(
            "at least {PASSWORD_CHARS_MIN} characters; three or four random words are good"
        ));
    }
    if chars > PASSWORD_CHARS_MAX {
        return refuse(format!("at most {PASSWORD_CHARS_MAX} characters"));
    }
    if is_guessable(&password.to_lowercase(), email) {
        refuse("this password is easy to guess; take three or four random words".to_owned());
    }
}

fn is_guessable(lower: &str, email: &str) -> bool {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let letters_of = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let letters = letters_of(lower);
    let own = ["tollgate", local, domain.split('.').next().unwrap_or_default()].map(letters_of);
    let stripped = own
        .iter()
        .filter(|word| word.chars().count() >= 4)
        .fold(letters.clone(), |text, word| text.replace(word.as_str(), ""));
    let mut distinct: Vec<char> = stripped.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() < 5
        || is_sequence(lower)
        || WELL_KNOWN.iter().any(|known| letters.replace(known, "").is_empty())
        || is_made_of_common(&stripped)
}

/// Whether nearly every character follows its neighbour, as in `123456789012345` or `abcdefghijklmno`.
fn is_sequence(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let steps = chars.windows(2).filter(|pair| u32::from(pair[1]).abs_diff(u32::from(pair[0])) <= 1).count();
    steps * 10 >= chars.len().saturating_sub(1) * 9
}

/// Whether a text is one or two common passwords, however often repeated, and at most four characters more, like the
/// year or the exclamation mark that guessers append.
fn is_made_of_common(text: &str) -> bool {
    const MORE_MAX: usize = 4;
    let chars: Vec<char> = text.chars().collect();
    let slice = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
    for end in 3..=chars.len() {
        let first = slice(0, end);
        if !COMMON.contains(first.as_str()) {
            continue;
        }
        let rest = text.replace(&first, "");
        let left = rest.chars().count();
        let second = (0..=MORE_MAX.min(left)).any(|more| {
            let body: String = rest.chars().take(left - more).collect();
            COMMON.contains(body.as_str()) || is_repeated_common(&body)
        });
        if left <= MORE_MAX || second {
            return true;
        }
    }
    false
}

fn is_repeated_common(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (3..=chars.len() / 2).any(|length| {
        let unit: String = chars[..length].iter().collect();
        COMMON.contains(unit.as_str()) && text.replace(&unit, "").is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(password: &str) -> usize {
        let mut faults = Vec::new();
        check_new(password, "maria.lind@example.com", "/password", &mut faults);
        faults.len()
    }

    /// Bad input 148: too short, too long, common, the product's name, unicode, a leading space.
    #[test]
    fn case_148_passwords_are_taken_by_length_and_guessability_alone() {
        for bad in [
            "fourteen chars",
            "aaaaaaaaaaaaaaaaaa",
            "123456789012345",
            "abcdefghijklmnopq",
            "Correct Horse Battery Staple",
            "maria.lindmaria.lindmaria.lind",
            "tollgatetollgatetollgate",
            "tollgate-dragon-2024",
            "Password12345678",
            "passwordpassword1!",
            "qwertyuiopasdfghjkl",
            "iloveyouiloveyou",
            "dragonmonkeydragonmonkey",
            &"x".repeat(129),
            &"long ".repeat(30),
        ] {
            assert_eq!(faults_of(bad), 1, "{bad}");
        }
        for good in [
            "plain lamp seven boats",
            "four blue lanterns over water",
            " leading space is kept ",
            "ünïcödé pässwörter",
            "dragon monkey football shadow",
            &"x7".repeat(8).replace("x7x7", "x7qz b"),
            &format!("{}é", "q8Zr-".repeat(25)),
        ] {
            assert_eq!(faults_of(good), 0, "{good}");
        }
    }

    #[test]
    fn none_of_the_most_common_passwords_is_taken_however_it_is_stretched() {
        assert!(COMMON.len() >= 2_990, "{}", COMMON.len());
        for word in COMMON.iter() {
            assert_eq!(faults_of(word), 1, "{word}");
            let stretched: String = word.chars().cycle().take(word.chars().count() * 15).collect();
            assert_eq!(faults_of(&stretched), 1, "{stretched}");
        }
    }
}
