//! The messages of each language, read once.

use std::collections::HashMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentResource, FluentValue};
use unic_langid::{LanguageIdentifier, langid};

use crate::{Language, number};

type Bundle = FluentBundle<&'static FluentResource>;

/// The messages of one language.
pub(crate) struct Catalogue {
    pub(crate) bundle: Bundle,
    /// Messages without anything to fill in: most are, and are found without formatting.
    plain: HashMap<&'static str, &'static str>,
    /// Of all messages, in the order of the files.
    keys: Vec<&'static str>,
}

/// The files of each language: the same names in both.
macro_rules! files {
    ($tag:literal) => {
        [
            include_str!(concat!("../texts/", $tag, "/around.ftl")),
            include_str!(concat!("../texts/", $tag, "/reading.ftl")),
            include_str!(concat!("../texts/", $tag, "/owning.ftl")),
            include_str!(concat!("../texts/", $tag, "/money.ftl")),
            include_str!(concat!("../texts/", $tag, "/account.ftl")),
            include_str!(concat!("../texts/", $tag, "/mails.ftl")),
            include_str!(concat!("../texts/", $tag, "/control.ftl")),
        ]
    };
}

static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| read(Language::English, &files!("en")));
static GERMAN: LazyLock<Catalogue> = LazyLock::new(|| read(Language::German, &files!("de")));

pub(crate) fn of(language: Language) -> &'static Catalogue {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    }
}

fn read(language: Language, files: &[&'static str]) -> Catalogue {
    let locale: LanguageIdentifier = match language {
        Language::English => langid!("en"),
        Language::German => langid!("de"),
    };
    let mut bundle = Bundle::new_concurrent(vec![locale]);
    // The marks around what is filled in are for texts that run in both directions; ours run in one.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(match language {
        Language::English => |value, _| grouped(Language::English, value),
        Language::German => |value, _| grouped(Language::German, value),
    }));
    let (mut plain, mut keys) = (HashMap::new(), Vec::new());
    for text in files {
        // What cannot be read is left out, and the test of keys names it.
        let resource = FluentResource::try_new((*text).to_owned()).unwrap_or_else(|(resource, _)| resource);
        // Read once and kept to the end: messages are handed out for as long as the program runs.
        let resource: &'static FluentResource = Box::leak(Box::new(resource));
        let before = keys.len();
        keys.extend(names(resource));
        let _doubles_are_told_by_the_test = bundle.add_resource(resource);
        for key in &keys[before..] {
            let pattern = bundle.get_message(key).and_then(|message| message.value());
            let mut errors = Vec::new();
            let Some(pattern) = pattern else { continue };
            let text = bundle.format_pattern(pattern, None, &mut errors);
            // What needs something filled in cannot be formatted without it.
            if errors.is_empty() {
                plain.insert(*key, &*Box::leak(text.into_owned().into_boxed_str()));
            }
        }
    }
    Catalogue { bundle, plain, keys }
}

/// The keys of a file: a message begins at the start of its line, as Fluent wants it.
fn names(resource: &'static FluentResource) -> impl Iterator<Item = &'static str> {
    resource.source().lines().filter_map(|line| {
        let (key, _) = line.split_once(" =")?;
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (key.bytes().all(known) && key.starts_with(|c: char| c.is_ascii_lowercase())).then_some(key)
    })
}

fn grouped(language: Language, value: &FluentValue<'_>) -> Option<String> {
    match value {
        FluentValue::Number(one) if one.value.fract() == 0.0 => Some(number(language, one.value as i64)),
        _ => None,
    }
}

/// A message without anything to fill in; its key where there is no such message, which a test forbids.
#[must_use]
pub fn text(language: Language, key: &'static str) -> &'static str {
    of(language).plain.get(key).copied().unwrap_or(key)
}

/// The keys of a language, in the order of its files.
#[must_use]
pub fn keys(language: Language) -> &'static [&'static str] {
    &of(language).keys
}

/// A message with `{$name}` wherever something has to be filled in.
#[must_use]
pub fn unfilled(language: Language, key: &str) -> String {
    let catalogue = of(language);
    let pattern = catalogue.bundle.get_message(key).and_then(|message| message.value());
    let mut names_that_lack = Vec::new();
    pattern.map_or_else(String::new, |pattern| {
        catalogue.bundle.format_pattern(pattern, None, &mut names_that_lack).into_owned()
    })
}

/// The names that a message wants filled in.
#[must_use]
pub fn parts(language: Language, key: &str) -> Vec<String> {
    let catalogue = of(language);
    let Some(pattern) = catalogue.bundle.get_message(key).and_then(|message| message.value()) else {
        return Vec::new();
    };
    let mut errors = Vec::new();
    let _only_its_errors_matter = catalogue.bundle.format_pattern(pattern, None, &mut errors);
    let mut names: Vec<String> = errors
        .iter()
        .filter_map(|error| error.to_string().split_once('$').map(|(_, name)| name.to_owned()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
