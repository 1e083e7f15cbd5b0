//! A sample call in the languages that people write.

mod compiled;
mod script;
mod shell;

use std::fmt::Write as _;

use serde_json::Value;

use crate::call::Call;

/// A language that samples are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// A POSIX shell with curl.
    Curl,
    /// A POSIX shell with HTTPie.
    Httpie,
    /// Python with requests.
    Python,
    /// JavaScript with fetch.
    JavaScript,
    /// TypeScript with fetch.
    TypeScript,
    /// Go with its standard library.
    Go,
    /// Java with its standard library, from version 17.
    Java,
    /// C# with HttpClient, from version 11.
    CSharp,
    /// PHP with its curl extension, from version 8.
    Php,
    /// Ruby with its standard library.
    Ruby,
    /// Rust with reqwest.
    Rust,
}

impl Language {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 11] = [
        Self::Curl,
        Self::Httpie,
        Self::Python,
        Self::JavaScript,
        Self::TypeScript,
        Self::Go,
        Self::Java,
        Self::CSharp,
        Self::Php,
        Self::Ruby,
        Self::Rust,
    ];

    /// As it stands in addresses, cookies and Markdown.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Httpie => "httpie",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::Go => "go",
            Self::Java => "java",
            Self::CSharp => "csharp",
            Self::Php => "php",
            Self::Ruby => "ruby",
            Self::Rust => "rust",
        }
    }

    /// As people say it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Httpie => "HTTPie",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::CSharp => "C#",
            Self::Php => "PHP",
            Self::Ruby => "Ruby",
            Self::Rust => "Rust",
        }
    }

    /// The language of an id.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.id() == id)
    }
}

/// The call in a language. `key` goes into `X-API-Key`; a text like `$TOLLGATE_KEY` is left for a shell to expand.
#[must_use]
pub fn snippet(language: Language, call: &Call, key: &str) -> String {
    match language {
        Language::Curl => shell::curl(call, key),
        Language::Httpie => shell::httpie(call, key),
        Language::Python => script::python(call, key),
        Language::JavaScript => script::javascript(call, key, false),
        Language::TypeScript => script::javascript(call, key, true),
        Language::Php => script::php(call, key),
        Language::Ruby => script::ruby(call, key),
        Language::Go => compiled::go(call, key),
        Language::Java => compiled::java(call, key),
        Language::CSharp => compiled::csharp(call, key),
        Language::Rust => compiled::rust(call, key),
    }
}

/// The key and the other headers, and the type of the body where `with_media` says that it must be told.
fn headers(call: &Call, key: &str, with_media: bool) -> Vec<(String, String)> {
    let mut all = vec![("X-API-Key".to_owned(), key.to_owned())];
    all.extend(call.headers.iter().cloned());
    if let Some(media) = call.media_type().filter(|_| with_media) {
        all.push(("Content-Type".to_owned(), media.to_owned()));
    }
    all
}

/// How control characters are written between double quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// `\u0000`
    Four,
    /// `\u{0}`
    Braces,
}

/// A text between double quotes; `also` gets a backslash too, where the language would read it as a variable.
fn quoted(text: &str, escapes: Escapes, also: &[char]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a String cannot fail.
            c if c.is_control() => {
                let code = u32::from(c);
                let _ = match escapes {
                    Escapes::Four => write!(out, "\\u{code:04x}"),
                    Escapes::Braces => write!(out, "\\u{{{code:x}}}"),
                };
            }
            c if also.contains(&c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What most languages understand between double quotes.
fn plain(text: &str) -> String {
    quoted(text, Escapes::Four, &[])
}

/// JSON over several lines, each but the first behind `indent`.
fn json(value: &Value, indent: &str) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.replace('\n', &format!("\n{indent}"))
}

/// Lines that an HTTP library's form encoding makes one text of.
fn urlencoded(fields: &[(String, String)]) -> String {
    let pairs = fields.iter().map(|(name, value)| {
        format!("{}={}", crate::call::encoded(name, false), crate::call::encoded(value, false))
    });
    pairs.collect::<Vec<_>>().join("&")
}
