//! Callers: as many as wanted, each on a connection that is kept, who note what became of every call.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A call that takes longer is a failed one.
const CALL_MAX: Duration = Duration::from_secs(20);

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// One call on a connection of its own; none where no whole answer came.
pub async fn get(address: SocketAddr, path: &str, key: Option<&str>) -> Option<Answer> {
    let mut connection = Caller::connect(address).await?;
    connection.call(path, key).await
}

/// One kept connection.
pub struct Caller {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Caller {
    pub async fn connect(address: SocketAddr) -> Option<Self> {
        let stream = timeout(CALL_MAX, TcpStream::connect(address)).await.ok()?.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Self { stream, buffer: Vec::new() })
    }

    /// None where no whole answer came.
    pub async fn call(&mut self, path: &str, key: Option<&str>) -> Option<Answer> {
        timeout(CALL_MAX, self.exchange(path, key)).await.ok()?
    }

    async fn exchange(&mut self, path: &str, key: Option<&str>) -> Option<Answer> {
        let key = key.map(|key| format!("X-API-Key: {key}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nHost: gateway.test\r\n{key}\r\n");
        self.stream.write_all(request.as_bytes()).await.ok()?;
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
        let length: usize = length?;
        while self.buffer.len() < head_end + length {
            self.more().await?;
        }
        let body = String::from_utf8_lossy(&self.buffer[head_end..head_end + length]).into_owned();
        self.buffer.drain(..head_end + length);
        Some(Answer { status, head, body })
    }

    async fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 4096];
        let read = self.stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        self.buffer.extend_from_slice(&chunk[..read]);
        Some(())
    }
}

/// What became of all calls.
#[derive(Default)]
pub struct Tally {
    /// Answered 200, to the last byte.
    pub finished: AtomicU64,
    /// Not answered to the last byte, or not at all.
    pub broken: AtomicU64,
    other: Mutex<Vec<u16>>,
    slowest_us: AtomicU64,
}

impl Tally {
    pub fn finished(&self) -> u64 {
        self.finished.load(Ordering::SeqCst)
    }

    pub fn broken(&self) -> u64 {
        self.broken.load(Ordering::SeqCst)
    }

    /// Statuses other than 200.
    pub fn other(&self) -> Vec<u16> {
        self.other.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn slowest(&self) -> Duration {
        Duration::from_micros(self.slowest_us.load(Ordering::SeqCst))
    }
}

/// Callers at work, until they are stopped.
pub struct Load {
    pub tally: Arc<Tally>,
    stop: Arc<AtomicBool>,
    callers: JoinSet<()>,
}

impl Load {
    /// `callers` of them; each opens a connection anew after `calls_per_connection`, or where the answer says so.
    pub fn start(address: SocketAddr, key: &str, callers: usize, calls_per_connection: usize) -> Self {
        Self::start_on(address, "/v1/items", key, callers, calls_per_connection)
    }

    pub fn start_on(
        address: SocketAddr,
        path: &'static str,
        key: &str,
        callers: usize,
        calls_per_connection: usize,
    ) -> Self {
        let (tally, stop) = (Arc::<Tally>::default(), Arc::new(AtomicBool::new(false)));
        let mut set = JoinSet::new();
        for _ in 0..callers {
            let (tally, stop, key) = (Arc::clone(&tally), Arc::clone(&stop), key.to_owned());
            set.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    one_connection((address, path), &key, calls_per_connection, &tally, &stop).await;
                }
            });
        }
        Self { tally, stop, callers: set }
    }

    /// Lets every caller end its call.
    pub async fn stop(mut self) -> Arc<Tally> {
        self.stop.store(true, Ordering::Relaxed);
        while self.callers.join_next().await.is_some() {}
        self.tally
    }
}

async fn one_connection(
    (address, path): (SocketAddr, &str),
    key: &str,
    calls: usize,
    tally: &Tally,
    stop: &AtomicBool,
) {
    let Some(mut caller) = Caller::connect(address).await else {
        tally.broken.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        return;
    };
    for _ in 0..calls {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let began = Instant::now();
        let Some(answer) = caller.call(path, Some(key)).await else {
            tally.broken.fetch_add(1, Ordering::SeqCst);
            return;
        };
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        tally.slowest_us.fetch_max(took, Ordering::SeqCst);
        if answer.status == 200 {
            tally.finished.fetch_add(1, Ordering::SeqCst);
        } else {
            tally.other.lock().unwrap_or_else(PoisonError::into_inner).push(answer.status);
        }
        if answer.head.contains("connection: close") {
            return;
        }
    }
}
