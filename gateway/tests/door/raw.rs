//! An upstream that keeps the very bytes it is sent, stamps each request with a number, and answers what it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request as it came.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub head: Vec<u8>,
    /// Chunk lines included.
    pub body: Vec<u8>,
    /// Whether it came to its end.
    pub complete: bool,
}

impl Seen {
    pub fn line(&self) -> String {
        String::from_utf8_lossy(self.head.split(|byte| *byte == b'\r').next().unwrap_or_default())
            .into_owned()
    }

    pub fn fields(&self, name: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.head).into_owned();
        let lines = text.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim().to_owned()).collect()
    }

    /// What no request that a gateway forwards may be.
    pub fn check(&self) {
        let shown = self.head.escape_ascii();
        assert!(self.fields("transfer-encoding").len() + self.fields("content-length").len() < 2, "{shown}");
        for coding in self.fields("transfer-encoding") {
            assert_eq!(coding, "chunked", "{shown}");
        }
        assert_eq!(self.fields("host").len(), 1, "{shown}");
        let text = self.head.strip_suffix(b"\r\n\r\n").expect("a whole head");
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte) || *byte == b'\t'), "{shown}");
        }
        assert_eq!(
            text.iter().filter(|b| **b == b'\n').count(),
            text.iter().filter(|b| **b == b'\r').count()
        );
        for gone in
            ["connection", "keep-alive", "upgrade", "te", "expect", "proxy-authorization", "x-api-key"]
        {
            assert_eq!(self.fields(gone), Vec::<String>::new(), "{gone}: {shown}");
        }
    }
}

/// What is answered, once the request is there.
#[derive(Debug, Clone)]
pub enum Reply {
    /// 200 with the request's number as the body.
    Stamp,
    /// These bytes; the connection stays open.
    Say(Vec<u8>),
    /// These bytes, then the end.
    SayAndClose(Vec<u8>),
    /// These bytes at once behind the head, the body unread.
    Early(Vec<u8>),
    /// One of the bytes at a time, each so many milliseconds after the other.
    Trickle(Vec<u8>, u64),
    /// The first bytes at once, then like [`Reply::Trickle`].
    Drip(Vec<u8>, Vec<u8>, u64),
}

#[derive(Clone)]
pub struct RawUpstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    reply: Arc<Mutex<Reply>>,
}

impl RawUpstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let upstream = Self { address, seen: Arc::default(), reply: Arc::new(Mutex::new(Reply::Stamp)) };
        let serving = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        upstream
    }

    pub fn reply(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn complete(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| seen.complete).count()
    }

    async fn serve(self, mut stream: TcpStream) {
        while let Some((number, reply)) = self.receive(&mut stream).await {
            let (bytes, close) = match reply {
                Reply::Stamp => {
                    let stamp = format!("stamp {number}");
                    (
                        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{stamp}", stamp.len()).into(),
                        false,
                    )
                }
                Reply::Say(bytes) => (bytes, false),
                Reply::SayAndClose(bytes) => (bytes, true),
                Reply::Early(bytes) => {
                    let _ = stream.write_all(&bytes).await;
                    // The rest of the request is read until the gateway gives up.
                    let mut rest = Vec::new();
                    let _ = stream.read_to_end(&mut rest).await;
                    return;
                }
                Reply::Trickle(..) | Reply::Drip(..) => {
                    let (first, bytes, milliseconds) = match reply {
                        Reply::Drip(first, bytes, milliseconds) => (first, bytes, milliseconds),
                        Reply::Trickle(bytes, milliseconds) => (Vec::new(), bytes, milliseconds),
                        _ => return,
                    };
                    if stream.write_all(&first).await.is_err() {
                        return;
                    }
                    for byte in bytes {
                        if stream.write_all(&[byte]).await.is_err() {
                            return;
                        }
                        tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
                    }
                    return;
                }
            };
            if stream.write_all(&bytes).await.is_err() || close {
                return;
            }
        }
    }

    /// Keeps what comes up to the end of one request; none where the connection ends before.
    async fn receive(&self, stream: &mut TcpStream) -> Option<(usize, Reply)> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let request = Seen { head, ..Seen::default() };
        let length: usize =
            request.fields("content-length").first().map_or(0, |length| length.parse().unwrap());
        let chunked = !request.fields("transfer-encoding").is_empty();
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(request);
            seen.len() - 1
        };
        let reply = self.reply.lock().unwrap().clone();
        if matches!(reply, Reply::Early(_)) {
            return Some((number, reply));
        }
        loop {
            {
                let seen = &mut self.seen.lock().unwrap()[number];
                seen.complete =
                    if chunked { seen.body.ends_with(b"0\r\n\r\n") } else { seen.body.len() == length };
                if seen.complete {
                    return Some((number, reply));
                }
            }
            let byte = stream.read_u8().await.ok()?;
            self.seen.lock().unwrap()[number].body.push(byte);
        }
    }
}
