//! How the portal looks: name, colours, logo, links.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tollgate_domain::{Accent, Colour, Portal, SiteLink};
use tollgate_store::PortalRow;
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// How large the picture beside the name may be.
pub const LOGO_BYTES_MAX: usize = 64 * 1024;
const NAME_CHARS_MAX: usize = 60;
/// The header has room for so many links besides the portal's own.
const NAVIGATION_MAX: usize = 4;
const FOOTER_MAX: usize = 12;

/// What a picture is that browsers draw and that holds no script, by how its file begins.
fn media_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// A picture's bytes as a `data:` URL, typed by what is in them rather than by what its sender called it.
///
/// # Errors
/// It is too large, or no PNG, JPEG or WebP; in plain words.
pub fn logo_of(bytes: &[u8]) -> std::result::Result<String, String> {
    let media = picture(bytes)?;
    Ok(format!("data:{media};base64,{}", STANDARD.encode(bytes)))
}

fn picture(bytes: &[u8]) -> std::result::Result<&'static str, String> {
    if bytes.len() > LOGO_BYTES_MAX {
        let kib = bytes.len().div_ceil(1024);
        return Err(format!("at most {} KiB; this picture has {kib}", LOGO_BYTES_MAX / 1024));
    }
    media_of(bytes).ok_or_else(|| match String::from_utf8_lossy(bytes).contains("<svg") {
        true => "a PNG, JPEG or WebP; an SVG can hold scripts and is not taken".to_owned(),
        false => "a PNG, JPEG or WebP".to_owned(),
    })
}

/// A `data:` URL with its picture checked.
fn checked_logo(url: &str) -> std::result::Result<String, String> {
    let expected = || "a data: URL with a picture in base64, like data:image/png;base64,iVBORw0…".to_owned();
    let (media, encoded) =
        url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).ok_or_else(expected)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| expected())?;
    let found = picture(&bytes)?;
    match media.eq_ignore_ascii_case(found) {
        true => Ok(format!("data:{found};base64,{encoded}")),
        false => Err(format!("it is called {media}, but what is in it is {found}")),
    }
}

/// Colours are written small, so that the same theme is the same text.
fn checked_colour(given: &mut Option<String>, pointer: &str, faults: &mut Vec<FieldFault>) -> Option<Colour> {
    match given.as_deref()?.trim().parse::<Colour>() {
        Ok(colour) => {
            *given = Some(colour.to_string());
            Some(colour)
        }
        Err(fault) => {
            faults.push(FieldFault::new(pointer, fault.to_string()));
            None
        }
    }
}

fn check_links(links: &[SiteLink], most: usize, pointer: &str, faults: &mut Vec<FieldFault>) {
    if links.len() > most {
        faults.push(FieldFault::new(pointer, format!("at most {most} links")));
    }
    for (index, link) in links.iter().enumerate() {
        let SiteLink { text, href } = link;
        if text.trim().is_empty() || text.chars().count() > 40 || text.chars().any(char::is_control) {
            let message = "1 to 40 characters, no line breaks";
            faults.push(FieldFault::new(format!("{pointer}/{index}/text"), message));
        }
        let is_path = href.starts_with('/') && !href.starts_with("//") && !href.contains('\\');
        let is_address = ["https://", "http://", "mailto:"]
            .iter()
            .any(|scheme| href.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
        let is_plain = href.len() <= 500 && !href.chars().any(|c| c.is_whitespace() || c.is_control());
        if !is_plain || !(is_path || is_address) {
            let message =
                "a path of the portal like /pages/imprint, or an address with https://, http:// or mailto:";
            faults.push(FieldFault::new(format!("{pointer}/{index}/href"), message));
        }
    }
}

/// Everything that is wrong with it; what can be written in several ways is written in one.
pub fn check(portal: &mut Portal) -> Result<()> {
    let mut faults = Vec::new();
    let count = portal.name.chars().count();
    if portal.name.trim().is_empty() || count > NAME_CHARS_MAX || portal.name.chars().any(char::is_control) {
        let message = format!("1 to {NAME_CHARS_MAX} characters, no line breaks");
        faults.push(FieldFault::new("/name", message));
    }
    let light = checked_colour(&mut portal.accent, "/accent", &mut faults);
    let dark = checked_colour(&mut portal.accent_dark, "/accent_dark", &mut faults);
    match (light, dark) {
        (None, Some(_)) if portal.accent.is_none() => {
            let message = "needs an accent of the light theme beside it";
            faults.push(FieldFault::new("/accent_dark", message));
        }
        (Some(light), dark) => {
            if let Err(faint) = Accent::of(light, dark) {
                let pointer = if faint.is_dark { "/accent_dark" } else { "/accent" };
                faults.push(FieldFault::new(pointer, faint.message));
            }
        }
        _ => {}
    }
    check_links(&portal.navigation, NAVIGATION_MAX, "/navigation", &mut faults);
    check_links(&portal.footer, FOOTER_MAX, "/footer", &mut faults);
    if let Some(logo) = &mut portal.logo {
        match checked_logo(logo) {
            Ok(checked) => *logo = checked,
            Err(message) => faults.push(FieldFault::new("/logo", message)),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// For the audit log: a picture is told by how long it is.
pub fn audit(portal: &Portal) -> Value {
    let mut value = json!(portal);
    if let Some(logo) = &portal.logo {
        let media = logo.split([':', ';']).nth(1).unwrap_or_default();
        value["logo"] = format!("{media}, {} characters", logo.len()).into();
    }
    value
}

/// There is one portal.
pub const fn subject() -> Subject {
    Subject { kind: "portal", id: Uuid::nil(), organization: None }
}

impl Control {
    /// Puts how the portal looks in place; with `expected`, only where that is its version (0: nobody changed it yet).
    ///
    /// # Errors
    /// `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn put_portal(
        &self,
        actor: &Actor,
        expected: Option<i64>,
        mut portal: Portal,
    ) -> Result<PortalRow> {
        actor.authorize(Action::Publish)?;
        check(&mut portal)?;
        let mut change = self.change(actor).await?;
        let before = change.tx.reads().get_portal().await?;
        check_version(expected, before.version)?;
        if before.version > 0 && before.portal == portal {
            return Ok(before);
        }
        change.tx.put_portal(&portal).await?;
        let details = before_after(&audit(&before.portal), &audit(&portal));
        change.commit("portal.update", subject(), details).await?;
        Ok(self.store.get_portal().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n rest";

    fn faults(portal: Portal) -> Vec<String> {
        match check(&mut portal.clone()) {
            Ok(()) => Vec::new(),
            Err(Error::Invalid(faults)) => {
                faults.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.message)).collect()
            }
            Err(other) => vec![other.to_string()],
        }
    }

    #[test]
    fn a_faint_accent_is_refused_with_its_ratio() {
        let portal = Portal { accent: Some("#FACC15".into()), ..Portal::default() };
        let found = faults(portal);
        assert!(
            found[0].starts_with("/accent #facc15 has a contrast of 1.5") && found.len() == 1,
            "{found:?}"
        );
        let dark = Portal { accent_dark: Some("#101010".into()), ..Portal::default() };
        assert!(faults(dark)[0].starts_with("/accent_dark needs an accent"));
        let named = Portal { accent: Some("green".into()), ..Portal::default() };
        assert!(faults(named)[0].starts_with("/accent a colour is written as #"));
    }

    #[test]
    fn only_pictures_without_scripts_are_logos() {
        let url = logo_of(PNG).expect("a picture");
        assert_eq!(checked_logo(&url), Ok(url.clone()));
        let svg = logo_of(b"<?xml version=\"1.0\"?><svg onload=\"x()\"/>").expect_err("no");
        assert!(svg.contains("SVG can hold scripts"));
        let lied = url.replace("image/png", "image/svg+xml");
        assert!(checked_logo(&lied).expect_err("no").contains("what is in it is image/png"));
        let mut large = PNG.to_vec();
        large.resize(LOGO_BYTES_MAX + 1, 0);
        assert!(logo_of(&large).expect_err("no").starts_with("at most 64 KiB"));
        for bad in ["", "x", "data:image/png;base64,%", "https://example.com/logo.png", "data:image/png,abc"]
        {
            assert!(checked_logo(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn links_lead_to_pages_and_addresses_only() {
        let link = |href: &str| SiteLink { text: "Imprint".into(), href: href.into() };
        for good in ["/pages/imprint", "https://example.com/", "mailto:help@example.com"] {
            assert!(faults(Portal { footer: vec![link(good)], ..Portal::default() }).is_empty(), "{good}");
        }
        for bad in ["", "//evil.example", "/\\evil", "javascript:alert(1)", "imprint", "https://", "/a b"] {
            let found = faults(Portal { footer: vec![link(bad)], ..Portal::default() });
            assert!(found[0].starts_with("/footer/0/href a path"), "{bad}: {found:?}");
        }
        let many = Portal { navigation: vec![link("/status"); 5], ..Portal::default() };
        assert_eq!(faults(many), ["/navigation at most 4 links"]);
    }
}
