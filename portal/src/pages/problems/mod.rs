//! One page per refusal: where the `type` of a problem leads.

pub mod list;
pub mod show;

use std::sync::LazyLock;

use rust_embed::RustEmbed;

use crate::show::status_tone;

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
}

impl Doc {
    pub fn tone(&self) -> &'static str {
        status_tone(self.status)
    }
}

/// All of them, by status, then by code. A file is `# title`, a line with the status,
/// one with who says it, and the text.
pub static DOCS: LazyLock<Vec<Doc>> = LazyLock::new(|| {
    let mut docs: Vec<Doc> = Files::iter().filter_map(|name| read(&name)).collect();
    docs.sort_by(|a, b| (a.status, &a.code).cmp(&(b.status, &b.code)));
    docs
});

fn read(name: &str) -> Option<Doc> {
    let file = Files::get(name)?;
    let text = std::str::from_utf8(&file.data).ok()?;
    let (title, rest) = text.strip_prefix("# ")?.split_once('\n')?;
    let (status, rest) = rest.trim_start().strip_prefix("Status: ")?.split_once('\n')?;
    let (said_by, text) = rest.strip_prefix("Said by: ")?.split_once('\n')?;
    Some(Doc {
        code: name.strip_suffix(".md")?.to_owned(),
        status: status.trim().parse().ok()?,
        title: title.trim().to_owned(),
        said_by: said_by.trim().to_owned(),
        text: text.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests;
