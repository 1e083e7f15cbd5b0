//! What use cases say, in other languages than English.
//!
//! They refuse in English, because programs read that. A page finds the message by its English text: those whose keys
//! begin with `said-` are that text, with a place wherever something is filled in.

use std::sync::LazyLock;

use crate::{Language, Said, catalogue};

const PREFIX: &str = "said-";

/// Something said in English, taken apart where something is filled in.
struct Pattern {
    key: &'static str,
    /// One more than there are names.
    pieces: Vec<String>,
    names: Vec<&'static str>,
}

/// What says most comes first, so that `at most 7 characters` is not taken for `at most 7`.
static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let keys = catalogue::keys(Language::English).iter().filter(|key| key.starts_with(PREFIX));
    let mut all: Vec<Pattern> = keys.map(|key| Pattern::of(key)).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.pieces.iter().map(String::len).sum::<usize>()));
    all
});

impl Pattern {
    fn of(key: &'static str) -> Self {
        // What lacks something stands there as `{$name}`.
        let text = catalogue::unfilled(Language::English, key);
        let mut parts = text.split("{$");
        let mut pieces = vec![parts.next().unwrap_or_default().to_owned()];
        let mut names = Vec::new();
        for part in parts {
            let (name, piece) = part.split_once('}').unwrap_or((part, ""));
            // Read once and kept to the end, like the messages themselves.
            names.push(&*Box::leak(name.to_owned().into_boxed_str()));
            pieces.push(piece.to_owned());
        }
        Self { key, pieces, names }
    }

    /// What is filled in, where a text is this one.
    fn values<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let (first, others) = self.pieces.split_first()?;
        let mut rest = text.strip_prefix(first.as_str())?;
        let mut values = Vec::with_capacity(self.names.len());
        for (at, piece) in others.iter().enumerate() {
            let last = at + 1 == others.len();
            let (value, after) = if last {
                (rest.strip_suffix(piece.as_str())?, "")
            } else {
                rest.split_once(piece.as_str())?
            };
            values.push(value);
            rest = after;
        }
        (rest.is_empty() && values.iter().all(|value| !value.is_empty())).then_some(values)
    }
}

/// What a use case says, in another language; none where that has no words for it.
#[must_use]
pub fn translated(language: Language, english: &str) -> Option<String> {
    let (pattern, values) = PATTERNS.iter().find_map(|one| Some((one, one.values(english)?)))?;
    let said = Said::new(language, pattern.key);
    let said = pattern.names.iter().zip(values).fold(said, |said, (name, value)| said.sum(name, value));
    Some(said.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_its_english_text_with_what_is_filled_in() {
        let german = |text| translated(Language::German, text);
        let said = german("named twice");
        assert_eq!(said.as_deref(), Some("doppelt genannt"));
        let said = german("at least 15 characters; three or four random words are good");
        assert_eq!(said.as_deref(), Some("mindestens 15 Zeichen; drei oder vier zufällige Wörter sind gut"));
        assert_eq!(german("at most 128 characters").as_deref(), Some("höchstens 128 Zeichen"));
        assert_eq!(german("between 5 and 9").as_deref(), Some("zwischen 5 und 9"));
        let sums = german("between 1.00 EUR and 100000.00 EUR");
        assert_eq!(sums.as_deref(), Some("zwischen 1,00 EUR und 100.000,00 EUR"));
        assert_eq!(
            german("this invoice is paid already").as_deref(),
            Some("diese Rechnung ist schon bezahlt")
        );
        assert_eq!(german("at least  characters; three or four random words are good"), None);
        assert_eq!(german("something that nobody wrote"), None);
    }

    #[test]
    fn in_english_a_text_stays_what_it_is() {
        for text in ["named twice", "between 5 and 9", "at most 100 entries"] {
            assert_eq!(translated(Language::English, text).as_deref(), Some(text));
        }
    }
}
