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
mod tests {
    use super::*;

    /// Answers that anybody may provoke; each has its page, with the same title and status.
    #[test]
    fn every_refusal_of_the_gateway_has_its_page() {
        use tollgate_engine::Denial;
        let hit = || tollgate_engine::LimitHit {
            name: "burst".into(),
            amount: 10,
            period: tollgate_domain::Period::Second,
            visible: true,
            retry_after_s: 1,
        };
        for denial in [
            Denial::BadMethod,
            Denial::MethodNotImplemented,
            Denial::RouteNotFound,
            Denial::MethodNotAllowed { allow: "GET".into() },
            Denial::MissingCredential,
            Denial::AmbiguousCredential,
            Denial::InvalidCredential,
            Denial::ExpiredCredential,
            Denial::NotEntitled,
            Denial::SubscriptionSuspended,
            Denial::RateLimited(hit()),
            Denial::QuotaExceeded(hit()),
            Denial::UpstreamUnreachable,
            Denial::UpstreamTimeout,
            Denial::UpstreamFailed,
            Denial::NotReady,
            Denial::BodyTooLarge,
            Denial::Internal,
            Denial::BadRequest(tollgate_engine::admission::BadRequest::TargetTooLong),
            Denial::BadRequest(tollgate_engine::admission::BadRequest::MissingHost),
            Denial::BadRequest(tollgate_engine::admission::BadRequest::DotSegment),
        ] {
            let doc = DOCS.iter().find(|doc| doc.code == denial.code());
            let doc = doc.unwrap_or_else(|| panic!("docs/problems/{}.md is missing", denial.code()));
            assert_eq!((doc.status, doc.title.as_str()), (denial.status(), denial.title()), "{}", doc.code);
            assert!(doc.said_by.starts_with("gateway"));
        }
    }

    #[test]
    fn every_file_is_a_problem() {
        assert_eq!(DOCS.len(), Files::iter().count(), "a file without title and status");
        for doc in DOCS.iter() {
            for section in ["## What happened", "## How to fix it", "## Example"] {
                assert!(doc.text.contains(section), "{} has no {section}", doc.code);
            }
            assert!(doc.text.contains(&format!("\"code\": \"{}\"", doc.code)), "{}", doc.code);
            assert!(doc.text.contains(&format!("\"status\": {}", doc.status)), "{}", doc.code);
        }
    }
}
