//! What publishers write for their readers: guides and the changelog, as Markdown files.
//!
//! The files that come with Tollgate are in the binary; a directory of the publisher's own
//! (`guides/*.md`, `changelog/*.md`) takes their place. It is read once, at the start. `10-start.de.md` is what readers
//! of German get instead of `10-start.md`. Our own files whose names begin with no digit are for operators.

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_embed::RustEmbed;
use tollgate_language::Language;

use crate::handbook::on_site;

#[derive(RustEmbed)]
#[folder = "../docs/guides/"]
struct OwnGuides;

#[derive(RustEmbed)]
#[folder = "../docs/changelog/"]
struct OwnChangelog;

/// A page of prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guide {
    /// Its name in addresses.
    pub slug: String,
    /// Its first heading.
    pub title: String,
    /// Its first paragraph, as plain words.
    pub summary: String,
    /// Markdown below the heading.
    pub text: String,
    /// What it is written in, where that is known.
    pub language: Option<Language>,
}

impl Guide {
    /// The tag of its language; nothing where that is not known.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        self.language.map_or("", Language::tag)
    }

    /// How well it suits a reader, beside the same in other languages.
    fn fits(&self, language: Language) -> u8 {
        match self.language {
            Some(own) if own == language => 2,
            None => 1,
            Some(_) => 0,
        }
    }
}

/// Something that changed on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The day.
    pub date: NaiveDate,
    /// The page that tells of it.
    pub page: Guide,
}

impl News {
    /// Its name in addresses.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.date, self.page.slug)
    }
}

/// All that was written. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Content {
    /// In reading order: by file name, whose leading digits are not shown. Those in other languages come with the rest.
    guides: Arc<[Guide]>,
    operators: Arc<[Guide]>,
    /// Newest first.
    news: Arc<[News]>,
}

impl Content {
    /// Reads the publisher's directory; what is missing in it is Tollgate's own.
    #[must_use]
    pub fn read(directory: Option<&Path>) -> Self {
        let news = files::<OwnChangelog>(directory.map(|d| d.join("changelog")).as_deref());
        let mut news: Vec<News> = news.iter().filter_map(dated).collect();
        news.sort_by(|a, b| (b.date, &a.page.slug).cmp(&(a.date, &b.page.slug)));
        let guides = files::<OwnGuides>(directory.map(|d| d.join("guides")).as_deref());
        Self {
            guides: guides.iter().filter(|file| !file.is_for_operators()).filter_map(guide).collect(),
            operators: own::<OwnGuides>()
                .iter()
                .filter(|file| file.is_for_operators())
                .filter_map(guide)
                .collect(),
            news: news.into(),
        }
    }

    /// The guides for developers, each in this language if it is written in it, else as it is.
    pub fn guides(&self, language: Language) -> Vec<&Guide> {
        let mut all: Vec<&Guide> = Vec::new();
        for guide in self.guides.iter() {
            match all.iter_mut().find(|known| known.slug == guide.slug) {
                Some(known) if guide.fits(language) > known.fits(language) => *known = guide,
                Some(_) => {}
                None => all.push(guide),
            }
        }
        all
    }

    /// The guides for operators, who read English.
    pub fn operators_guides(&self) -> Vec<&Guide> {
        self.operators.iter().collect()
    }

    /// What changed, newest first, each in this language if it is written in it, else as it is.
    pub fn news(&self, language: Language) -> Vec<&News> {
        let mut all: Vec<&News> = Vec::new();
        for news in self.news.iter() {
            match all.iter_mut().find(|known| known.name() == news.name()) {
                Some(known) if news.page.fits(language) > known.page.fits(language) => *known = news,
                Some(_) => {}
                None => all.push(news),
            }
        }
        all
    }
}

/// A Markdown file.
struct File {
    name: String,
    text: String,
    /// Whether it came with Tollgate.
    is_own: bool,
}

impl File {
    fn is_for_operators(&self) -> bool {
        self.is_own && !self.name.starts_with(|c: char| c.is_ascii_digit())
    }

    /// The stem of its name, and the language that the name tells; ours are English where it tells none.
    fn stem(&self) -> Option<(&str, Option<Language>)> {
        let stem = self.name.strip_suffix(".md")?;
        match stem.rsplit_once('.') {
            Some((stem, tag)) => Some((stem, Some(Language::named(tag)?))),
            None => Some((stem, self.is_own.then_some(Language::English))),
        }
    }
}

fn own<E: RustEmbed>() -> Vec<File> {
    let mut all: Vec<File> = E::iter()
        .filter(|name| name.ends_with(".md"))
        .filter_map(|name| {
            let text = String::from_utf8(E::get(&name)?.data.into_owned()).ok()?;
            Some(File { name: name.to_string(), text, is_own: true })
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Pages for operators that come with Tollgate, by file name.
pub(crate) fn own_pages<E: RustEmbed>() -> Vec<Guide> {
    own::<E>().iter().filter_map(|file| own_page(&file.name, &file.text)).collect()
}

/// A page for operators that comes with Tollgate.
pub(crate) fn own_page(name: &str, text: &str) -> Option<Guide> {
    guide(&File { name: name.to_owned(), text: on_site(text, true), is_own: true })
}

/// The Markdown files, by name.
fn files<E: RustEmbed>(directory: Option<&Path>) -> Vec<File> {
    let listed = directory.map(std::fs::read_dir);
    let mut all: Vec<File> = match listed {
        Some(Ok(entries)) => entries
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let text = std::fs::read_to_string(entry.path()).ok()?;
                Some(File { name: entry.file_name().to_string_lossy().into_owned(), text, is_own: false })
            })
            .collect(),
        Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, directory = %directory.unwrap_or(Path::new("")).display(), "content cannot be read");
            own::<E>()
        }
        _ => own::<E>(),
    };
    all.retain(|file| file.name.ends_with(".md"));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// A file as a guide: `10-first-call.md` is `first-call`.
fn guide(file: &File) -> Option<Guide> {
    let (stem, language) = file.stem()?;
    let slug = stem.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    let known = slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let (title, text) =
        file.text.trim_start().strip_prefix("# ")?.split_once('\n').filter(|_| known && !slug.is_empty())?;
    let first = text.trim().split("\n\n").next().unwrap_or_default();
    let plain = |c: &char| !matches!(c, '`' | '*' | '[' | ']');
    Some(Guide {
        slug: slug.to_owned(),
        title: title.trim().to_owned(),
        summary: first.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(plain).collect(),
        text: on_site(text.trim(), false),
        language,
    })
}

/// `2026-11-21-guests.md` is of that day.
fn dated(file: &File) -> Option<News> {
    let date = file.name.get(..10)?.parse().ok()?;
    Some(News { date, page: guide(file)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publishers_files_take_the_place_of_our_own() {
        let own = Content::read(None);
        let (en, de) = (Language::English, Language::German);
        assert!(own.guides(en).len() >= 3 && !own.news(en).is_empty() && !own.operators_guides().is_empty());
        let directory = std::env::temp_dir().join(format!("tollgate-content-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(directory.join("guides")).expect("made");
        let write = |name: &str, text: &str| {
            std::fs::write(directory.join("guides").join(name), text).expect("written")
        };
        write("20-b.de.md", "# Zweite\n\nJa.");
        write("20-b.md", "# Second\n\nIt `is`\nso.\n\nMore.");
        write("10-a.md", "# First\n\nYes.");
        write("notes.txt", "# No\n");
        write("Bad Name.md", "# No\n");
        write("30-empty.md", "no heading");
        let read = Content::read(Some(&directory));
        let titles = |language| -> Vec<(&str, &str)> {
            read.guides(language).into_iter().map(|guide| (guide.title.as_str(), guide.tag())).collect()
        };
        assert_eq!(titles(en), [("First", ""), ("Second", "")]);
        assert_eq!(titles(de), [("First", ""), ("Zweite", "de")]);
        assert_eq!(read.guides(en)[1].summary, "It is so.");
        assert_eq!(read.news(en), own.news(en), "what is missing is ours");
        assert_eq!(read.operators_guides(), own.operators_guides(), "and so is what operators read");
        std::fs::remove_dir_all(directory).expect("removed");
    }

    #[test]
    fn what_we_write_for_developers_is_there_in_every_language() {
        let own = Content::read(None);
        for language in Language::ALL {
            let guides = own.guides(language);
            let lacking: Vec<&str> = guides
                .iter()
                .filter(|guide| guide.language != Some(language))
                .map(|guide| guide.slug.as_str())
                .collect();
            assert_eq!(lacking, Vec::<&str>::new(), "{}", language.tag());
            let news = own.news(language);
            assert!(news.iter().all(|one| one.page.language == Some(language)), "{}", language.tag());
        }
    }
}
