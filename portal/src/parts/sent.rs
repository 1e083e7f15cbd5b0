//! What a form sent: names and values in order, some of them several times.

use std::str::FromStr;

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDateTime, Utc};
use tollgate_web::Problem;

use crate::error::Fault;
use crate::form::Form;

/// What stands before a file that is no text: its bytes follow in base64.
pub const BYTES: &str = "data:;base64,";

/// As browsers write and read an instant.
pub const INSTANT: &str = "%Y-%m-%dT%H:%M:%S";

/// The fields of a posted form.
#[derive(Debug, Clone, Default)]
pub struct Sent(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if media.is_some_and(|media| media.starts_with("multipart/form-data")) {
            let mut parts =
                Multipart::from_request(request, state).await.map_err(|fault| unreadable(fault.status()))?;
            let mut pairs = Vec::new();
            while let Some(field) = parts.next_field().await.map_err(|fault| unreadable(fault.status()))? {
                let name = field.name().unwrap_or_default().to_owned();
                let bytes = field.bytes().await.map_err(|fault| unreadable(fault.status()))?;
                let text = String::from_utf8(bytes.into());
                pairs.push((
                    name,
                    text.unwrap_or_else(|no| format!("{BYTES}{}", STANDARD.encode(no.as_bytes()))),
                ));
            }
            return Ok(Self(pairs));
        }
        let form = axum::Form::<Vec<(String, String)>>::from_request(request, state).await;
        form.map(|form| Self(form.0)).map_err(|rejection| unreadable(rejection.status()))
    }
}

fn unreadable(status: StatusCode) -> Fault {
    let title = if status == StatusCode::PAYLOAD_TOO_LARGE {
        "This is too large"
    } else {
        "This form could not be read"
    };
    Fault::Problem(
        Problem::new(status, "unreadable_form", title)
            .detail("Nothing was changed. Open the page again and send the form from there."),
    )
}

impl Sent {
    /// What was typed, without spaces around it; browsers end lines with CR LF.
    #[must_use]
    pub fn get(&self, name: &str) -> String {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.trim().replace("\r\n", "\n")).unwrap_or_default()
    }

    /// All that was chosen.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box was ticked or a button pressed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, value)| known == name && !value.is_empty())
    }

    /// What was typed, read as a value; none where it is no such value.
    #[must_use]
    pub fn read<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name).parse().ok()
    }

    /// The numbers of lines of a repeated part: `targets/0/url` and `targets/3/url` make 0 and 3.
    #[must_use]
    pub fn lines(&self, of: &str) -> Vec<usize> {
        let numbers = self.0.iter().filter_map(|(name, _)| {
            name.strip_prefix(of)?.strip_prefix('/')?.split('/').next()?.parse().ok()
        });
        let mut numbers: Vec<usize> = numbers.filter(|number| *number < 1_000).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The same without lines of a repeated part that were left empty, and with the others numbered anew, so that what is
    /// said about the third line is said about the third that was filled.
    #[must_use]
    pub fn without_empty(&self, of: &str, telling: &str) -> Self {
        let filled: Vec<usize> =
            self.lines(of).into_iter().filter(|n| self.has(&format!("{of}/{n}/{telling}"))).collect();
        let mut pairs = Vec::new();
        for (name, value) in &self.0 {
            let Some((number, rest)) =
                name.strip_prefix(of).and_then(|tail| tail.strip_prefix('/')?.split_once('/'))
            else {
                pairs.push((name.clone(), value.clone()));
                continue;
            };
            let place =
                number.parse().ok().and_then(|number: usize| filled.iter().position(|one| *one == number));
            if let Some(place) = place {
                pairs.push((format!("{of}/{place}/{rest}"), value.clone()));
            }
        }
        Self(pairs)
    }

    /// All but one field, which must not be given back.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(known, _)| known != name).cloned().collect())
    }

    /// The form with what was typed still in it.
    #[must_use]
    pub fn form(&self) -> Form {
        Form::with(self.0.iter().map(|(name, value)| (name.clone(), value.trim().to_owned())))
    }
}

/// Reads typed values one by one and keeps what is wrong with them, so that all of it is said at once.
#[derive(Debug)]
pub struct Reader<'s> {
    sent: &'s Sent,
    form: Form,
    wrong: bool,
}

impl<'s> Reader<'s> {
    /// Over a form that was sent.
    #[must_use]
    pub fn new(sent: &'s Sent) -> Self {
        Self { sent, form: sent.form(), wrong: false }
    }

    /// A value, or a message of what it should have been.
    pub fn value<T: FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let value = self.sent.read(name);
        if value.is_none() {
            self.wrong(name, expected);
        }
        value
    }

    /// A whole number.
    pub fn number<T: FromStr>(&mut self, name: &str) -> Option<T> {
        self.value(name, "a whole number, written with digits only")
    }

    /// An instant in UTC, as browsers write it with or without seconds; none where nothing was typed.
    pub fn instant(&mut self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.sent.get(name);
        if text.is_empty() {
            return None;
        }
        let whole = if text.len() == "2027-01-31T00:00".len() { format!("{text}:00") } else { text };
        let read = NaiveDateTime::parse_from_str(&whole, INSTANT).ok().map(|at| at.and_utc());
        if read.is_none() {
            self.wrong(name, "a date and a time in UTC, like 2027-01-31T00:00");
        }
        read
    }

    /// A name for URLs; made from the name where nothing was typed.
    pub fn slug(&mut self) -> Option<tollgate_domain::Slug> {
        let own = tollgate_domain::Slug::from_text(&self.sent.get("name"));
        if let Some(slug) = own.filter(|_| self.sent.get("slug").is_empty()) {
            return Some(slug);
        }
        self.value("slug", "1 to 64 of a-z, 0-9 and -, with a letter or digit at both ends")
    }

    /// Says what is wrong with a field.
    pub fn wrong(&mut self, name: &str, message: &str) {
        self.form = std::mem::take(&mut self.form).wrong(name, message);
        self.wrong = true;
    }

    /// The form with everything that is wrong with it, if anything is.
    #[must_use]
    pub fn refused(self) -> Option<Form> {
        self.wrong.then_some(self.form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_are_left_out_and_the_others_close_up() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let sent = Sent(vec![
            pair("name", "n"),
            pair("targets/0/url", "http://a"),
            pair("targets/1/url", ""),
            pair("targets/1/weight", "5"),
            pair("targets/12/url", "http://b"),
        ]);
        let sent = sent.without_empty("targets", "url");
        assert_eq!(sent.lines("targets"), [0, 1]);
        assert_eq!(
            (sent.get("targets/1/url").as_str(), sent.get("targets/1/weight").as_str()),
            ("http://b", "")
        );
        assert_eq!(sent.get("name"), "n");
    }
}
