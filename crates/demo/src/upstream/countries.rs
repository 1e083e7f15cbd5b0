//! Countries and continents.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use super::answer::{Problem, found};
use super::page;
use super::parameters::{Pairs, Parameters, letters};
use super::records::{CONTINENTS, COUNTRIES, Country, fold};

/// `GET /v1/countries`
pub(super) async fn list(headers: HeaderMap, pairs: Pairs) -> Result<Response, Problem> {
    let mut parameters = Parameters::new(pairs)?;
    let continent = parameters.take("continent", "expected one of AF, AN, AS, EU, NA, OC, SA", |text| {
        letters(text, 2..=2).filter(|code| CONTINENTS.iter().any(|continent| continent.code == code))
    });
    let currency = parameters
        .take("currency", "expected three letters (ISO 4217), like EUR", |text| letters(text, 3..=3));
    let language = parameters
        .take("language", "expected two or three letters (ISO 639), like en", |text| letters(text, 2..=3))
        .map(|code| code.to_ascii_lowercase());
    let name = parameters.take("q", "expected 1 to 64 characters", |text| {
        let text = text.trim();
        (1..=64).contains(&text.chars().count()).then(|| fold(text))
    });
    let page = page::wanted(&mut parameters);
    parameters.done()?;
    let holds =
        |codes: &[String], code: &Option<String>| code.as_ref().is_none_or(|code| codes.contains(code));
    let countries: Vec<&Country> = COUNTRIES
        .iter()
        .filter(|country| holds(&country.continents, &continent))
        .filter(|country| holds(&country.currencies, &currency))
        .filter(|country| holds(&country.languages, &language))
        .filter(|country| name.as_ref().is_none_or(|name| country.is_called(name)))
        .collect();
    found(&headers, &page.of(countries, |country| &country.code))
}

/// `GET /v1/countries/{code}`
pub(super) async fn find(headers: HeaderMap, Path(code): Path<String>) -> Result<Response, Problem> {
    let wanted = letters(&code, 2..=2);
    match COUNTRIES.iter().find(|country| Some(&country.code) == wanted.as_ref()) {
        Some(country) => found(&headers, country),
        None => Err(Problem::not_found("No country has this code; expected ISO 3166-1 alpha-2, like NZ.")),
    }
}

/// `GET /v1/continents`
pub(super) async fn continents(headers: HeaderMap, pairs: Pairs) -> Result<Response, Problem> {
    let parameters = Parameters::new(pairs)?;
    parameters.done()?;
    found(&headers, &json!({ "data": *CONTINENTS }))
}
