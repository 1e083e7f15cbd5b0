//! Code in quiet colours, on the server: words of its language, texts, numbers and comments, told apart without parsing.
//!
//! What it says stays what it is, letter for letter; a language that is not known is plain.

use crate::markup::{self, Html};

/// What sets a language's parts apart.
struct Tongue {
    comments: &'static [&'static str],
    /// Marks around texts; in front of a text, thrice the same is a text of several lines.
    quotes: &'static [u8],
    /// Whether a text goes on over the end of a line.
    long_texts: bool,
    words: &'static [&'static str],
    /// Whether lines begin with names: `content-type: …`, `paths:`.
    names: bool,
}

const PLAIN: Tongue = Tongue { comments: &[], quotes: b"\"'", long_texts: false, words: &[], names: false };
const SHELL: Tongue = Tongue {
    comments: &["#"],
    long_texts: true,
    words: &["curl", "http", "export", "tollgate", "jq"],
    ..PLAIN
};
const PYTHON: Tongue = Tongue {
    comments: &["#"],
    words: &[
        "def", "return", "import", "from", "for", "in", "if", "else", "while", "True", "False", "None",
        "with", "as", "not", "and", "or", "raise", "try", "except", "class", "await", "async",
    ],
    ..PLAIN
};
const SCRIPT: Tongue = Tongue {
    comments: &["//"],
    quotes: b"\"'`",
    words: &[
        "const",
        "let",
        "var",
        "function",
        "return",
        "await",
        "async",
        "if",
        "else",
        "for",
        "of",
        "new",
        "import",
        "from",
        "export",
        "class",
        "throw",
        "try",
        "catch",
        "true",
        "false",
        "null",
        "undefined",
        "interface",
        "type",
        "as",
    ],
    ..PLAIN
};
const GO: Tongue = Tongue {
    comments: &["//"],
    quotes: b"\"`",
    words: &[
        "package", "import", "func", "return", "if", "else", "for", "range", "var", "const", "type",
        "struct", "defer", "nil", "true", "false",
    ],
    ..PLAIN
};
const JAVA: Tongue = Tongue {
    comments: &["//"],
    words: &[
        "import", "public", "class", "static", "void", "new", "return", "throws", "throw", "var", "final",
        "using", "await", "async", "true", "false", "null", "if", "else", "for",
    ],
    ..PLAIN
};
const PHP: Tongue = Tongue {
    comments: &["//", "#"],
    words: &[
        "php", "echo", "return", "function", "new", "true", "false", "null", "use", "if", "else", "foreach",
    ],
    ..PLAIN
};
const RUBY: Tongue = Tongue {
    comments: &["#"],
    words: &[
        "require", "def", "end", "do", "if", "else", "unless", "puts", "nil", "true", "false", "class",
        "return",
    ],
    ..PLAIN
};
const RUST: Tongue = Tongue {
    comments: &["//"],
    quotes: b"\"",
    words: &[
        "fn", "let", "mut", "use", "async", "await", "pub", "struct", "impl", "match", "if", "else",
        "return", "for", "in", "const", "true", "false",
    ],
    ..PLAIN
};
const NAMED: Tongue = Tongue { comments: &["#"], quotes: b"\"", names: true, ..PLAIN };

fn tongue(name: &str) -> Option<&'static Tongue> {
    Some(match name.to_ascii_lowercase().as_str() {
        "sh" | "bash" | "shell" | "console" | "curl" | "httpie" => &SHELL,
        "python" | "py" => &PYTHON,
        "javascript" | "js" | "typescript" | "ts" => &SCRIPT,
        "go" => &GO,
        "java" | "csharp" | "cs" | "c#" => &JAVA,
        "php" => &PHP,
        "ruby" | "rb" => &RUBY,
        "rust" | "rs" => &RUST,
        "http" | "yaml" | "yml" => &NAMED,
        _ => return None,
    })
}

/// Code of a language, as it is named behind a fence.
#[must_use]
pub fn code(language: &str, text: &str) -> Html {
    match tongue(language) {
        Some(tongue) => Html::made_here(tongue.coloured(text)),
        None if language.eq_ignore_ascii_case("json") => markup::json(text),
        None => Html::made_here(markup::escaped(text)),
    }
}

/// A sample long enough to make its page heavy, in eleven languages, is plain.
const SAMPLE_BYTES_MAX: usize = 600;

/// One of the calls beside an operation.
#[must_use]
pub fn sample(language: &str, text: &str) -> Html {
    code(if text.len() > SAMPLE_BYTES_MAX { "" } else { language }, text)
}

impl Tongue {
    fn coloured(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() * 3 / 2);
        let mut rest = text;
        let mut before = '\n';
        while let Some(first) = rest.chars().next() {
            let (class, length) = self.part(rest, first, before);
            let (part, after) = rest.split_at(length);
            match class {
                "" => out.push_str(&markup::escaped(part)),
                class => out.push_str(&format!("<span class=\"{class}\">{}</span>", markup::escaped(part))),
            }
            before = part.chars().next_back().unwrap_or(before);
            rest = after;
        }
        out
    }

    /// The class of what a text begins with, and how many bytes it has.
    fn part(&self, rest: &str, first: char, before: char) -> (&'static str, usize) {
        let stands_alone = !before.is_alphanumeric() && before != '_';
        let begins_word = before.is_whitespace() || before == ';';
        if self.comments.iter().any(|mark| rest.starts_with(mark)) && begins_word {
            return ("c-com", rest.find('\n').unwrap_or(rest.len()));
        }
        if first.is_ascii() && self.quotes.contains(&(first as u8)) {
            return self.text(rest, first);
        }
        if first.is_ascii_digit() && stands_alone {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_');
            return ("c-num", end.unwrap_or(rest.len()));
        }
        if (first.is_alphabetic() || first == '_') && stands_alone {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && (c != '-' || !self.names));
            let end = end.unwrap_or(rest.len());
            let is_name = self.names && before == '\n' && rest[end..].starts_with(':');
            let is_word = self.words.contains(&&rest[..end]);
            return (if is_name || is_word { "c-key" } else { "" }, end);
        }
        ("", first.len_utf8())
    }

    /// A text with its marks; the mark alone where nothing ends it.
    fn text(&self, rest: &str, mark: char) -> (&'static str, usize) {
        let thrice = mark.to_string().repeat(3);
        if rest.starts_with(&thrice) {
            let end = rest[3..].find(&thrice).map_or(rest.len(), |end| end + 6);
            return ("c-str", end);
        }
        let goes_on = self.long_texts || mark == '`';
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                '\n' if !goes_on => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == mark => return ("c-str", at + 1),
                _ => {}
            }
        }
        ("", mark.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::plain;

    #[test]
    fn parts_have_their_classes() {
        let said = |language, text| code(language, text).to_string();
        assert_eq!(
            said("python", "return 42 # so"),
            "<span class=\"c-key\">return</span> <span class=\"c-num\">42</span> <span class=\"c-com\"># so</span>"
        );
        assert_eq!(said("rust", "returned(x1, 'a)"), "returned(x1, 'a)");
        assert_eq!(
            said("sh", "curl 'a\n\"b'"),
            "<span class=\"c-key\">curl</span> <span class=\"c-str\">'a\n&quot;b'</span>"
        );
        assert_eq!(said("sh", "https://x/#y"), "https://x/#y");
        assert_eq!(
            said("http", "content-type: x\nGET /"),
            "<span class=\"c-key\">content-type</span>: x\nGET /"
        );
        assert_eq!(said("go", "f(\"a\\\"b\")"), "f(<span class=\"c-str\">&quot;a\\&quot;b&quot;</span>)");
        assert_eq!(said("klingon", "<b>if"), "&lt;b&gt;if");
    }

    #[test]
    fn every_letter_stays_whatever_the_language() {
        let text = "\"\"\"x\"\" 'y\\' <b>&amp; `z` # c // d é\u{301} \"open\n'open\\";
        for language in ["sh", "python", "ts", "go", "java", "php", "ruby", "rust", "http", "json", "", "Ada"]
        {
            for (end, _) in text.char_indices() {
                assert_eq!(plain(code(language, &text[..end]).as_str()), text[..end], "{language}");
            }
        }
    }
}
