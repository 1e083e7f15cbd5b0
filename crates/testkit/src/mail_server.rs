//! A mail server that keeps what it is sent, or refuses it.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// An SMTP server (RFC 5321, the least of it) on a free port of loopback. It ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct MailServer {
    url: String,
    mails: Arc<Mutex<Vec<String>>>,
    refusal: Arc<AtomicU16>,
}

impl MailServer {
    /// Starts one.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("smtp://{}", listener.local_addr().expect("it is bound"));
        let server = Self { url, mails: Arc::default(), refusal: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move { server.talk(stream).await });
            }
        });
        server
    }

    /// Where it is, as mail settings name it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers every recipient with this status from now on; 250 takes them again.
    pub fn answer(&self, status: u16) {
        self.refusal.store(status, Ordering::Relaxed);
    }

    /// Every mail that was taken, as it came.
    #[must_use]
    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 test\r\n").await?;
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            let answer = match verb.as_str() {
                "RCPT" => match self.refusal.load(Ordering::Relaxed) {
                    0 | 250 => "250 ok".to_owned(),
                    status => format!("{status} not this one"),
                },
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let mail = read_mail(&mut stream).await?;
                    self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
                    "250 taken".to_owned()
                }
                "QUIT" => return stream.write_all(b"221 bye\r\n").await,
                _ => "250 ok".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }
}

async fn read_mail(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(mail);
        }
        mail.push_str(&line);
    }
}
