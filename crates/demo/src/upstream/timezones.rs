//! Time zones.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer::{Problem, found};
use super::page;
use super::parameters::{Pairs, Parameters, letters};
use super::records::{TIMEZONES, Timezone};

/// `GET /v1/timezones`
pub(super) async fn list(headers: HeaderMap, pairs: Pairs) -> Result<Response, Problem> {
    let mut parameters = Parameters::new(pairs)?;
    let expected = "expected two letters (ISO 3166-1), like NZ";
    let country = parameters.take("country", expected, |text| letters(text, 2..=2));
    let page = page::wanted(&mut parameters);
    parameters.done()?;
    let zones: Vec<&Timezone> =
        TIMEZONES.iter().filter(|zone| country.as_ref().is_none_or(|code| zone.country == *code)).collect();
    found(&headers, &page.of(zones, |zone| &zone.id))
}

/// `GET /v1/timezones/{area}/{location}`
pub(super) async fn find(
    headers: HeaderMap,
    Path((area, location)): Path<(String, String)>,
) -> Result<Response, Problem> {
    one(&headers, &format!("{area}/{location}"))
}

/// `GET /v1/timezones/{area}/{region}/{location}`
pub(super) async fn find_in_region(
    headers: HeaderMap,
    Path((area, region, location)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    one(&headers, &format!("{area}/{region}/{location}"))
}

fn one(headers: &HeaderMap, id: &str) -> Result<Response, Problem> {
    match TIMEZONES.iter().find(|zone| zone.id.eq_ignore_ascii_case(id)) {
        Some(zone) => found(headers, zone),
        None => Err(Problem::not_found("No time zone has this id; expected one like Pacific/Auckland.")),
    }
}
