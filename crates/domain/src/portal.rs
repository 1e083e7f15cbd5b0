//! How a publisher's portal looks and what it says besides what is published.

use serde::{Deserialize, Serialize};

use crate::{Slug, StartingTheme};

/// Name, colours, logo and links of a portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portal {
    /// How it is called, in the header and in titles.
    pub name: String,
    /// The colour of what can be pressed, `#rrggbb`; the design's own where there is none.
    #[serde(default)]
    pub accent: Option<String>,
    /// The same in the dark theme; made from the other where there is none.
    #[serde(default)]
    pub accent_dark: Option<String>,
    /// What those see who have chosen no theme.
    #[serde(default)]
    pub theme: StartingTheme,
    /// Links in the header, after the portal's own.
    #[serde(default)]
    pub navigation: Vec<SiteLink>,
    /// Links in the footer, after the portal's own.
    #[serde(default)]
    pub footer: Vec<SiteLink>,
    /// A picture beside the name, as a `data:` URL (RFC 2397): PNG, JPEG or WebP.
    #[serde(default)]
    pub logo: Option<String>,
}

impl Portal {
    /// How a portal is called that nobody has named.
    pub const NAME: &str = "Tollgate";
}

impl Default for Portal {
    fn default() -> Self {
        Self {
            name: Self::NAME.to_owned(),
            accent: None,
            accent_dark: None,
            theme: StartingTheme::Auto,
            navigation: Vec::new(),
            footer: Vec::new(),
            logo: None,
        }
    }
}

/// A link of the publisher's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteLink {
    /// What it says.
    pub text: String,
    /// Where it leads: a path of the portal, or a web or mail address.
    pub href: String,
}

/// A page of the publisher's; `slug` is its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Its name in addresses: `/pages/<slug>`.
    pub slug: Slug,
    /// Its heading.
    pub title: String,
    /// Markdown below the heading.
    pub text: String,
    /// Whether the header leads to it.
    #[serde(default)]
    pub in_navigation: bool,
    /// Its place among the pages: smaller ones first, then by title.
    #[serde(default)]
    pub position: u16,
}
