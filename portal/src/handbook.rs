//! What operators read: a page for each resource, and the documents that come with Tollgate. All of it is in the binary.

use std::sync::{Arc, LazyLock};

use rust_embed::RustEmbed;

use crate::content::{Guide, own_page, own_pages};

#[derive(RustEmbed)]
#[folder = "../docs/resources/"]
struct Resources;

/// Documents with their names in addresses.
const DOCUMENTS: [(&str, &str); 8] = [
    ("admin.md", include_str!("../../docs/ADMIN.md")),
    ("api-design.md", include_str!("../../docs/API-DESIGN.md")),
    ("files.md", include_str!("../../docs/FILES.md")),
    ("money.md", include_str!("../../docs/MONEY.md")),
    ("request-log.md", include_str!("../../docs/REQUEST-LOG.md")),
    ("reliability.md", include_str!("../../docs/RELIABILITY.md")),
    ("tls.md", include_str!("../../docs/TLS.md")),
    ("door.md", include_str!("../../docs/DOOR.md")),
];

static RESOURCES: LazyLock<Arc<[Guide]>> = LazyLock::new(|| own_pages::<Resources>().into());
static ALL_DOCUMENTS: LazyLock<Arc<[Guide]>> =
    LazyLock::new(|| DOCUMENTS.iter().filter_map(|(name, text)| own_page(name, text)).collect());

/// A page for each resource, in the order in which a publisher meets them.
#[must_use]
pub fn resources() -> &'static [Guide] {
    &RESOURCES
}

/// The documents.
#[must_use]
pub fn documents() -> &'static [Guide] {
    &ALL_DOCUMENTS
}

/// Markdown whose links to files beside it lead to where those are on this site. What is not here, or is for operators
/// where the reader is none, stays as it is, and is shown as words.
#[must_use]
pub fn on_site(text: &str, is_operator: bool) -> String {
    let mut out = String::with_capacity(text.len() + 256);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        out.push_str(before);
        out.push_str("](");
        let Some((target, behind)) = after.split_once(')') else {
            rest = after;
            continue;
        };
        out.push_str(&place(target, is_operator).unwrap_or_else(|| target.to_owned()));
        out.push(')');
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Where a file of the documentation is on this site: `../guides/10-first-call.md#x` is `/guides/first-call`.
fn place(target: &str, is_operator: bool) -> Option<String> {
    let path = target.split('#').next().unwrap_or_default();
    let stem = path.strip_suffix(".md")?.trim_start_matches("../");
    let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
    let name = name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').to_lowercase();
    let is_document = DOCUMENTS.iter().any(|(file, _)| file.strip_suffix(".md") == Some(&*name));
    match folder {
        "problems" => Some(format!("/problems/{name}")),
        "guides" => Some(format!("/guides/{name}")),
        "resources" if is_operator => Some(format!("/admin/handbook/{name}")),
        // As pages of resources name each other.
        "" if Resources::get(path).is_some() => is_operator.then(|| format!("/admin/handbook/{name}")),
        "" if is_document => is_operator.then(|| format!("/admin/handbook/{name}")),
        // Guides lie beside each other.
        "" if stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') => {
            Some(format!("/guides/{name}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_lead_to_their_pages_and_others_stay() {
        for (file, page) in [
            ("../API-DESIGN.md", "/admin/handbook/api-design"),
            ("TLS.md#x", "/admin/handbook/tls"),
            ("guides/10-first-call.md", "/guides/first-call"),
            ("price-an-api.md", "/guides/price-an-api"),
            ("problems/conflict.md", "/problems/conflict"),
            ("resources/20-apis.md", "/admin/handbook/apis"),
            ("25-policies.md", "/admin/handbook/policies"),
            ("adr/0011-billing-in-arrears.md", "adr/0011-billing-in-arrears.md"),
            ("ARCHITECTURE.md", "ARCHITECTURE.md"),
            ("https://example.org/x.md", "https://example.org/x.md"),
            ("/guides/webhooks", "/guides/webhooks"),
        ] {
            assert_eq!(on_site(&format!("a [b]({file}) c"), true), format!("a [b]({page}) c"));
        }
        assert_eq!(on_site("calls[0](x", true), "calls[0](x");
        assert_eq!(on_site("[a](../TLS.md) [b](keys.md)", false), "[a](../TLS.md) [b](/guides/keys)");
    }

    #[test]
    fn every_page_has_a_name_of_its_own() {
        assert_eq!(documents().len(), DOCUMENTS.len());
        let mut slugs: Vec<&str> = resources().iter().chain(documents()).map(|page| &*page.slug).collect();
        let count = slugs.len();
        slugs.sort_unstable();
        slugs.dedup();
        assert!(count > 20 && slugs.len() == count, "{slugs:?}");
    }
}
