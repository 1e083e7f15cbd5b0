//! The ways a mail leaves by: a mail server, a directory, the log.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use uuid::Uuid;

use super::Letter;

/// How long a mail server may take for one step.
const SMTP_TIMEOUT: Duration = Duration::from_secs(20);

/// Why a mail did not leave. No message holds an address or a link.
#[derive(Debug, thiserror::Error)]
pub enum MailFault {
    /// The setting is no URL of a transport.
    #[error("TOLLGATE_MAIL_URL is not smtp://…, smtps://…, file:///directory or log: ({0})")]
    Setting(String),
    /// The sender is no mailbox.
    #[error("TOLLGATE_MAIL_FROM is not a mailbox like \"Tollgate <no-reply@example.com>\": {0}")]
    Sender(String),
    /// A name or address that would break a line of the head.
    #[error("a line break in an address or a subject")]
    LineBreak,
    /// The recipient's address cannot be written to.
    #[error("the recipient's address cannot be written to")]
    Recipient,
    /// The letter could not be put together.
    #[error("the letter could not be put together: {0}")]
    Unwritable(String),
    /// The server refused it for good (a 5xx answer).
    #[error("the mail server refuses it: {0}")]
    Refused(String),
    /// The server did not take it now.
    #[error("the mail server did not take it: {0}")]
    Away(String),
    /// The directory cannot be written to.
    #[error("{} cannot be written: {source}", path.display())]
    Directory {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl MailFault {
    /// Whether the same mail may be taken later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Directory { .. })
    }
}

/// Where mails go.
#[derive(Clone)]
pub enum Transport {
    /// To a mail server.
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// To one `.eml` file each, for development: open them with a mail program.
    Directory(PathBuf),
    /// To the log, links and all; for development only.
    Log,
    /// Nowhere, but remembered; for tests.
    Kept(Arc<Mutex<Vec<KeptMail>>>),
}

/// A mail that a test can look at.
#[derive(Debug, Clone)]
pub struct KeptMail {
    /// To whom.
    pub to: String,
    /// About what.
    pub subject: String,
    /// Its plain text.
    pub text: String,
    /// As it would have been sent.
    pub source: String,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A mail server's URL has a password in it.
        f.write_str(match self {
            Self::Smtp(_) => "Smtp",
            Self::Directory(_) => "Directory",
            Self::Log => "Log",
            Self::Kept(_) => "Kept",
        })
    }
}

impl Transport {
    /// Reads a setting: `smtps://user:password@host`, `smtp://host:587?tls=required`, `file:///directory`, `log:`.
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// It is none of these; the message leaves out what may be a password.
    pub fn from_url(url: &str) -> Result<Self, MailFault> {
        match url.split_once(':') {
            Some(("log", _)) => Ok(Self::Log),
            Some(("file", path)) => {
                let path = path.trim_start_matches("//");
                let absolute = path.starts_with('/');
                absolute.then(|| Self::Directory(path.into())).ok_or_else(|| setting("no absolute path"))
            }
            Some(("smtp" | "smtps", _)) => AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
                .map(|builder| Self::Smtp(builder.timeout(Some(SMTP_TIMEOUT)).build()))
                .map_err(|_| setting("the mail server's URL cannot be read")),
            _ => Err(setting("no known scheme")),
        }
    }

    /// One that keeps what it gets.
    #[must_use]
    pub fn kept() -> Self {
        Self::Kept(Arc::default())
    }

    /// What was kept for an address last.
    #[must_use]
    pub fn last_to(&self, address: &str) -> Option<KeptMail> {
        self.all().into_iter().rfind(|mail| mail.to == address)
    }

    /// Everything that was kept.
    #[must_use]
    pub fn all(&self) -> Vec<KeptMail> {
        match self {
            Self::Kept(mails) => mails.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            _ => Vec::new(),
        }
    }

    pub(super) async fn send(&self, message: Message, to: &str, letter: &Letter) -> Result<(), MailFault> {
        match self {
            Self::Smtp(smtp) => smtp.send(message).await.map(drop).map_err(|error| smtp_fault(&error)),
            Self::Directory(directory) => write(directory, &message).await,
            Self::Log => {
                let text = letter.plain.join(" ");
                tracing::info!(to, subject = letter.subject, text, link = letter.link(), "a mail, not sent");
                Ok(())
            }
            Self::Kept(mails) => {
                let source = String::from_utf8_lossy(&message.formatted()).into_owned();
                let text = [letter.plain.join("\n"), letter.link().to_owned()].join("\n");
                let mail = KeptMail { to: to.to_owned(), subject: letter.subject.clone(), text, source };
                mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
                Ok(())
            }
        }
    }
}

fn setting(reason: &str) -> MailFault {
    MailFault::Setting(reason.to_owned())
}

fn smtp_fault(error: &SmtpError) -> MailFault {
    // The server's own words may repeat the address: only the status is kept.
    let status = error.status().map_or_else(|| "no answer".to_owned(), |code| code.to_string());
    if error.is_permanent() { MailFault::Refused(status) } else { MailFault::Away(status) }
}

/// Links in mails open accounts, so nobody else on this machine reads them.
async fn write(directory: &Path, message: &Message) -> Result<(), MailFault> {
    let fault = |path: &Path| {
        let path = path.to_path_buf();
        move |source| MailFault::Directory { path, source }
    };
    tokio::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .await
        .map_err(fault(directory))?;
    let path = directory.join(format!("{}.eml", Uuid::now_v7()));
    let mut file = tokio::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .await
        .map_err(fault(&path))?;
    let written = async {
        tokio::io::AsyncWriteExt::write_all(&mut file, &message.formatted()).await?;
        file.sync_all().await
    };
    written.await.map_err(fault(&path))?;
    tracing::info!(path = %path.display(), "a mail was written to a file");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_url_names_its_transport_and_a_wrong_one_is_refused_without_its_password() {
        for (url, name) in [
            ("smtps://user:hunter2@mail.example.com", "Smtp"),
            ("smtp://127.0.0.1:25", "Smtp"),
            ("file:///var/mail/out", "Directory"),
            ("log:", "Log"),
        ] {
            // A pool of connections wants to live in a runtime.
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let _inside = runtime.enter();
            assert_eq!(format!("{:?}", Transport::from_url(url).expect(url)), name);
        }
        for url in ["smtpx://user:hunter2@host", "file:relative", "", "smtp://[hunter2"] {
            let fault = Transport::from_url(url).expect_err(url).to_string();
            assert!(fault.contains("TOLLGATE_MAIL_URL") && !fault.contains("hunter2"), "{fault}");
        }
    }
}
