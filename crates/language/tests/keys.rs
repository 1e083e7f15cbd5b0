//! Every message is in every language and is used; every word of a developers' template is a message.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tollgate_language::{Language, keys, parts};

/// Templates that are English: operators' pages and what is put into them.
const ENGLISH: [&str; 1] = ["admin/"];
/// Words that are the same in every language.
const SAME: [&str; 8] =
    ["Admin", "Find anything", "Ctrl K", "Markdown", "OpenAPI", "CSV", "PDF", "DE123456789"];
/// Attributes that people read or hear.
const READ: [&str; 6] = ["aria-label", "title", "placeholder", "data-th", "data-done", "alt"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(below: &Path, endings: &[&str], into: &mut Vec<(String, String)>) {
    for entry in below.read_dir().expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, endings, into);
        } else if endings.iter().any(|ending| path.extension().is_some_and(|own| own == *ending)) {
            into.push((path.display().to_string(), std::fs::read_to_string(&path).expect("a text")));
        }
    }
}

fn templates() -> Vec<(String, String)> {
    let (mut all, root) = (Vec::new(), root().join("templates"));
    files(&root, &["html", "txt"], &mut all);
    let below = format!("{}/", root.display());
    all.into_iter().map(|(name, text)| (name.trim_start_matches(&below).to_owned(), text)).collect()
}

fn sources() -> Vec<(String, String)> {
    let mut all = Vec::new();
    files(&root().join("portal/src"), &["rs"], &mut all);
    files(&root().join("crates/control/src"), &["rs"], &mut all);
    all
}

/// What stands between quotes and looks like a key.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let key = |one: &&str| {
        one.contains('-')
            && one.starts_with(|c: char| c.is_ascii_lowercase())
            && one.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.split('"').filter(key)
}

/// Keys that are asked for: `"key"|t` and its like in templates, `t("key")` and its like in sources.
fn asked(templates: &[(String, String)], sources: &[(String, String)]) -> BTreeSet<(String, String)> {
    let mut asked = BTreeSet::new();
    for (name, text) in templates {
        for (at, _) in text.match_indices("\"|") {
            let after = &text[at + 2..];
            let filter: String = after.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            if ["t", "say", "counted", "with_time"].contains(&filter.as_str()) {
                let key = text[..at].rsplit('"').next().unwrap_or_default();
                asked.insert((key.to_owned(), name.clone()));
            }
        }
    }
    for (name, text) in sources {
        for call in ["t(\"", "say(\"", "said(\""] {
            for (at, _) in text.match_indices(call) {
                let before = text[..at].chars().next_back().unwrap_or(' ');
                let key = text[at + call.len()..].split('"').next().unwrap_or_default();
                if !before.is_alphanumeric()
                    && before != '_'
                    && quoted(&format!("\"{key}\"")).next().is_some()
                {
                    asked.insert((key.to_owned(), name.clone()));
                }
            }
        }
    }
    asked
}

#[test]
fn no_message_is_missing_unused_or_twice_in_any_language() {
    let (templates, sources) = (templates(), sources());
    let english: BTreeSet<&str> = keys(Language::English).iter().copied().collect();
    for language in Language::ALL {
        let own = keys(language);
        let distinct: BTreeSet<&str> = own.iter().copied().collect();
        let twice: Vec<&&str> =
            own.iter().filter(|key| own.iter().filter(|one| one == key).count() > 1).collect();
        assert!(twice.is_empty(), "{language:?}: twice: {twice:?}");
        let differing: Vec<&&str> = english.symmetric_difference(&distinct).collect();
        assert!(differing.is_empty(), "{language:?}: not in both languages: {differing:?}");
    }
    let missing: Vec<_> =
        asked(&templates, &sources).into_iter().filter(|(key, _)| !english.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "asked for, but not written: {missing:?}");
    let mentioned: BTreeSet<&str> =
        templates.iter().chain(&sources).flat_map(|(_, text)| text.split('"')).collect();
    let unused: Vec<&&str> = english.iter().filter(|key| !mentioned.contains(**key)).collect();
    assert!(unused.is_empty(), "written, but asked for nowhere: {unused:?}");
}

#[test]
fn a_message_has_the_same_places_to_fill_in_every_language_and_no_tags() {
    for key in keys(Language::English) {
        let (english, german) = (parts(Language::English, key), parts(Language::German, key));
        assert_eq!(english, german, "{key}");
        for language in Language::ALL {
            let text = tollgate_language::text(language, key);
            assert!(!text.contains(['<', '>', '&']), "{key}: {text}");
        }
    }
}

/// A template without what askama takes out, with a mark where something stood.
fn without_code(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let next = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")]
            .into_iter()
            .filter_map(|(open, close)| rest.find(open).map(|at| (at, close)))
            .min();
        let Some((at, close)) = next else { break };
        out.push_str(&rest[..at]);
        out.push('\u{1}');
        rest = rest[at..].split_once(close).map_or("", |(_, after)| after);
    }
    out + rest
}

/// Words between the tags and in attributes that people read.
fn words(html: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        found.extend(text.split(['\n', '\u{1}']).map(str::to_owned));
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        for attribute in READ {
            let value =
                tag.split_once(&format!(" {attribute}=\"")).and_then(|(_, value)| value.split('"').next());
            found.extend(value.into_iter().flat_map(|value| value.split('\u{1}')).map(str::to_owned));
        }
        // What stands in code is code.
        rest = if tag.starts_with("code") {
            after.split_once("</code>").map_or("", |(_, rest)| rest)
        } else {
            after
        };
    }
    found.extend(rest.split(['\n', '\u{1}']).map(str::to_owned));
    found
        .into_iter()
        .map(|word| word.trim().to_owned())
        .filter(|word| {
            word.matches(|c: char| c.is_alphabetic()).count() > 1 && !SAME.contains(&word.as_str())
        })
        .collect()
}

#[test]
fn no_developers_template_has_a_bare_word() {
    for (name, text) in templates() {
        if ENGLISH.iter().any(|english| name.starts_with(english)) {
            continue;
        }
        let bare = words(&without_code(&text));
        assert!(bare.is_empty(), "templates/{name}: {bare:?}");
        // What a macro is called with is read as well.
        for call in text.split("{% call ui::").skip(1) {
            let call = call.split("%}").next().unwrap_or_default();
            let bare = call.split('"').skip(1).step_by(2).any(|text| text.starts_with(char::is_uppercase));
            assert!(!bare, "templates/{name}: {call}");
        }
    }
}
