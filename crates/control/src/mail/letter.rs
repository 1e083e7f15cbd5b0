//! One letter: what it says, apart from how it looks.

use askama::Template;

use tollgate_domain::MailTopic;
use tollgate_language::{Language, text};

use super::{MailFault, Site};

/// What a mail says: a subject, a heading, a few paragraphs, at most one button.
#[derive(Debug, Clone)]
pub struct Letter {
    /// What it is written in.
    pub language: Language,
    /// One line.
    pub subject: String,
    /// The first line of the body.
    pub heading: String,
    /// Paragraphs before the button, plain text.
    pub plain: Vec<String>,
    /// What to do: the button's words and its link.
    pub button: Option<(String, String)>,
    /// Paragraphs after the button.
    pub after: Vec<String>,
    /// Why they get it: the last line.
    pub reason: String,
    /// What it is about, where its reader can do without such mails.
    pub topic: Option<MailTopic>,
}

#[derive(Template)]
#[template(path = "emails/letter.txt")]
struct Text<'l> {
    letter: &'l Letter,
    site: &'l Site,
}

#[derive(Template)]
#[template(path = "emails/letter.html")]
struct Html<'l> {
    letter: &'l Letter,
    site: &'l Site,
}

impl Letter {
    /// A word of the frame around what it says.
    fn word(&self, key: &'static str) -> &'static str {
        text(self.language, key)
    }

    /// Where such mails are switched off, where they can be.
    #[must_use]
    pub fn settings_path(&self) -> Option<&'static str> {
        self.topic.map(|_| "/account/mails")
    }

    /// The link of its button, or nothing.
    #[must_use]
    pub fn link(&self) -> &str {
        self.button.as_ref().map_or("", |(_, link)| link)
    }

    /// As plain text.
    ///
    /// # Errors
    /// It cannot be rendered.
    pub fn text(&self, site: &Site) -> Result<String, MailFault> {
        Text { letter: self, site }.render().map_err(|error| MailFault::Unwritable(error.to_string()))
    }

    /// As HTML without images, scripts or anything to load.
    ///
    /// # Errors
    /// It cannot be rendered.
    pub fn html(&self, site: &Site) -> Result<String, MailFault> {
        Html { letter: self, site }.render().map_err(|error| MailFault::Unwritable(error.to_string()))
    }
}
