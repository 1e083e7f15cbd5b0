//! The portal's own calls through the gateway: to one address, bounded in size and time, with leave instead of a key.

use std::error::Error as _;
use std::time::{Duration, Instant};

use axum::http::{HeaderName, HeaderValue, Method, header};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many bytes of an answer are read.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Calls the gateway. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Relay {
    client: Option<reqwest::Client>,
    address: String,
}

/// A call to make.
#[derive(Debug)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Path and query below the gateway's address, percent-encoded.
    pub target: String,
    /// The host that the API answers on, where it has one of its own.
    pub host: Option<String>,
    /// Headers that the caller chose; what belongs to the connection or proves somebody is left out.
    pub headers: Vec<(String, String)>,
    /// Media type and bytes of the body.
    pub body: Option<(String, Vec<u8>)>,
}

/// What came back.
#[derive(Debug)]
pub struct Incoming {
    /// The status.
    pub status: u16,
    /// How long it took to the end of the body.
    pub took: Duration,
    /// Headers as they came.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`ANSWER_BYTES_MAX`] of it.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub cut: bool,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// It took longer than a minute.
    TimedOut,
    /// The gateway's name has no address.
    NameUnknown,
    /// Nobody listens at the gateway's address, or the connection broke.
    Unreachable,
    /// The call could not be written down: a header with a line break, say.
    Malformed,
}

/// What a form may not set: it belongs to the connection, or proves who somebody is.
const OURS: [&str; 11] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-api-key",
];

impl Relay {
    /// To the gateway at this address.
    #[must_use]
    pub fn to(address: &str) -> Self {
        // Whoever was first chose the same: there is one provider in this program.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .inspect_err(
                |error| tracing::error!(%error, "calls cannot be tried: there is no client for them"),
            )
            .ok();
        Self { client, address: address.trim_end_matches('/').to_owned() }
    }

    /// Makes a call with a grant.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn call(&self, outgoing: Outgoing, grant: &str) -> Result<Incoming, NoAnswer> {
        let client = self.client.as_ref().ok_or(NoAnswer::Unreachable)?;
        let started = Instant::now();
        let url = format!("{}{}", self.address, outgoing.target);
        let mut request = client.request(outgoing.method, url);
        for (name, value) in &outgoing.headers {
            if OURS.contains(&name.to_ascii_lowercase().as_str()) {
                continue;
            }
            let name = HeaderName::try_from(name.as_str()).map_err(|_| NoAnswer::Malformed)?;
            request = request.header(name, HeaderValue::try_from(value).map_err(|_| NoAnswer::Malformed)?);
        }
        if let Some(host) = outgoing.host {
            request = request.header(header::HOST, host);
        }
        if let Some((media, body)) = outgoing.body {
            request = request.header(header::CONTENT_TYPE, media).body(body);
        }
        let mut response = request.header("X-API-Key", grant).send().await.map_err(|error| why(&error))?;
        let headers = response.headers().iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let (status, headers) = (response.status().as_u16(), headers.collect());
        let mut body = Vec::new();
        let mut cut = false;
        while let Some(chunk) = response.chunk().await.map_err(|error| why(&error))? {
            let room = ANSWER_BYTES_MAX - body.len();
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if chunk.len() > room {
                cut = true;
                break;
            }
        }
        Ok(Incoming { status, took: started.elapsed(), headers, body, cut })
    }
}

fn why(error: &reqwest::Error) -> NoAnswer {
    if error.is_timeout() {
        return NoAnswer::TimedOut;
    }
    if error.is_builder() {
        return NoAnswer::Malformed;
    }
    // The cause is only told in words, some levels down.
    let mut cause = error.source();
    while let Some(one) = cause {
        if one.to_string().contains("dns error") {
            return NoAnswer::NameUnknown;
        }
        cause = one.source();
    }
    NoAnswer::Unreachable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing() -> Outgoing {
        Outgoing { method: Method::GET, target: "/".into(), host: None, headers: vec![], body: None }
    }

    #[tokio::test]
    async fn what_kept_an_answer_away_is_told_apart() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
        let relay = Relay::to(&format!("http://{closed}"));
        assert_eq!(relay.call(outgoing(), "g").await.err(), Some(NoAnswer::Unreachable));
        let nowhere = Relay::to("http://gateway.invalid");
        assert_eq!(nowhere.call(outgoing(), "g").await.err(), Some(NoAnswer::NameUnknown));
        let broken = Outgoing { headers: vec![("X-A".into(), "a\r\nb".into())], ..outgoing() };
        assert_eq!(relay.call(broken, "g").await.err(), Some(NoAnswer::Malformed));
    }
}
