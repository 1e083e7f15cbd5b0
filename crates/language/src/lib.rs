//! What developers read, in each language: messages (Fluent), numbers, dates.
//!
//! Messages lie in `texts/<language>/*.ftl`, are read once and are part of the program. A message is named by a key;
//! one that is missing is a fault of ours, which a test finds: every key is in every language, and is used.

mod catalogue;
mod said;
mod translated;
mod written;

pub use catalogue::{keys, parts, text, unfilled};
pub use said::Said;
pub use translated::translated;
pub use written::{clock, day, day_of_year, decimal, money, month_of_year, number, short_day};

/// A language that pages and mails are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// What is read where nobody chose.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// All of them, as they are offered.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// As `lang`, cookies and the database name it (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// As its own readers call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// From a tag, with or without a region: `de`, `de-AT`.
    #[must_use]
    pub fn named(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The one that an `Accept-Language` likes best (RFC 9110 section 12.5.4); none where it names none of ours.
    #[must_use]
    pub fn accepted(field: &str) -> Option<Self> {
        let mut best: Option<(Self, f32)> = None;
        for one in field.split(',') {
            let mut parts = one.split(';');
            let Some(language) = parts.next().map(str::trim).and_then(Self::named) else { continue };
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if weight > 0.0 && best.is_none_or(|(_, known)| weight > known) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_liked_best_is_taken() {
        let of = Language::accepted;
        assert_eq!(of("de-AT, en;q=0.5"), Some(Language::German));
        assert_eq!(of("fr, en;q=0.3, de;q=0.7"), Some(Language::German));
        assert_eq!(of("en, de"), Some(Language::English), "the first of those that are liked alike");
        assert_eq!(of("de;q=0, en;q=0.1"), Some(Language::English), "a weight of nothing refuses");
        for none in ["fr", "", "*", ";;,", "de;q=0"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
