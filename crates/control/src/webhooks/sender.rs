//! Sends one delivery: to a checked address, without following it anywhere, and reads little of the answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Response, StatusCode, header};

use super::address::{PRIVATE, Reachable};

/// As the standard recommends: 15 to 30 s.
const PATIENCE: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(5);
/// Of an answer this much is read and kept.
const ANSWER_BYTES_MAX: usize = 4_096;
const ANSWER_CHARS_MAX: usize = 1_000;

/// What is sent.
pub(super) struct Outgoing {
    pub(super) id: String,
    pub(super) at: DateTime<Utc>,
    /// All of them between spaces.
    pub(super) signatures: String,
    pub(super) body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    /// Why it did not arrive, in one line without addresses.
    pub(super) error: Option<String>,
    /// How the answer began.
    pub(super) text: String,
    /// How long the receiver asks to be left alone.
    pub(super) retry_after: Option<Duration>,
}

/// Both ways out: https to anywhere public, http into named networks alone.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    reachable: Arc<Reachable>,
    encrypted: Option<Client>,
    plain: Option<Client>,
}

/// Names whose addresses were all looked at before one is used.
#[derive(Debug, Clone)]
struct Guarded {
    reachable: Arc<Reachable>,
    is_plain: bool,
}

/// A name leads to where nothing is sent.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to {PRIVATE}")]
struct Unreachable;

impl Reachable {
    fn takes(&self, address: IpAddr, is_plain: bool) -> bool {
        if is_plain { self.names(address) } else { self.has(address) }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|one| this.reachable.takes(one.ip(), this.is_plain)).collect();
            if allowed.is_empty() {
                return Err(Unreachable.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// A client that connects to addresses which were looked at, and is never led elsewhere; `purpose` is how it calls itself.
pub(crate) fn guarded_client(
    reachable: &Arc<Reachable>,
    is_plain: bool,
    purpose: &str,
    patience: Duration,
) -> reqwest::Result<Client> {
    // Whoever was first chose the same: there is one provider in this program.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(format!("Tollgate/{} ({purpose})", env!("CARGO_PKG_VERSION")))
        .timeout(patience)
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_idle_timeout(Duration::from_secs(30))
        .dns_resolver(Arc::new(Guarded { reachable: Arc::clone(reachable), is_plain }))
        .build()
}

impl Sender {
    /// Into the public internet, and these networks.
    pub(crate) fn new(reachable: Arc<Reachable>) -> Self {
        let client = |is_plain| {
            guarded_client(&reachable, is_plain, "webhooks", PATIENCE)
                .inspect_err(|error| tracing::error!(%error, "webhooks cannot be sent: there is no client"))
                .ok()
        };
        let (encrypted, plain) = (client(false), client(true));
        Self { reachable, encrypted, plain }
    }

    pub(super) fn reachable(&self) -> &Reachable {
        &self.reachable
    }

    /// Sends it once.
    pub(super) async fn send(&self, url: &str, outgoing: Outgoing) -> Answer {
        // What was right when the webhook was made may not be any more: networks are settings.
        let url = match self.reachable.check(url) {
            Ok(url) => url,
            Err(expected) => return Answer::none(format!("not sent: the URL must be {expected}")),
        };
        let client = if url.scheme() == "https" { &self.encrypted } else { &self.plain };
        let Some(client) = client else { return Answer::none("not sent: there is no client".to_owned()) };
        let request = client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", outgoing.id)
            .header("webhook-timestamp", outgoing.at.timestamp().to_string())
            .header("webhook-signature", outgoing.signatures)
            .body(outgoing.body);
        match request.send().await {
            Ok(response) => Answer::of(response).await,
            Err(error) => Answer::none(why(&error)),
        }
    }
}

impl Answer {
    fn none(error: String) -> Self {
        Self { status: None, error: Some(error), text: String::new(), retry_after: None }
    }

    async fn of(mut response: Response) -> Self {
        let status = response.status();
        let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| {
            value.to_str().ok()?.parse().ok().map(|seconds: u32| Duration::from_secs(seconds.into()))
        });
        let mut bytes = Vec::new();
        while bytes.len() < ANSWER_BYTES_MAX
            && let Ok(Some(chunk)) = response.chunk().await
        {
            bytes.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES_MAX - bytes.len())]);
        }
        let kept = |letter: &char| *letter == '\n' || *letter == '\t' || !letter.is_control();
        let text = String::from_utf8_lossy(&bytes).chars().filter(kept).take(ANSWER_CHARS_MAX).collect();
        let error = match status {
            _ if status.is_success() => None,
            _ if status.is_redirection() => Some(format!("answered {status}; redirects are not followed")),
            StatusCode::GONE => Some("answered 410: it is gone, and told nothing more".to_owned()),
            _ => Some(format!("answered {status}")),
        };
        Self { status: Some(status.as_u16()), error, text, retry_after }
    }

    pub(super) const fn is_delivered(&self) -> bool {
        self.error.is_none()
    }
}

fn why(error: &reqwest::Error) -> String {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if one.is::<Unreachable>() {
            return format!("not sent: {one}");
        }
        cause = one.source();
    }
    let text = match error {
        _ if error.is_timeout() && error.is_connect() => "no connection within 5 s",
        _ if error.is_timeout() => "no answer within 20 s",
        _ if error.is_connect() => {
            "no connection: the name, the port or the certificate is wrong, or nothing listens"
        }
        _ => "the connection broke before the answer",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Bad input 171: somebody who sends a byte now and then holds nobody up for long.
    #[tokio::test]
    async fn patience_is_for_the_whole_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("somebody connects");
            // An answer to nothing would be an error of its own.
            stream.read_exact(&mut [0]).await.expect("it asks");
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
            let mut sent = stream.write_all(head).await;
            while sent.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
                sent = stream.write_all(b"x").await;
            }
        });
        let reachable = Arc::new("127.0.0.1".parse().expect("a network"));
        let client = guarded_client(&reachable, true, "test", Duration::from_millis(400)).expect("a client");
        let answer = client.get(url).send().await.expect("the head comes at once");
        let error = answer.bytes().await.expect_err("the rest never comes");
        assert!(error.is_timeout(), "{error:?}");
    }

    /// What a receiver at this address answers, as it is kept; it goes on with `rest` for as long as anybody reads.
    async fn answered(head: &'static str, body: &'static [u8], rest: &'static [u8]) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("somebody connects");
            stream.read_exact(&mut [0]).await.expect("it tells");
            let mut sent = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes()).await;
            sent = sent.and(stream.write_all(body).await);
            while sent.is_ok() && !rest.is_empty() {
                sent = stream.write_all(rest).await;
            }
        });
        let sender = Sender::new(Arc::new("127.0.0.1".parse().expect("a network")));
        let outgoing = Outgoing {
            id: "evt_1".to_owned(),
            at: DateTime::default(),
            signatures: "v1,none".to_owned(),
            body: b"{}".to_vec(),
        };
        sender.send(&url, outgoing).await
    }

    /// Bad input 170: a receiver's answer is read as far as it is shown, however long it is.
    #[tokio::test]
    async fn case_170_an_answer_that_never_ends_is_cut_and_counts_as_an_answer() {
        let answer = answered("", b"thank you", &[b'x'; 16 * 1024]).await;
        assert!(answer.is_delivered(), "{answer:?}");
        assert!(answer.text.starts_with("thank youxxx"));
        assert_eq!(answer.text.len(), ANSWER_CHARS_MAX);
    }

    /// Bad input 170: nobody asked for packing, so nothing is unpacked, and a bomb stays as small as it came.
    #[tokio::test]
    async fn case_170_a_packed_answer_is_kept_as_it_came() {
        let head = "content-encoding: gzip\r\ncontent-length: 15\r\n";
        let answer = answered(head, b"no gzip, but so", b"").await;
        assert_eq!((answer.is_delivered(), answer.text.as_str()), (true, "no gzip, but so"), "{answer:?}");
    }
}
