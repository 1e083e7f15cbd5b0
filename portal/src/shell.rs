//! What stands around every page: name, links, theme, and the message of the step before.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::look::Look;
use crate::say::{self, Language, t};

/// Which part of the site a page is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Area {
    /// For everybody; no sidebar.
    #[default]
    Public,
    /// For everybody, with a sidebar of the page's own.
    Reference,
    /// For developers who signed in.
    Developer,
    /// For operators.
    Admin,
}

/// Light, dark, or what the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// What the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// From a cookie or a form; anything unknown is the system's.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// As it stands in the cookie.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The `data-theme` attribute, where one is needed.
    #[must_use]
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            chosen => Some(chosen.name()),
        }
    }
}

/// A message of the step before, shown once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flash {
    /// ok, info, warn or bad.
    pub tone: String,
    /// One sentence.
    pub text: String,
}

impl Flash {
    /// Something was done.
    pub fn done(text: impl Into<String>) -> Self {
        Self { tone: "ok".into(), text: text.into() }
    }

    /// Something was not done.
    pub fn failed(text: impl Into<String>) -> Self {
        Self { tone: "bad".into(), text: text.into() }
    }

    /// The icon of its tone.
    #[must_use]
    pub fn icon(&self) -> &'static str {
        match self.tone.as_str() {
            "ok" => "circle-check",
            "warn" => "triangle-alert",
            "bad" => "circle-alert",
            _ => "info",
        }
    }
}

/// A link of a menu.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Where it leads.
    pub href: &'static str,
    /// The key of what it says; operators' pages say it in English as it is.
    pub text: &'static str,
    /// Its icon.
    pub icon: &'static str,
}

const fn link(href: &'static str, text: &'static str, icon: &'static str) -> Link {
    Link { href, text, icon }
}

/// Links of the sidebar that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The key of a grey title, as of a link.
    pub title: Option<&'static str>,
    /// The links.
    pub links: &'static [Link],
}

/// One of the themes to choose from.
#[derive(Debug, Clone, Copy)]
pub struct ThemeChoice {
    /// As the form sends it.
    pub value: &'static str,
    /// The key of what those read who do not see the icon.
    pub text: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// Whether it is in force.
    pub chosen: bool,
}

const PORTAL: Link = link("/", "around-portal", "home");
const PRODUCTS: Link = link("/", "around-products", "package");
const GUIDES: Link = link("/guides", "around-guides", "book-open");
const ERRORS: Link = link("/problems", "around-errors", "circle-alert");
const APPLICATIONS: Link = link("/applications", "around-applications", "app-window");
const BILLING: Link = link("/billing", "around-billing", "package");
const USAGE: Link = link("/usage", "around-usage", "activity");
const LIMITS: Link = link("/limits", "around-limits", "gauge");
const REQUESTS: Link = link("/requests", "around-requests", "scroll-text");
const WEBHOOKS: Link = link("/webhooks", "around-webhooks", "bell");
const TEAM: Link = link("/team", "around-team", "users");
const ADMIN: Link = link("/admin", "around-admin", "shield");
const ACCOUNT: Link = link("/account", "around-account", "user-round");
const GET_STARTED: Link = link("/get-started", "around-get-started", "terminal");

const DEVELOPER_SIDE: &[Group] = &[
    Group {
        title: Some("around-build"),
        links: &[GET_STARTED, APPLICATIONS, USAGE, LIMITS, REQUESTS, BILLING],
    },
    Group { title: Some("around-explore"), links: &[PRODUCTS, GUIDES, ERRORS] },
    Group { title: Some("around-you"), links: &[TEAM, WEBHOOKS, ACCOUNT] },
];
const ADMIN_SIDE: &[Group] = &[
    Group {
        title: Some("Watch"),
        links: &[
            link("/admin", "Overview", "layout-dashboard"),
            link("/admin/traffic", "Traffic", "activity"),
            link("/admin/requests", "Requests", "terminal"),
            link("/admin/incidents", "Incidents", "triangle-alert"),
            link("/admin/gateways", "Gateways", "server"),
            link("/admin/proofs", "Proofs", "check"),
        ],
    },
    Group {
        title: Some("Publish"),
        links: &[
            link("/admin/apis", "APIs", "route"),
            link("/admin/services", "Services", "network"),
            link("/admin/certificates", "Certificates", "shield"),
            link("/admin/products", "Products", "package"),
            link("/admin/policies", "Policies", "gauge"),
            link("/admin/portal", "Portal", "book-open"),
        ],
    },
    Group {
        title: Some("People"),
        links: &[
            link("/admin/approvals", "Approvals", "circle-check"),
            link("/admin/organizations", "Organizations", "boxes"),
            link("/admin/developers", "Developers", "users"),
            link("/admin/applications", "Applications", "app-window"),
            link("/admin/keys", "Keys", "key-round"),
            link("/admin/subscriptions", "Subscriptions", "gauge"),
            link("/admin/revenue", "Revenue", "activity"),
            link("/admin/invoices", "Invoices", "scroll-text"),
            link("/admin/payments", "Payments", "circle-check"),
        ],
    },
    Group {
        title: Some("Platform"),
        links: &[
            link("/admin/operators", "Users and roles", "user-plus"),
            link("/admin/webhooks", "Webhooks", "bell"),
            link("/admin/audit", "Audit log", "book-open"),
            link("/admin/setup", "Setup", "settings"),
            link("/admin/handbook", "Handbook", "info"),
        ],
    },
];

/// Who is signed in, as the header shows them.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Their e-mail.
    pub email: String,
    /// Whether they run the platform.
    pub is_operator: bool,
    /// Whether they still have to show that the e-mail is theirs.
    pub unverified: bool,
}

/// What stands around a page.
#[derive(Debug, Clone)]
pub struct Shell {
    /// The publisher's name, colours and links.
    pub look: Arc<Look>,
    /// The page's name; its `h1` where a template has none of its own.
    pub title: String,
    /// Path and query of the page itself.
    pub path: String,
    /// The part of the site.
    pub area: Area,
    /// Who is signed in.
    pub viewer: Option<Viewer>,
    /// Whether signing in is offered: not on error pages of somebody who seems to have a session.
    pub offers_sign_in: bool,
    /// The chosen theme.
    pub theme: Theme,
    /// A message of the step before.
    pub flash: Option<Flash>,
    /// The organization that an operator looks at the portal as.
    pub viewing: Option<String>,
}

impl Shell {
    /// The language of the page.
    #[must_use]
    pub fn lang(&self) -> &'static str {
        say::language().tag()
    }

    /// The languages to choose from.
    #[must_use]
    pub const fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    /// Whether this is an operators' page.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.area == Area::Admin
    }

    /// The address that its owner is asked to confirm, on developers' pages.
    #[must_use]
    pub fn unverified_email(&self) -> Option<&str> {
        let viewer =
            self.viewer.as_ref().filter(|viewer| viewer.unverified && self.area == Area::Developer)?;
        Some(&viewer.email)
    }

    /// Through whose eyes an operator looks, on the pages that this is about.
    #[must_use]
    pub fn seen_as(&self) -> Option<&str> {
        self.viewing.as_deref().filter(|_| !self.is_admin())
    }

    /// Whether something stands beside the page.
    #[must_use]
    pub fn has_side(&self) -> bool {
        self.area != Area::Public
    }

    /// Whether a link leads to this page or one above it.
    #[must_use]
    pub fn is_current(&self, href: &str) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        let exact = matches!(href, "/" | "/admin");
        path == href
            || (!exact && path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')))
            || (href == "/" && path.starts_with("/products/"))
    }

    /// Links of the header.
    #[must_use]
    pub fn main_links(&self) -> &'static [Link] {
        match (&self.viewer, self.area) {
            (_, Area::Admin) => &[PORTAL],
            (Some(viewer), _) if viewer.is_operator => &[PRODUCTS, GUIDES, APPLICATIONS, USAGE, ADMIN],
            (Some(_), _) => &[PRODUCTS, GUIDES, APPLICATIONS, USAGE],
            (None, _) if self.offers_sign_in => &[PRODUCTS, GUIDES, ERRORS],
            (None, _) => &[PRODUCTS, GUIDES, APPLICATIONS, USAGE],
        }
    }

    /// Links of the menu that small screens have instead.
    #[must_use]
    pub fn menu_links(&self) -> &'static [Link] {
        match &self.viewer {
            Some(viewer) if viewer.is_operator => &[PRODUCTS, APPLICATIONS, USAGE, ADMIN, ACCOUNT],
            Some(_) => &[PRODUCTS, GET_STARTED, APPLICATIONS, USAGE, ACCOUNT],
            None if self.offers_sign_in => &[PRODUCTS, GUIDES, ERRORS],
            None => &[PRODUCTS, GUIDES, APPLICATIONS, USAGE],
        }
    }

    /// Links of the sidebar.
    #[must_use]
    pub fn side_groups(&self) -> &'static [Group] {
        match self.area {
            Area::Developer => DEVELOPER_SIDE,
            Area::Admin => ADMIN_SIDE,
            Area::Public | Area::Reference => &[],
        }
    }

    /// The link of the sidebar that leads here, or else the page's own name.
    #[must_use]
    pub fn here(&self) -> &str {
        let mut links = self.side_groups().iter().flat_map(|group| group.links);
        links.find(|link| self.is_current(link.href)).map_or(self.title.as_str(), |link| t(link.text))
    }

    /// The themes to choose from.
    #[must_use]
    pub fn themes(&self) -> [ThemeChoice; 3] {
        [
            (Theme::System, "around-theme-system", "monitor"),
            (Theme::Light, "around-theme-light", "sun"),
            (Theme::Dark, "around-theme-dark", "moon"),
        ]
        .map(|(theme, text, icon)| ThemeChoice {
            value: theme.name(),
            text,
            icon,
            chosen: theme == self.theme,
        })
    }
}

#[cfg(test)]
impl Shell {
    /// A shell for samples; signed in everywhere but on public pages.
    pub fn sample(area: Area, title: &str, path: &str) -> Self {
        let is_operator = area == Area::Admin;
        let email = if is_operator { "ops@example.com" } else { "maria.lindqvist@example.com" };
        let signed_in = matches!(area, Area::Developer | Area::Admin);
        Self {
            look: Arc::default(),
            title: title.into(),
            path: path.into(),
            area,
            viewer: signed_in.then(|| Viewer { email: email.into(), is_operator, unverified: false }),
            offers_sign_in: !signed_in,
            theme: Theme::System,
            flash: None,
            viewing: None,
        }
    }
}
