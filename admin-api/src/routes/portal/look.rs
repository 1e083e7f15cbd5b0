//! `GET` and `PUT /v1/portal`

use serde::{Deserialize, Serialize};
use tollgate_domain::{Portal, SiteLink, StartingTheme};
use tollgate_store::PortalRow;
use utoipa::ToSchema;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::{Json, Text};
use crate::precondition::{OptionalIfMatch, OptionalIfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// How the portal looks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "Atlas", "accent": "#0f766e", "accent_dark": null, "theme": "auto",
    "navigation": [{ "text": "Support", "href": "https://support.example.com" }],
    "footer": [{ "text": "Imprint", "href": "/pages/imprint" }], "logo": null, "version": 1
}))]
pub struct Look {
    /// How it is called, in the header and in titles.
    name: String,
    /// The colour of what can be pressed; `null` is the design's own.
    #[schema(required)]
    accent: Option<String>,
    /// The same in the dark theme; `null` where it is made from the other.
    #[schema(required)]
    accent_dark: Option<String>,
    /// What those see who have chosen no theme.
    #[schema(value_type = schema::StartingTheme)]
    theme: StartingTheme,
    /// Links in the header, after the portal's own.
    navigation: Vec<Link>,
    /// Links in the footer, after the portal's own.
    footer: Vec<Link>,
    /// A picture beside the name, as a `data:` URL.
    #[schema(required)]
    logo: Option<String>,
    /// Grows with every change; the `ETag` carries it. 0 where nobody has changed anything yet.
    version: i64,
}

/// A link of the publisher's.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What it says.
    #[schema(value_type = String, min_length = 1, max_length = 40)]
    text: Text,
    /// Where it leads: a path of the portal, or a web or mail address.
    #[schema(value_type = String, max_length = 500, pattern = "^(/|https?://|mailto:)")]
    href: Text,
}

impl From<SiteLink> for Link {
    fn from(link: SiteLink) -> Self {
        Self { text: Text(link.text), href: Text(link.href) }
    }
}

impl From<Link> for SiteLink {
    fn from(link: Link) -> Self {
        Self { text: link.text.0, href: link.href.0 }
    }
}

impl From<PortalRow> for Look {
    fn from(row: PortalRow) -> Self {
        let portal = row.portal;
        Self {
            name: portal.name,
            accent: portal.accent,
            accent_dark: portal.accent_dark,
            theme: portal.theme,
            navigation: portal.navigation.into_iter().map(Link::from).collect(),
            footer: portal.footer.into_iter().map(Link::from).collect(),
            logo: portal.logo,
            version: row.version,
        }
    }
}

/// How the portal shall look; what is absent is the design's own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Atlas", "accent": "#0f766e", "theme": "auto" }))]
pub struct LookBody {
    /// How it is called, in the header and in titles.
    #[schema(value_type = String, min_length = 1, max_length = 60)]
    name: Text,
    /// The colour of what can be pressed. One that is not seen on white is refused, with its contrast.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^#[0-9A-Fa-f]{6}$")]
    accent: Option<Text>,
    /// The same in the dark theme; made from the other where it is absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^#[0-9A-Fa-f]{6}$")]
    accent_dark: Option<Text>,
    /// What those see who have chosen no theme.
    #[serde(default)]
    #[schema(value_type = schema::StartingTheme, default = "auto")]
    theme: StartingTheme,
    /// Links in the header, after the portal's own.
    #[serde(default)]
    #[schema(max_items = 4)]
    navigation: Vec<Link>,
    /// Links in the footer, after the portal's own.
    #[serde(default)]
    #[schema(max_items = 12)]
    footer: Vec<Link>,
    /// A picture beside the name, as a `data:` URL: a PNG, JPEG or WebP of at most 64 KiB. SVG is refused: it can hold scripts.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100_000, pattern = "^data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/]+=*$")]
    logo: Option<Text>,
}

impl From<LookBody> for Portal {
    fn from(body: LookBody) -> Self {
        Self {
            name: body.name.0,
            accent: body.accent.map(|text| text.0),
            accent_dark: body.accent_dark.map(|text| text.0),
            theme: body.theme,
            navigation: body.navigation.into_iter().map(SiteLink::from).collect(),
            footer: body.footer.into_iter().map(SiteLink::from).collect(),
            logo: body.logo.map(|text| text.0),
        }
    }
}

/// Get how the portal looks
#[utoipa::path(
    get, path = "/v1/portal", tag = "Portal", operation_id = "getPortal",
    responses((status = 200, description = "How it looks.", body = Look))
)]
pub async fn get_portal(reader: Reader) -> Answer {
    let row = reader.control.store().get_portal().await?;
    Ok(answer::tagged(row.version, answer::ok(Look::from(row))))
}

/// Set how the portal looks
///
/// Name, colours, logo and links, all at once. Readers see it with their next page.
#[utoipa::path(
    put, path = "/v1/portal", tag = "Portal", operation_id = "putPortal", params(OptionalIfMatchParam),
    request_body = LookBody,
    responses((status = 200, description = "How it looks now.", body = Look))
)]
pub async fn put_portal(writer: Writer, condition: OptionalIfMatch, Json(body): Json<LookBody>) -> Answer {
    let row = writer.control.put_portal(&writer.actor, condition.version, body.into()).await?;
    Ok(answer::tagged(row.version, answer::ok(Look::from(row))))
}
