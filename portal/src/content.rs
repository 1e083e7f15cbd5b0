//! What publishers write for their readers: guides and the changelog, as Markdown files.
//!
//! The files that come with Tollgate are in the binary; a directory of the publisher's own
//! (`guides/*.md`, `changelog/*.md`) takes their place. It is read once, at the start.

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_embed::RustEmbed;

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
}

/// Something that changed on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The day.
    pub date: NaiveDate,
    /// The page that tells of it.
    pub page: Guide,
}

/// All that was written. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Content {
    /// In reading order: by file name, whose leading digits are not shown.
    pub guides: Arc<[Guide]>,
    /// Newest first.
    pub news: Arc<[News]>,
}

impl Content {
    /// Reads the publisher's directory; what is missing in it is Tollgate's own.
    #[must_use]
    pub fn read(directory: Option<&Path>) -> Self {
        let guides = files::<OwnGuides>(directory.map(|d| d.join("guides")).as_deref());
        let news = files::<OwnChangelog>(directory.map(|d| d.join("changelog")).as_deref());
        let mut news: Vec<News> = news.iter().filter_map(|(name, text)| dated(name, text)).collect();
        news.sort_by(|a, b| (b.date, &a.page.slug).cmp(&(a.date, &b.page.slug)));
        Self {
            guides: guides.iter().filter_map(|(name, text)| guide(name, text)).collect(),
            news: news.into(),
        }
    }
}

/// Names and texts of the Markdown files, by name.
fn files<E: RustEmbed>(directory: Option<&Path>) -> Vec<(String, String)> {
    let own = || {
        E::iter().filter_map(|name| {
            Some((name.to_string(), String::from_utf8(E::get(&name)?.data.into_owned()).ok()?))
        })
    };
    let listed = directory.map(std::fs::read_dir);
    let mut all: Vec<(String, String)> = match listed {
        Some(Ok(entries)) => entries
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let text = std::fs::read_to_string(entry.path()).ok()?;
                Some((entry.file_name().to_string_lossy().into_owned(), text))
            })
            .collect(),
        Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, directory = %directory.unwrap_or(Path::new("")).display(), "content cannot be read");
            own().collect()
        }
        _ => own().collect(),
    };
    all.retain(|(name, _)| name.ends_with(".md"));
    all.sort();
    all
}

/// A file as a guide: `10-first-call.md` is `first-call`.
fn guide(name: &str, text: &str) -> Option<Guide> {
    let stem = name.strip_suffix(".md")?;
    let slug = stem.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    let known = slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let (title, text) =
        text.trim_start().strip_prefix("# ")?.split_once('\n').filter(|_| known && !slug.is_empty())?;
    let first = text.trim().split("\n\n").next().unwrap_or_default();
    let plain = |c: &char| !matches!(c, '`' | '*' | '[' | ']');
    Some(Guide {
        slug: slug.to_owned(),
        title: title.trim().to_owned(),
        summary: first.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(plain).collect(),
        text: text.trim().to_owned(),
    })
}

/// `2026-11-21-guests.md` is of that day.
fn dated(name: &str, text: &str) -> Option<News> {
    let date = name.get(..10)?.parse().ok()?;
    Some(News { date, page: guide(name, text)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publishers_files_take_the_place_of_our_own() {
        let own = Content::read(None);
        assert!(own.guides.len() >= 3 && !own.news.is_empty());
        let directory = std::env::temp_dir().join(format!("tollgate-content-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(directory.join("guides")).expect("made");
        let write = |name: &str, text: &str| {
            std::fs::write(directory.join("guides").join(name), text).expect("written")
        };
        write("20-b.md", "# Second\n\nIt `is`\nso.\n\nMore.");
        write("10-a.md", "# First\n\nYes.");
        write("notes.txt", "# No\n");
        write("Bad Name.md", "# No\n");
        write("30-empty.md", "no heading");
        let read = Content::read(Some(&directory));
        let titles: Vec<&str> = read.guides.iter().map(|guide| guide.title.as_str()).collect();
        assert_eq!(titles, ["First", "Second"]);
        assert_eq!(read.guides[1].summary, "It is so.");
        assert_eq!(read.news, own.news, "what is missing is ours");
        std::fs::remove_dir_all(directory).expect("removed");
    }
}
