//! Mail: what is written to people, and the three ways that it leaves by.

mod letter;
mod letters;
mod samples;
mod transport;

use std::sync::atomic::{AtomicU64, Ordering};

use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

pub use letter::Letter;
pub(crate) use letters::*;
pub use samples::samples;
pub use transport::{KeptMail, MailFault, Transport};
use uuid::Uuid;

/// What mails need to be told.
#[derive(Debug)]
pub struct Mailer {
    transport: Transport,
    from: Mailbox,
    site: Site,
    sent: AtomicU64,
    failed: AtomicU64,
}

/// How the platform is called, and where links lead: the configured origin, never what a request claims.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Where browsers reach the portal, without a final slash.
    pub portal_url: String,
}

/// Mails since the start of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailFigures {
    /// Taken by the next server.
    pub sent: u64,
    /// Not taken; most are tried again.
    pub failed: u64,
}

impl Mailer {
    /// A mailer that writes as `from` (`Name <address>`), for a portal at this origin.
    ///
    /// # Errors
    /// `from` is no mailbox.
    pub fn new(transport: Transport, from: &str, portal_url: &str) -> Result<Self, MailFault> {
        let from: Mailbox = from.parse().map_err(|_| MailFault::Sender(from.to_owned()))?;
        let name = from.name.clone().unwrap_or_else(|| "Tollgate".to_owned());
        let portal_url = portal_url.trim_end_matches('/').to_owned();
        let site = Site { name, portal_url };
        Ok(Self { transport, from, site, sent: AtomicU64::new(0), failed: AtomicU64::new(0) })
    }

    /// Mails since the start of this process.
    #[must_use]
    pub fn figures(&self) -> MailFigures {
        MailFigures { sent: self.sent.load(Ordering::Relaxed), failed: self.failed.load(Ordering::Relaxed) }
    }

    /// Hands a letter over. `id` becomes its Message-ID, so that one sent twice, because we died in between, is the same
    /// message to the receiver.
    ///
    /// # Errors
    /// See [`MailFault`]: whether trying again is of use.
    pub async fn send(&self, id: Uuid, to: &str, letter: &Letter) -> Result<(), MailFault> {
        self.post(None).send(id, to, letter).await
    }

    /// Mails under the name that the portal has now, where somebody gave it one.
    pub(crate) fn post(&self, name: Option<String>) -> Post<'_> {
        let (mut from, mut site) = (self.from.clone(), self.site.clone());
        if let Some(name) = name {
            from.name = Some(name.clone());
            site.name = name;
        }
        Post { mailer: self, from, site }
    }
}

/// A mailer that writes under a name.
#[derive(Debug)]
pub(crate) struct Post<'m> {
    mailer: &'m Mailer,
    from: Mailbox,
    site: Site,
}

impl Post<'_> {
    /// Where links lead: the portal's address, without a final slash.
    pub(crate) fn url(&self) -> &str {
        &self.site.portal_url
    }

    /// As [`Mailer::send`].
    pub(crate) async fn send(&self, id: Uuid, to: &str, letter: &Letter) -> Result<(), MailFault> {
        let outcome = match self.message(id, to, letter) {
            Ok(message) => self.mailer.transport.send(message, to, letter).await,
            Err(fault) => Err(fault),
        };
        let counter = if outcome.is_ok() { &self.mailer.sent } else { &self.mailer.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        outcome
    }

    fn message(&self, id: Uuid, to: &str, letter: &Letter) -> Result<Message, MailFault> {
        // Names of people and organizations are in subjects. Encoding would keep them harmless; what breaks lines is
        // refused all the same, because nobody's name does.
        if to.chars().chain(letter.subject.chars()).any(char::is_control) {
            return Err(MailFault::LineBreak);
        }
        let to: Mailbox = to.parse().map_err(|_| MailFault::Recipient)?;
        let host = self.from.email.domain();
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&letter.subject)
            .message_id(Some(format!("<{id}@{host}>")))
            .raw_header(raw("Auto-Submitted", "auto-generated".to_owned()));
        if let Some(path) = letter.settings_path() {
            let link = format!("<{}{path}>", self.site.portal_url);
            builder = builder.raw_header(raw("List-Unsubscribe", link));
        }
        let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(letter.text(&self.site)?);
        let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(letter.html(&self.site)?);
        let body = MultiPart::alternative().singlepart(text).singlepart(html);
        builder.multipart(body).map_err(|error| MailFault::Unwritable(error.to_string()))
    }
}

fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

#[cfg(test)]
mod tests {
    use tollgate_language::Language;

    use super::*;

    fn mailer(transport: Transport) -> Mailer {
        Mailer::new(transport, "Tollgate <no-reply@tollgate.test>", "https://portal.test/")
            .expect("a mailbox")
    }

    #[tokio::test]
    async fn a_letter_is_plain_text_and_html_under_the_id_of_its_job() {
        let kept = Transport::kept();
        let mailer = mailer(kept.clone());
        let id = Uuid::from_u128(7);
        let letter = verify_email(Language::English, "maria@example.com", "https://portal.test/verify/abc");
        mailer.send(id, "maria@example.com", &letter).await.expect("it is kept");
        let mail = kept.last_to("maria@example.com").expect("one mail");
        for part in ["text/plain", "text/html", "multipart/alternative", "Auto-Submitted: auto-generated"] {
            assert!(mail.source.contains(part), "{part} in {}", mail.source);
        }
        assert!(mail.source.contains(&format!("Message-ID: <{id}@tollgate.test>")), "{}", mail.source);
        assert!(mail.text.contains("https://portal.test/verify/abc"));
        assert_eq!(mailer.figures(), MailFigures { sent: 1, failed: 0 });
    }

    /// Bad input 160.
    #[tokio::test]
    async fn case_160_a_name_cannot_add_a_header_to_a_mail() {
        let mailer = mailer(Transport::kept());
        let mut letter =
            verify_email(Language::English, "maria@example.com", "https://portal.test/verify/abc");
        letter.subject = "Join Acme\r\nBcc: everybody@example.com".to_owned();
        let fault = mailer.send(Uuid::nil(), "maria@example.com", &letter).await.expect_err("refused");
        assert!(matches!(fault, MailFault::LineBreak), "{fault}");
        letter.subject = "Join Acme".to_owned();
        let to = "maria@example.com\r\nBcc: everybody@example.com";
        let fault = mailer.send(Uuid::nil(), to, &letter).await.expect_err("refused");
        assert!(matches!(fault, MailFault::LineBreak) && !fault.may_pass(), "{fault}");
        assert_eq!(mailer.figures(), MailFigures { sent: 0, failed: 2 });
    }

    #[test]
    fn a_sender_that_is_no_mailbox_stops_the_start() {
        let fault = Mailer::new(Transport::kept(), "nobody", "https://portal.test").expect_err("refused");
        assert!(fault.to_string().contains("nobody"), "{fault}");
    }
}
