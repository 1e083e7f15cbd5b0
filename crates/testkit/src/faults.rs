//! A proxy that spoils connections: what stands between a gateway and its database or upstream in tests of faults.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

const CHUNK_BYTES: usize = 16 * 1024;

/// Where connections go.
#[derive(Debug, Clone)]
pub enum Behind {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// What happens to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing: they pass.
    #[default]
    None,
    /// New connections are refused, those that are open are reset.
    Refuse,
    /// Nothing passes either way, and nobody is told: a frozen server, a cut cable.
    Freeze,
    /// Answers come so much later.
    Latency(Duration),
    /// Answers come with so many bytes a second.
    Bandwidth(u64),
    /// Answers are cut off, with a reset, after so many bytes.
    ResetAfter(u64),
    /// Answers end in good order after so many bytes, while requests are still read.
    HalfCloseAfter(u64),
    /// Answers are bytes that mean nothing.
    Garbage,
}

/// What is done with bytes on their way to the server, where somebody wants to look at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They pass.
    Forward,
    /// They never arrive, and the connection ends.
    Drop,
}

type Look = Arc<dyn Fn(&[u8]) -> Verdict + Send + Sync>;

/// A running proxy; stops with the runtime it was made on.
#[derive(Clone)]
pub struct FaultProxy {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    behind: Mutex<Behind>,
    fault: watch::Sender<Fault>,
    look: Mutex<Option<Look>>,
    looking: AtomicBool,
    connections: AtomicU64,
}

impl FaultProxy {
    /// Starts one on a free port of the loopback address.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(behind: Behind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback address has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let state = Arc::new(State {
            behind: Mutex::new(behind),
            fault: watch::Sender::new(Fault::None),
            look: Mutex::new(None),
            looking: AtomicBool::new(false),
            connections: AtomicU64::new(0),
        });
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, Arc::clone(&accepting)));
            }
        });
        Self { address, state }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on; for connections that are open, too.
    pub fn set(&self, fault: Fault) {
        self.state.fault.send_replace(fault);
    }

    /// Connections that come from now on go elsewhere, as after a failover.
    pub fn lead_to(&self, behind: Behind) {
        *self.state.behind.lock().unwrap_or_else(PoisonError::into_inner) = behind;
    }

    /// Shows all bytes on their way to the server to `look`, which may do anything before they go on.
    pub fn watch(&self, look: impl Fn(&[u8]) -> Verdict + Send + Sync + 'static) {
        *self.state.look.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(look));
        self.state.looking.store(true, Ordering::Release);
    }

    /// Connections that came so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::Relaxed)
    }
}

async fn serve(client: TcpStream, state: Arc<State>) {
    let mut fault = state.fault.subscribe();
    if *fault.borrow() == Fault::Refuse {
        reset(&client);
        return;
    }
    let behind = state.behind.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let served = async {
        match &behind {
            Behind::Tcp(address) => {
                let server = TcpStream::connect(address).await.ok()?;
                let (from_server, to_server) = server.into_split();
                carry(client, from_server, to_server, &state).await
            }
            Behind::Unix(path) => {
                let server = UnixStream::connect(path).await.ok()?;
                let (from_server, to_server) = server.into_split();
                carry(client, from_server, to_server, &state).await
            }
        }
    };
    tokio::select! {
        _ = served => {}
        _ = fault.wait_for(|fault| *fault == Fault::Refuse) => {}
    }
}

/// Until either side ends, or the answers are to be cut off.
async fn carry(
    mut client: TcpStream,
    from_server: impl AsyncRead + Unpin,
    to_server: impl AsyncWrite + Unpin,
    state: &Arc<State>,
) -> Option<()> {
    let (from_client, to_client) = client.split();
    let cut = tokio::select! {
        _ = requests(from_client, to_server, state) => None,
        cut = answers(from_server, to_client, state) => cut,
    };
    if cut.is_some() {
        reset(&client);
    }
    Some(())
}

async fn requests(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: &Arc<State>,
) -> Option<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let bytes = from.read(&mut buffer).await.ok().filter(|bytes| *bytes > 0)?;
        thawed(state).await;
        if state.looking.load(Ordering::Acquire) {
            let look = state.look.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if look.is_some_and(|look| look(&buffer[..bytes]) == Verdict::Drop) {
                return None;
            }
        }
        to.write_all(&buffer[..bytes]).await.ok()?;
    }
}

/// Something where they are to be cut off.
async fn answers(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: &Arc<State>,
) -> Option<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut passed = 0u64;
    loop {
        let bytes = from.read(&mut buffer).await.ok().filter(|bytes| *bytes > 0)?;
        thawed(state).await;
        let fault = *state.fault.borrow();
        let mut allowed = bytes;
        let mut over = None;
        match fault {
            Fault::Latency(time) => tokio::time::sleep(time).await,
            Fault::Bandwidth(rate) => {
                tokio::time::sleep(Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64)).await;
            }
            Fault::Garbage => {
                buffer[..bytes].iter_mut().for_each(|byte| *byte = byte.wrapping_mul(167) | 0x80)
            }
            Fault::ResetAfter(limit) | Fault::HalfCloseAfter(limit) => {
                let left = usize::try_from(limit.saturating_sub(passed)).unwrap_or(usize::MAX);
                allowed = bytes.min(left);
                over = (allowed < bytes).then_some(fault);
            }
            Fault::None | Fault::Refuse | Fault::Freeze => {}
        }
        to.write_all(&buffer[..allowed]).await.ok()?;
        passed += allowed as u64;
        match over {
            Some(Fault::HalfCloseAfter(_)) => {
                to.shutdown().await.ok()?;
                // Requests are still read, until the caller has enough of it.
                std::future::pending::<()>().await;
            }
            Some(_) => return Some(()),
            None => {}
        }
    }
}

async fn thawed(state: &Arc<State>) {
    let mut fault = state.fault.subscribe();
    let _ = fault.wait_for(|fault| *fault != Fault::Freeze).await;
}

/// Closing with a linger of nothing sends a reset.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}
