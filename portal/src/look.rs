//! How the portal looks to everybody: the publisher's name, colours, logo and links.
//!
//! Read once per request and carried with its task, as the language is, so that error pages wear it too.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tollgate_domain::{Accent, Portal, SiteLink, Tone};
use tollgate_store::LookRow;

use crate::PortalState;
use crate::shell::Theme;

/// What all pages share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// How the portal is called.
    pub name: String,
    /// Where the publisher's colours are, where there are any.
    pub stylesheet: Option<String>,
    /// Where the picture beside the name is, where there is one.
    pub logo: Option<String>,
    /// What those see who have chosen no theme.
    pub theme: Theme,
    /// Links in the header: own pages, then other places.
    pub navigation: Vec<SiteLink>,
    /// Links in the footer.
    pub footer: Vec<SiteLink>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            name: Portal::NAME.to_owned(),
            stylesheet: None,
            logo: None,
            theme: Theme::System,
            navigation: Vec::new(),
            footer: Vec::new(),
        }
    }
}

tokio::task_local! {
    static WORN: Arc<Look>;
}

/// The look of the request that is answered; the design's own outside of requests.
#[must_use]
pub fn worn() -> Arc<Look> {
    WORN.try_with(Arc::clone).unwrap_or_default()
}

/// Answers with the look, read where it is not known from a moment ago. Where it cannot be read, the page says what is the matter in the design's own.
pub async fn wear(State(state): State<PortalState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/static/") || path.starts_with("/theme/") {
        return next.run(request).await;
    }
    let look = match state.kept.look() {
        Some(look) => look,
        None => {
            let read = async { state.store.get_look().await.map(Look::from) };
            state.kept.keep_look(read).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the portal's look cannot be read");
                Arc::default()
            })
        }
    };
    WORN.scope(look, next.run(request)).await
}

impl From<LookRow> for Look {
    fn from(row: LookRow) -> Self {
        let own = row
            .pages()
            .iter()
            .map(|(slug, title)| SiteLink { text: title.clone(), href: format!("/pages/{slug}") });
        let navigation = own.chain(row.navigation().iter().cloned()).collect();
        Self {
            stylesheet: colours(row.accent.as_deref(), row.accent_dark.as_deref())
                .map(|css| format!("/theme/accent.css?v={}", tag(&css))),
            logo: row.logo_digest.as_ref().map(|digest| format!("/theme/logo?v={digest}")),
            theme: row.theme.as_deref().map_or(Theme::System, Theme::named),
            navigation,
            footer: row.footer().to_vec(),
            name: row.name.unwrap_or_else(|| Portal::NAME.to_owned()),
        }
    }
}

/// The publisher's colours as a style sheet; none where there are none. What is stored was checked before it was.
#[must_use]
pub fn colours(light: Option<&str>, dark: Option<&str>) -> Option<String> {
    let light = light?.parse().ok()?;
    let accent = Accent::of(light, dark.and_then(|dark| dark.parse().ok())).ok()?;
    let mut css = String::from(":root {\n");
    let tokens = |tone: &Tone| {
        [
            ("accent", tone.solid),
            ("accent-hover", tone.hover),
            ("on-accent", tone.on_solid),
            ("accent-text", tone.text),
            ("accent-bg", tone.tint),
        ]
    };
    for ((name, light), (_, dark)) in tokens(&accent.light).into_iter().zip(tokens(&accent.dark)) {
        // Writing to a String cannot fail.
        let _ = writeln!(css, "  --{name}: light-dark({light}, {dark});");
    }
    css.push_str("}\n");
    Some(css)
}

/// Names a text by what is in it.
#[must_use]
pub fn tag(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text.as_bytes())[..9])
}

#[cfg(test)]
impl Look {
    /// A look with something of everything.
    pub fn sample() -> Self {
        let link = |text: &str, href: &str| SiteLink { text: text.into(), href: href.into() };
        Self {
            name: "Atlas".into(),
            stylesheet: Some("/theme/accent.css?v=1".into()),
            logo: Some("/theme/logo?v=1".into()),
            theme: Theme::Dark,
            navigation: vec![link("Support", "/pages/support")],
            footer: vec![link("Imprint", "/pages/imprint"), link("Company", "https://example.com/")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_tokens_of_both_themes() {
        let css = colours(Some("#0f766e"), None).expect("a sheet");
        assert!(
            css.contains("--accent: light-dark(#0f766e, ")
                && css.contains("--on-accent: light-dark(#ffffff, "),
            "{css}"
        );
        assert_eq!(colours(None, Some("#0f766e")), None);
        assert_ne!(tag(&css), tag(&colours(Some("#15803d"), None).expect("a sheet")));
    }
}
