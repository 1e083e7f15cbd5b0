//! The records, read once from the files that are built in.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A country or territory of ISO 3166-1.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Country {
    /// Alpha-2 code, upper case.
    pub(super) code: String,
    code3: String,
    name: String,
    native: Option<String>,
    aliases: Vec<String>,
    capital: Option<String>,
    continent: String,
    /// All continents that it lies on.
    pub(super) continents: Vec<String>,
    /// ISO 4217 codes.
    pub(super) currencies: Vec<String>,
    /// ISO 639 codes.
    pub(super) languages: Vec<String>,
    calling_codes: Vec<String>,
    timezones: Vec<String>,
    coordinates: Option<Coordinates>,
    /// Its names without case and accents, for searching.
    #[serde(skip)]
    names: Vec<String>,
}

/// A place in degrees.
#[derive(Debug, Serialize, Deserialize)]
struct Coordinates {
    latitude: f64,
    longitude: f64,
}

/// A time zone of the IANA database.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Timezone {
    /// Like `Pacific/Auckland`.
    pub(super) id: String,
    /// Alpha-2 code of its country.
    pub(super) country: String,
    coordinates: Coordinates,
    comment: Option<String>,
}

/// A continent.
#[derive(Debug, Serialize)]
pub(super) struct Continent {
    pub(super) code: &'static str,
    name: &'static str,
    /// How many countries lie on it.
    countries: usize,
}

impl Country {
    /// Whether one of its names contains the folded text.
    pub(super) fn is_called(&self, folded: &str) -> bool {
        self.names.iter().any(|name| name.contains(folded))
    }
}

/// Countries in the order of their codes.
pub(super) static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let mut countries: Vec<Country> = serde_json::from_str(include_str!("../../data/countries.json"))
        .expect("countries.json is built in and a test reads it");
    for country in &mut countries {
        let names =
            [Some(&country.name), country.native.as_ref()].into_iter().flatten().chain(&country.aliases);
        country.names = names.map(|name| fold(name)).collect();
    }
    countries
});

/// Time zones in the order of their ids.
pub(super) static TIMEZONES: LazyLock<Vec<Timezone>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/timezones.json"))
        .expect("timezones.json is built in and a test reads it")
});

/// Continents in the order of their codes.
pub(super) static CONTINENTS: LazyLock<Vec<Continent>> = LazyLock::new(|| {
    let names = [
        ("AF", "Africa"),
        ("AN", "Antarctica"),
        ("AS", "Asia"),
        ("EU", "Europe"),
        ("NA", "North America"),
        ("OC", "Oceania"),
        ("SA", "South America"),
    ];
    names
        .map(|(code, name)| {
            let countries =
                COUNTRIES.iter().filter(|country| country.continents.iter().any(|c| c == code)).count();
            Continent { code, name, countries }
        })
        .into()
});

/// Lower case, and Latin letters without their accents, so that `reunion` finds Réunion.
pub(super) fn fold(text: &str) -> String {
    let folded = text.chars().flat_map(char::to_lowercase).map(|c| match c {
        'à'..='å' | 'ā' | 'ă' => 'a',
        'ç' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ě' => 'e',
        'ì'..='ï' | 'ī' | 'ı' => 'i',
        'ñ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' => 'o',
        'ù'..='ü' | 'ū' => 'u',
        'ý' | 'ÿ' => 'y',
        'š' | 'ș' => 's',
        'ž' => 'z',
        '’' => '\'',
        other => other,
    });
    // `to_lowercase` may leave a combining dot behind (İ).
    folded.filter(|c| *c != '\u{307}').collect()
}
