//! Forms: what was typed, and what is wrong with it.

use std::borrow::Cow;

use tollgate_control::Error;

use crate::error::Fault;
use crate::say::{t, translated};

/// What stands in a form: old values and messages.
#[derive(Debug, Clone, Default)]
pub struct Form {
    values: Vec<(Cow<'static, str>, String)>,
    errors: Vec<(String, String)>,
    refusal: Option<String>,
}

impl Form {
    /// A form with these values; passwords are never given back.
    pub fn with<N: Into<Cow<'static, str>>>(values: impl IntoIterator<Item = (N, String)>) -> Self {
        Self {
            values: values.into_iter().map(|(name, value)| (name.into(), value)).collect(),
            ..Self::default()
        }
    }

    /// The same form with a message of its own, of which `control` knows nothing.
    #[must_use]
    pub fn wrong(mut self, name: &str, message: &str) -> Self {
        self.errors.push((name.to_owned(), sentence(message)));
        self
    }

    /// The same form after `control` refused it.
    ///
    /// # Errors
    /// What cannot be mended by typing something else.
    pub fn refused(mut self, error: Error) -> Result<Self, Fault> {
        match error {
            Error::Invalid(faults) => {
                self.errors = faults
                    .into_iter()
                    .map(|fault| {
                        (
                            fault.pointer.trim_start_matches('/').to_owned(),
                            sentence(&translated(&fault.message)),
                        )
                    })
                    .collect();
            }
            Error::Conflict(text) => self.refusal = Some(sentence(&translated(&text))),
            Error::WrongPassword => {
                self.refusal = Some(t("form-wrong-password").into());
            }
            other => return Err(other.into()),
        }
        Ok(self)
    }

    /// What stands in a field.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str())
    }

    /// Whether a field is in the form, be it empty.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(known, _)| *known == name)
    }

    /// All that stands in a field of which several can be chosen.
    pub fn values<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.values.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// What is wrong with a field.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|(known, _)| known == name).map(|(_, message)| message.as_str())
    }

    /// Whether anything is wrong.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some() || !self.errors.is_empty()
    }

    /// The summary above the form.
    #[must_use]
    pub fn summary(&self) -> &str {
        self.refusal.as_deref().unwrap_or(if self.errors.len() == 1 {
            t("form-one-wrong")
        } else {
            t("form-some-wrong")
        })
    }

    /// Fields with their messages, for links from the summary.
    #[must_use]
    pub fn field_errors(&self) -> &[(String, String)] {
        &self.errors
    }
}

/// With a capital in front and a full stop behind.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let mut out: String = chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect();
    if !out.ends_with(['.', '?', '!']) {
        out.push('.');
    }
    out
}

/// A place of this site to go on to: a path, never another host. Browsers read `\` as `/` and drop control
/// characters, so both are refused.
#[must_use]
pub fn local_path(next: &str) -> &str {
    let local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control);
    if local { next } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_this_site_are_gone_on_to() {
        for bad in
            ["//evil", "/\\evil", "https:evil", "https://evil", "evil", "/\t/evil", "javascript:alert(1)", ""]
        {
            assert_eq!(local_path(bad), "", "{bad}");
        }
        assert_eq!(local_path("/usage?range=day"), "/usage?range=day");
    }

    #[test]
    fn faults_land_on_their_fields() {
        let faults = vec![tollgate_control::FieldFault::new("/email", "an e-mail address")];
        let form = Form::with([("email", "x".to_owned())]).refused(Error::Invalid(faults));
        let form = form.unwrap_or_default();
        assert_eq!(form.error("email"), Some("An e-mail address."));
        assert_eq!(form.value("email"), "x");
        assert!(form.is_refused() && form.error("password").is_none());
    }
}
