//! Thousands of connections that say nothing, or say it slowly: whoever behaves does not notice, and memory is bounded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::load::{Load, get};
use crate::rig::{Process, Rig, at_length, until};

/// In the suite that runs everywhere; at length as many as the descriptors of two processes allow that have 20,000 each.
const CONNECTIONS: usize = 1_800;
const CONNECTIONS_AT_LENGTH: usize = 9_000;
const MEMORY_MAX: u64 = 700 << 20;
/// Calls of theirs that are on their way to the upstream at once.
const AT_ONCE: u64 = 400;

/// What is said on a connection before nothing more comes.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Silent,
    HalfHead,
    HalfBody,
    /// A whole call, whose answer is not read.
    Deaf,
}

impl Kind {
    /// Whether the upstream is asked at once, and somebody waits for its answer: a body that does not come is not sent on.
    const fn is_call(self) -> bool {
        matches!(self, Self::Deaf)
    }

    async fn open(self, gateway: SocketAddr, key: &str) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect(gateway).await?;
        let said = match self {
            Self::Silent => String::new(),
            Self::HalfHead => "GET /v1/items HTTP/1.1\r\nHost: gateway.test\r\nX-Half: ".to_owned(),
            Self::HalfBody => {
                format!(
                    "POST /v1/items HTTP/1.1\r\nHost: gateway.test\r\nX-API-Key: {key}\r\nContent-Length: 9\r\n\r\nx"
                )
            }
            Self::Deaf => format!("GET /v1/items HTTP/1.1\r\nHost: gateway.test\r\nX-API-Key: {key}\r\n\r\n"),
        };
        stream.write_all(said.as_bytes()).await?;
        Ok(stream)
    }
}

/// Both this process and the gateway, which inherits it, may open so many.
fn allow_descriptors(connections: usize) -> bool {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let wanted = connections as u64 + 1_000;
    let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return false };
    // The gateway counts two for each connection.
    let enough = hard >= 2 * wanted - 100;
    enough && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_slow_connections_cost_others_no_call_and_bounded_memory() {
    let connections = if at_length() { CONNECTIONS_AT_LENGTH } else { CONNECTIONS };
    if !allow_descriptors(connections) {
        println!("not run: this account may not open 20,000 files");
        return;
    }
    let rig = Rig::new().await;
    let mut command = rig.command();
    command.env("TOLLGATE_CONNECTIONS_PER_ADDRESS", "0");
    let gateway = Process::start(command).await.unwrap();
    let before = gateway.resident_bytes();
    let load = Load::start(gateway.gateway, &rig.world.key, 2, 50);
    // They are slow callers, not a rush of calls: of those an upstream has 1,000 waiting at most, and whoever comes then is
    // told 503.
    let asked = Arc::new(AtomicU64::new(0));
    let mut opening = JoinSet::new();
    for part in 0..9 {
        let (address, key) = (gateway.gateway, rig.world.key.clone());
        let (asked, arrived, tally) = (Arc::clone(&asked), Arc::clone(&rig.arrived), Arc::clone(&load.tally));
        opening.spawn(async move {
            let kinds = [Kind::Silent, Kind::HalfHead, Kind::HalfBody, Kind::Deaf];
            let mut open = Vec::with_capacity(connections / 9);
            for n in 0..connections / 9 {
                let calls = || asked.load(Ordering::SeqCst) + tally.finished();
                while calls().saturating_sub(arrived.load(Ordering::SeqCst)) > AT_ONCE {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                // In a rush of connections the kernel may turn one away.
                let kind = kinds[(n + part) % 4];
                let opened = kind.open(address, &key).await;
                if opened.is_ok() && kind.is_call() {
                    asked.fetch_add(1, Ordering::SeqCst);
                }
                open.extend(opened);
            }
            open
        });
    }
    let held: Vec<TcpStream> = opening.join_all().await.into_iter().flatten().collect();
    assert!(held.len() > connections * 9 / 10, "{} connections", held.len());
    let seen = load.tally.finished();
    until("calls go on beside them", async || load.tally.finished() > seen + 300).await;
    let with_all = gateway.resident_bytes();
    assert!(with_all < MEMORY_MAX, "{with_all} bytes");

    // The gateway ends them by itself: heads and idle connections in time, bodies that stopped coming too.
    let peak = gateway.descriptors();
    until("they are told to go", async || gateway.descriptors() < peak / 2).await;
    let answer = get(gateway.gateway, "/v1/items", Some(&rig.world.key)).await;
    assert!(answer.is_some_and(|answer| answer.status == 200));
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]));
    println!(
        "{} slow connections: {} calls beside them, 0 failed, slowest {:?}, {} kB each",
        held.len(),
        tally.finished(),
        tally.slowest(),
        with_all.saturating_sub(before) / 1024 / connections as u64,
    );
}
