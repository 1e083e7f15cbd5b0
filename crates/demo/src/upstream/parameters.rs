//! Query parameters: taken one by one, and all faults reported together.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use super::answer::Problem;

/// What a handler extracts.
pub(super) type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The parameters of one call.
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
    errors: Vec<(String, String)>,
}

impl Parameters {
    /// Refuses a query that cannot be read at all.
    pub(super) fn new(pairs: Pairs) -> Result<Self, Problem> {
        let unreadable = |_| Problem::parameters(vec![("query".into(), "expected percent-encoding".into())]);
        let Query(pairs) = pairs.map_err(unreadable)?;
        Ok(Self { pairs, known: Vec::new(), errors: Vec::new() })
    }

    /// The parameter, read by `read`, which says what is expected where it cannot.
    pub(super) fn take<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.known.push(name);
        let mut values = self.pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        let first = values.next()?;
        let twice = values.next().is_some();
        // Bytes that are not UTF-8 arrive as this character, which is in none of the records.
        let garbled = first.contains(char::REPLACEMENT_CHARACTER);
        let value = if twice || garbled { None } else { read(first) };
        if value.is_none() {
            let message = match (twice, garbled) {
                (true, _) => "expected once",
                (_, true) => "expected UTF-8",
                _ => expected,
            };
            self.errors.push((name.to_owned(), message.to_owned()));
        }
        value
    }

    /// Refuses where anything was wrong, misspelled names included.
    pub(super) fn done(mut self) -> Result<(), Problem> {
        for (name, _) in &self.pairs {
            if !self.known.contains(&name.as_str()) && !self.errors.iter().any(|(known, _)| known == name) {
                let message = format!("unknown; expected one of {}", self.known.join(", "));
                self.errors.push((name.clone(), message));
            }
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::parameters(self.errors)) }
    }
}

/// A code of letters, in upper case; none where its length does not fit.
pub(super) fn letters(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<String> {
    let fits = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic());
    fits.then(|| text.to_ascii_uppercase())
}
