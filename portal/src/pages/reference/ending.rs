//! What readers of an API are told when it will go, and where its page is for whoever only knows its name.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect};
use chrono::{DateTime, Utc};
use tollgate_domain::ApiState;
use tollgate_store::ApiRow;

use super::Place;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::say::{language, say, t};
use crate::session::Visit;

/// Successors that are followed at most: they might lead in a circle.
const STEPS_MAX: usize = 8;

/// That an API will go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The fact, with the date where there is one.
    pub title: String,
    /// What it means for callers.
    pub text: String,
    /// Where the API is that takes its place, and its name.
    pub successor: Option<(String, String)>,
}

impl Ending {
    /// None for an API that stays.
    ///
    /// # Errors
    /// The database is away.
    pub async fn of(state: &PortalState, visit: &Visit, api: &ApiRow) -> Result<Option<Self>, Fault> {
        if api.state != ApiState::Deprecated {
            return Ok(None);
        }
        let successor = match api.successor() {
            Some(id) => {
                let row = state.store.get_api(id).await?;
                place_of(state, visit, &row).await?.map(|place| (place.overview(), row.name))
            }
            None => None,
        };
        Ok(Some(Self::told(api.deprecated_at, api.sunset_at, successor)))
    }

    /// In words.
    #[must_use]
    pub fn told(
        since: Option<DateTime<Utc>>,
        sunset: Option<DateTime<Utc>>,
        successor: Option<(String, String)>,
    ) -> Self {
        let title = match sunset {
            Some(at) => say("ending-ends").with("at", tollgate_language::clock(language(), at)).into(),
            None => t("ending-deprecated").to_owned(),
        };
        let since_day =
            |at| say("ending-since").with("day", tollgate_language::day(language(), &at)).to_string();
        let mut text = since.map_or_else(String::new, |at: DateTime<Utc>| since_day(at) + " ");
        text.push_str(t(if sunset.is_some() { "ending-until-then" } else { "ending-as-before" }));
        Self { title, text, successor }
    }

    /// The same in Markdown, above the page's own text; `base` is the portal's address.
    #[must_use]
    pub fn markdown(&self, base: &str) -> String {
        let successor = self.successor.as_ref();
        let successor = successor
            .map_or_else(String::new, |(href, name)| format!(" Use [{name}]({base}{href}.md) instead."));
        format!("> **{}.** {}{successor}\n\n", self.title, self.text)
    }
}

/// Where an API is read; none where nothing that the visitor may see offers it.
async fn place_of(state: &PortalState, visit: &Visit, api: &ApiRow) -> Result<Option<Place>, Fault> {
    if !api.is_served(visit.now) {
        return Ok(None);
    }
    let product = state.store.find_offer(api.id, visit.viewer()).await?;
    Ok(product.map(|product| Place { product: product.slug.to_string(), api: api.slug.to_string() }))
}

/// `GET /apis/{slug}`: the API's page in whichever product offers it; its successor's where it is gone. Links in answers of
/// the gateway lead here.
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    let mut api = state.store.find_api_by_slug(&slug).await?.ok_or_else(Fault::not_found)?;
    for _ in 0..STEPS_MAX {
        if let Some(place) = place_of(&state, &visit, &api).await? {
            return Ok(Redirect::temporary(&place.overview()).into_response());
        }
        let successor = api.successor().filter(|_| api.state.is_ending()).ok_or_else(Fault::not_found)?;
        api = state.store.get_api(successor).await?;
    }
    Err(Fault::not_found())
}
