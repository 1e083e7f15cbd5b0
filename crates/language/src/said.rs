//! A message with something to fill in.

use std::fmt;

use fluent_bundle::{FluentArgs, FluentValue};

use crate::{Language, catalogue, money};

/// A message and what is filled into it, in a language.
#[derive(Debug, Clone)]
pub struct Said {
    language: Language,
    key: &'static str,
    parts: Vec<(&'static str, Part)>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Count(i64),
}

impl Said {
    /// The message of a key, still empty.
    #[must_use]
    pub const fn new(language: Language, key: &'static str) -> Self {
        Self { language, key, parts: Vec::new() }
    }

    /// With a text, filled in as it is.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.parts.push((name, Part::Text(value.to_string())));
        self
    }

    /// With a sum of money, which is given as programs write it (`29.00 EUR`) and filled in as the language does.
    #[must_use]
    pub fn sum(self, name: &'static str, plain: impl fmt::Display) -> Self {
        let written = money(self.language, &plain.to_string());
        self.with(name, written)
    }

    /// With how many there are, as `$count`: it is written with its thousands apart and chooses the plural.
    #[must_use]
    pub fn count(mut self, count: impl TryInto<i64>) -> Self {
        self.parts.push(("count", Part::Count(count.try_into().unwrap_or(i64::MAX))));
        self
    }

    /// In words, with every filled-in text changed first: escaped, say.
    #[must_use]
    pub fn written(&self, change: impl Fn(&str) -> String) -> String {
        let catalogue = catalogue::of(self.language);
        let Some(pattern) = catalogue.bundle.get_message(self.key).and_then(|message| message.value()) else {
            return self.key.to_owned();
        };
        let mut args = FluentArgs::with_capacity(self.parts.len());
        for (name, part) in &self.parts {
            match part {
                Part::Text(text) => args.set(*name, FluentValue::from(change(text))),
                Part::Count(count) => args.set(*name, FluentValue::from(*count)),
            }
        }
        let mut errors = Vec::new();
        let text = catalogue.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        debug_assert!(errors.is_empty(), "{} lacks {errors:?}", self.key);
        text
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(str::to_owned))
    }
}

impl From<Said> for String {
    fn from(said: Said) -> Self {
        said.to_string()
    }
}
