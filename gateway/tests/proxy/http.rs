//! HTTP/1.1 by hand, so that tests see the very bytes: a client and an upstream.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A message's first line, fields and body.
#[derive(Debug, Clone, Default)]
pub struct Message {
    pub start: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect()
    }

    /// The only field of that name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} is there {} times", all.len());
        all.first().copied()
    }

    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Everything as one text, to look for what must not be there.
    pub fn dump(&self) -> String {
        format!("{self:?}{}", String::from_utf8_lossy(&self.body))
    }
}

/// Reads one message; none at the end of the stream. `bodyless` for answers to HEAD.
pub async fn read_message(stream: &mut (impl AsyncRead + Unpin), bodyless: bool) -> Option<Message> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return None,
        }
    }
    let text = String::from_utf8(head).expect("an ASCII head");
    let mut lines = text.trim_end().split("\r\n");
    let start = lines.next().unwrap_or_default().to_owned();
    let fields: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').expect("name: value"))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut message = Message { start, fields, body: Vec::new() };
    if bodyless || message.start.contains(" 204 ") || message.start.contains(" 304 ") {
        return Some(message);
    }
    if message.field("transfer-encoding").is_some() {
        loop {
            let size = usize::from_str_radix(&read_line(stream).await?, 16).expect("a chunk size");
            let mut chunk = vec![0; size];
            stream.read_exact(&mut chunk).await.ok()?;
            message.body.extend(chunk);
            read_line(stream).await?;
            if size == 0 {
                return Some(message);
            }
        }
    }
    if let Some(length) = message.field("content-length") {
        message.body = vec![0; length.parse().expect("a length")];
        stream.read_exact(&mut message.body).await.ok()?;
    } else if message.start.starts_with("HTTP/") {
        stream.read_to_end(&mut message.body).await.ok()?;
    }
    Some(message)
}

async fn read_line(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.ok()?);
    }
    line.truncate(line.len() - 2);
    String::from_utf8(line).ok()
}

/// A caller's connection.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: BufReader::new(TcpStream::connect(address).await.expect("the gateway accepts")) }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("the gateway reads");
    }

    /// Whether the bytes could be sent.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    pub async fn answer(&mut self) -> Message {
        self.try_answer().await.expect("an answer")
    }

    pub async fn try_answer(&mut self) -> Option<Message> {
        let read = read_message(&mut self.stream, false);
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("an answer in time")
    }

    /// Reads exactly the bytes that are expected next.
    pub async fn expect(&mut self, text: &str) {
        let mut bytes = vec![0; text.len()];
        let reading = self.stream.read_exact(&mut bytes);
        let read = tokio::time::timeout(Duration::from_secs(30), reading).await;
        read.unwrap_or_else(|_| panic!("{text:?} does not come")).expect("an open connection");
        assert_eq!(String::from_utf8_lossy(&bytes), text);
    }

    /// Reads a head and leaves the body.
    pub async fn head(&mut self) -> Message {
        read_message(&mut self.stream, true).await.expect("a head")
    }

    pub async fn answer_to_head(&mut self) -> Message {
        read_message(&mut self.stream, true).await.expect("an answer")
    }

    /// Sends a request with a `Host` and the given further lines.
    pub async fn call(&mut self, line: &str, fields: &[(&str, &str)]) -> Message {
        self.send(request(line, fields, "")).await;
        self.answer().await
    }
}

/// The bytes of an HTTP/1.1 request.
pub fn request(line: &str, fields: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{line} HTTP/1.1\r\nHost: api.example\r\n");
    for (name, value) in fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text + "\r\n" + body
}

/// What an upstream does with a request.
pub type Behaviour = Arc<dyn Fn(&Message) -> Reaction + Send + Sync>;

pub enum Reaction {
    /// Sends these bytes and goes on.
    Say(String),
    /// Sends these bytes after a signal.
    Later(String, Arc<tokio::sync::Notify>),
    /// Sends the first bytes at once, the second after a signal.
    InTwo(String, String, Arc<tokio::sync::Notify>),
    /// Sends these bytes and closes.
    SayAndClose(String),
    /// Never answers.
    Silence,
}

/// An answer with a body and the given further fields.
pub fn ok(fields: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len())
}

/// A recording upstream.
#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Message>>>,
    behaviour: Arc<Mutex<Behaviour>>,
    connections: Arc<AtomicUsize>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let behaviour: Behaviour = Arc::new(|_| Reaction::Say(ok("", "hello")));
        let upstream = Self {
            address: listener.local_addr().expect("an address"),
            seen: Arc::default(),
            behaviour: Arc::new(Mutex::new(behaviour)),
            connections: Arc::default(),
        };
        let serving = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        upstream
    }

    pub fn behave(&self, behaviour: impl Fn(&Message) -> Reaction + Send + Sync + 'static) {
        *self.behaviour.lock().unwrap() = Arc::new(behaviour);
    }

    pub fn seen(&self) -> Vec<Message> {
        self.seen.lock().unwrap().clone()
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub fn last(&self) -> Message {
        self.seen().pop().expect("the upstream was called")
    }

    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some(request) = read_message(&mut stream, false).await {
            let behaviour = Arc::clone(&self.behaviour.lock().unwrap());
            self.seen.lock().unwrap().push(request.clone());
            let (bytes, close) = match behaviour(&request) {
                Reaction::Say(bytes) => (bytes, false),
                Reaction::SayAndClose(bytes) => (bytes, true),
                Reaction::Later(bytes, signal) => {
                    signal.notified().await;
                    (bytes, false)
                }
                Reaction::InTwo(first, second, signal) => {
                    if stream.write_all(first.as_bytes()).await.is_err() {
                        return;
                    }
                    signal.notified().await;
                    (second, false)
                }
                Reaction::Silence => std::future::pending().await,
            };
            if stream.write_all(bytes.as_bytes()).await.is_err() || close {
                return;
            }
        }
    }
}
