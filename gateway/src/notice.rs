//! What callers of an API that will go are told with every answer: since when, until when, and what takes its place.

use tollgate_domain::Api;
use tollgate_engine::portal_of;

use crate::date;
use crate::downstream::Downstream;

const NANOS: u64 = 1_000_000_000;

/// The fields, ready to be copied: nothing is put into words while a call waits.
#[derive(Debug)]
pub(crate) struct Notice {
    /// RFC 9745 §2.1.
    deprecation: Box<[u8]>,
    /// RFC 8594 §3.
    sunset: Option<Box<[u8]>>,
    /// RFC 8288, with relations of RFC 9745 §3, RFC 8594 §6 and RFC 5829 §3.4.
    link: Box<[u8]>,
}

impl Notice {
    /// None for an API that stays. `type_base` is where problem pages are: the portal's other pages are beside them.
    pub(crate) fn of(api: &Api, type_base: &str) -> Option<Self> {
        let deprecation = api.deprecation.as_ref()?;
        let portal = portal_of(type_base);
        let sunset = deprecation.sunset_s.map(|at| {
            let mut words = Vec::new();
            date::write(&mut words, u64::try_from(at).unwrap_or(0).saturating_mul(NANOS));
            words.into_boxed_slice()
        });
        let mut link = format!("<{portal}apis/{}>; rel=\"deprecation\"; type=\"text/html\"", api.slug);
        if sunset.is_some() {
            link.push_str(&format!(", <{portal}apis/{}>; rel=\"sunset\"; type=\"text/html\"", api.slug));
        }
        if let Some(successor) = &deprecation.successor {
            link.push_str(&format!(", {}", successor_link(portal, successor)));
        }
        Some(Self {
            deprecation: format!("@{}", deprecation.since_s).into_bytes().into(),
            sunset,
            link: link.into_bytes().into(),
        })
    }

    /// Adds the fields to an answer.
    pub(crate) fn write<D: Downstream>(&self, answer: &mut D) {
        answer.field(b"deprecation", &self.deprecation);
        if let Some(sunset) = &self.sunset {
            answer.field(b"sunset", sunset);
        }
        answer.field(b"link", &self.link);
    }
}

/// The link to the API that takes another's place.
pub(crate) fn successor_link(portal: &str, slug: &str) -> String {
    format!("<{portal}apis/{slug}>; rel=\"successor-version\"")
}
