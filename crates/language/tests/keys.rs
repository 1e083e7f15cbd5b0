//! Every message is in every language and is used; every word of a developers' template is a message.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tollgate_language::{Language, keys, parts, translated, unfilled};

/// Templates that are English: operators' pages and what is put into them.
const ENGLISH: [&str; 1] = ["admin/"];
/// Words that are the same in every language.
const SAME: [&str; 8] =
    ["Admin", "Find anything", "Ctrl K", "Markdown", "OpenAPI", "CSV", "PDF", "DE123456789"];
/// How keys begin of what use cases say in English, and pages in other languages.
const SAID: &str = "said-";
/// Where use cases say something to developers.
const TO_DEVELOPERS: [&str; 19] = [
    "accounts.rs",
    "applications.rs",
    "billing/checkout.rs",
    "billing/currency.rs",
    "billing/plan_change.rs",
    "billing/spend_cap.rs",
    "credentials.rs",
    "device.rs",
    "email_change.rs",
    "oidc/account.rs",
    "passkeys.rs",
    "password_change.rs",
    "password_rules.rs",
    "persons.rs",
    "second_factor.rs",
    "subscriptions.rs",
    "team.rs",
    "webhooks/address.rs",
    "webhooks/mod.rs",
];
/// What they say there to operators and programs alone.
const TO_OPERATORS: [&str; 2] =
    ["7 is the currency that this organization pays in, and stays it", "there is no such organization"];
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
    let unused: Vec<&&str> =
        english.iter().filter(|key| !key.starts_with(SAID) && !mentioned.contains(**key)).collect();
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

/// A source with the texts that go over several lines in one.
fn on_one_line(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut lines = source.split("\\\n");
    out.push_str(lines.next().unwrap_or_default());
    for line in lines {
        out.push_str(line.trim_start());
    }
    out
}

#[test]
fn what_is_translated_of_use_cases_is_what_they_say() {
    let mut sources = sources();
    for crate_ in ["domain", "web"] {
        files(&root().join("crates").join(crate_).join("src"), &["rs"], &mut sources);
    }
    let all: String = sources.iter().map(|(_, text)| on_one_line(text)).collect();
    for key in keys(Language::English).iter().filter(|key| key.starts_with(SAID)) {
        let text = unfilled(Language::English, key);
        for piece in text.split("{$").map(|part| part.split_once('}').map_or(part, |(_, piece)| piece)) {
            assert!(all.contains(piece), "{key}: nobody says {piece:?} any more");
        }
    }
}

/// The texts in the brackets that a call of one of these opens, with 7 where something is filled in.
fn refusals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for call in ["Error::invalid(", "FieldFault::new(", "Conflict("] {
        for (at, _) in source.match_indices(call) {
            let (mut depth, mut quoted, mut text, mut escaped) = (0, false, String::new(), false);
            for c in source[at + call.len() - 1..].chars() {
                match c {
                    '"' if quoted && !escaped => {
                        quoted = false;
                        found.push(std::mem::take(&mut text));
                    }
                    '"' if !quoted => quoted = true,
                    _ if quoted => text.push(c),
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                escaped = c == '\\' && !escaped;
                if depth == 0 {
                    break;
                }
            }
        }
    }
    let filled = |text: String| {
        let mut parts = text.split('{');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| out + "7" + part.split_once('}').map_or(part, |(_, rest)| rest))
    };
    let says =
        |text: &String| text.contains(' ') && text.contains(char::is_alphabetic) && !text.starts_with('/');
    found.into_iter().map(filled).filter(says).collect()
}

#[test]
fn what_use_cases_refuse_developers_is_in_every_language() {
    let control = root().join("crates/control/src");
    for name in TO_DEVELOPERS {
        let source = std::fs::read_to_string(control.join(name)).expect("a source");
        let own = source.split("#[cfg(test)]").next().unwrap_or_default();
        for text in refusals(&on_one_line(own)) {
            let known = TO_OPERATORS.contains(&text.as_str())
                || Language::ALL.into_iter().all(|language| translated(language, &text).is_some());
            assert!(known, "{name} says {text:?}, and control.ftl does not");
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
