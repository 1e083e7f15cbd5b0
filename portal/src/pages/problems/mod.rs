//! One page per refusal: where the `type` of a problem leads.

pub mod list;
pub mod show;

use std::sync::LazyLock;

use rust_embed::RustEmbed;

use crate::say::{self, Language, language};
use crate::show::status_tone;

const EXAMPLE: &str = "## Example";

#[derive(RustEmbed)]
#[folder = "../docs/problems/"]
struct Files;

/// A documented refusal.
pub struct Doc {
    pub code: String,
    pub status: u16,
    pub title: String,
    /// Who says it: `gateway` or `admin API`.
    pub said_by: String,
    /// Markdown below the head.
    pub text: String,
    /// The same in other languages: of what developers meet.
    pub translations: Vec<Words>,
}

/// What a refusal is called and what is said of it, in one language.
pub struct Words {
    pub language: Language,
    pub title: String,
    /// Markdown below the head.
    pub text: String,
}

/// The same as it is shown to somebody.
pub struct Shown {
    pub tag: &'static str,
    pub title: &'static str,
    pub text: &'static str,
}

impl Doc {
    /// In the reader's language; in English where it is not written in that.
    pub fn shown(&'static self) -> Shown {
        match self.translations.iter().find(|words| words.language == language()) {
            Some(words) => Shown { tag: words.language.tag(), title: &words.title, text: &words.text },
            None => Shown { tag: Language::English.tag(), title: &self.title, text: &self.text },
        }
    }

    /// Its words in every language that it is written in: it is found by those of each.
    pub fn in_all(&self) -> String {
        let others = self.translations.iter().flat_map(|words| [words.title.as_str(), words.text.as_str()]);
        std::iter::once(self.text.as_str()).chain(others).collect::<Vec<_>>().join("\n\n")
    }

    pub fn tone(&self) -> &'static str {
        status_tone(self.status)
    }
}

/// All of them, by status, then by code. A file is `# title`, a line with the status,
/// one with who says it, and the text. Beside it, `<code>.de.md` is title and text in German, to which the example is added.
pub static DOCS: LazyLock<Vec<Doc>> = LazyLock::new(|| {
    let names = Files::iter().filter(|name| language_of(name).is_none());
    let mut docs: Vec<Doc> = names.filter_map(|name| read(&name)).collect();
    docs.sort_by(|a, b| (a.status, &a.code).cmp(&(b.status, &b.code)));
    docs
});

fn read(name: &str) -> Option<Doc> {
    let file = Files::get(name)?;
    let text = std::str::from_utf8(&file.data).ok()?;
    let (title, rest) = text.strip_prefix("# ")?.split_once('\n')?;
    let (status, rest) = rest.trim_start().strip_prefix("Status: ")?.split_once('\n')?;
    let (said_by, text) = rest.strip_prefix("Said by: ")?.split_once('\n')?;
    let (code, text) = (name.strip_suffix(".md")?, text.trim());
    let others = Language::ALL.into_iter().filter_map(|language| translation(code, language, text));
    Some(Doc {
        code: code.to_owned(),
        status: status.trim().parse().ok()?,
        title: title.trim().to_owned(),
        said_by: said_by.trim().to_owned(),
        text: text.to_owned(),
        translations: others.collect(),
    })
}

/// The language of `<code>.<language>.md`; none of the file that all have.
fn language_of(name: &str) -> Option<Language> {
    Language::named(name.strip_suffix(".md")?.rsplit_once('.')?.1)
}

fn translation(code: &str, language: Language, english: &str) -> Option<Words> {
    let file = Files::get(&format!("{code}.{}.md", language.tag()))?;
    let text = std::str::from_utf8(&file.data).ok()?;
    let (title, text) = text.strip_prefix("# ")?.split_once('\n')?;
    // What programs read is the same in every language, and stands in one file.
    let (_, example) = english.split_once(EXAMPLE)?;
    let heading = say::text(language, "problems-example");
    let text = format!("{}\n\n## {heading}{example}", text.trim());
    Some(Words { language, title: title.trim().to_owned(), text })
}

#[cfg(test)]
mod tests;
