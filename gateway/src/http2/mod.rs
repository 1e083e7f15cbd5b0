//! Callers' HTTP/2 connections: many requests at once, each served like one of HTTP/1.
//!
//! The library keeps the frames' rules and the windows. What it lets a caller do without end is counted below it
//! ([`frames`]); what it lets a caller take its time over has a deadline here. All calls of a connection run in its
//! task.

mod call;
pub(crate) mod carry;
mod frames;
pub(crate) mod trunk;
mod watched;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use call::Call;
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use watched::{Told, Watched};

use crate::caller::Peer;
use crate::clock::Alarm;
use crate::places::Place;
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::settings::Settings;

const STREAMS_MAX: u32 = 100;
const HEAD_BYTES_MAX: u32 = 64 * 1024;
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Of one answer, no more is held for a caller that does not open its window.
const HELD_BYTES_MAX: usize = 64 * 1024;
/// Streams that may break the rules, each for itself, before the connection ends (CVE-2025-8671).
const FAULTS_MAX: usize = 100;
/// No request of HTTP/1 has this method and version.
const PREFACE_SEEN: &[u8] = b"PRI * HTTP/2.0\r\n";
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long a connection may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(1);

/// What happened on a connection.
enum Event {
    Request(Box<(Request<RecvStream>, SendResponse<Bytes>)>),
    /// A call has ended.
    Ended,
    /// The caller, or the transport, is gone.
    Closed,
    /// To be ended at once, for this reason.
    Refused(Reason, &'static str),
    /// No further request is served.
    Leave,
}

/// Serves requests until the connection ends.
pub(crate) async fn serve<S>(io: S, peer: Peer, place: Place, settings: &Settings, proxy: &Proxy, pool: &Pool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let began = Instant::now();
    let (io, told) = Watched::new(io, began);
    // The library's own preface is awaited here, and with it the caller's.
    let Ok(Ok(connection)) = timeout(settings.head_timeout, builder().handshake(io)).await else { return };
    let mut driver = Driver {
        connection,
        told,
        began,
        place,
        head_timeout: settings.head_timeout,
        idle_timeout: settings.idle_timeout,
        idle_since: Some(began),
        leaving: false,
        alarm: Alarm::new(began + settings.head_timeout),
    };
    let peer = Arc::new(peer);
    let mut calls = FuturesUnordered::new();
    let mut requests = 0;
    loop {
        let event = poll_fn(|cx| {
            // Calls first: what they write leaves with the same turn of the connection.
            if let Poll::Ready(Some(())) = calls.poll_next_unpin(cx) {
                return Poll::Ready(Event::Ended);
            }
            driver.poll(cx, calls.is_empty())
        });
        match event.await {
            Event::Request(request) => {
                let (request, respond) = *request;
                requests += 1;
                if requests >= settings.requests_per_connection {
                    driver.leave();
                }
                driver.serves();
                let mut call = Call::new(request, respond, Arc::clone(&peer));
                calls.push(async move {
                    match call.check() {
                        Ok(()) => drop(proxy.serve(pool, &mut call).await),
                        Err(bad) => proxy.refuse_unreadable(&mut call, &bad).await,
                    }
                });
            }
            Event::Ended if calls.is_empty() => driver.waits(),
            Event::Ended => {}
            Event::Leave => driver.leave(),
            Event::Refused(reason, what) => {
                proxy.connection_cut(what);
                driver.connection.abrupt_shutdown(reason);
                break;
            }
            Event::Closed => break,
        }
    }
    // Whoever is cut off is told why, and every call is brought to its end: it is counted, however it ended.
    let goodbye = poll_fn(|cx| driver.connection.poll_closed(cx));
    let _ = timeout(FAREWELL, goodbye).await;
    drop(driver);
    while calls.next().await.is_some() {}
}

/// Whether the caller begins with the preface (RFC 9113 §3.3), as far as that must be seen to tell.
pub(crate) async fn begins_with_preface(stream: &TcpStream) -> bool {
    let mut seen = [0; PREFACE_SEEN.len()];
    loop {
        match stream.peek(&mut seen).await {
            Ok(0) | Err(_) => return false,
            Ok(bytes) if !PREFACE_SEEN.starts_with(&seen[..bytes]) => return false,
            Ok(bytes) if bytes == PREFACE_SEEN.len() => return true,
            // The socket stays readable; whoever drips these bytes is looked at again, and not for long.
            Ok(_) => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(HELD_BYTES_MAX)
        .max_local_error_reset_streams(Some(FAULTS_MAX));
    builder
}

/// A connection with its clocks.
struct Driver<S> {
    connection: Connection<Watched<S>, Bytes>,
    told: Arc<Told>,
    began: Instant,
    place: Place,
    head_timeout: Duration,
    idle_timeout: Duration,
    idle_since: Option<Instant>,
    /// Whether the caller was told that no further request is served.
    leaving: bool,
    alarm: Alarm,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    fn serves(&mut self) {
        self.idle_since = None;
        self.place.serves();
    }

    fn waits(&mut self) {
        self.idle_since = Some(Instant::now());
        self.place.waits();
    }

    /// Requests that were sent are served; the caller is told that others are not.
    fn leave(&mut self) {
        if !std::mem::replace(&mut self.leaving, true) {
            self.connection.graceful_shutdown();
            self.idle_since = self.idle_since.map(|_| Instant::now());
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, is_idle: bool) -> Poll<Event> {
        let accepted = self.connection.poll_accept(cx);
        if let Some(flood) = self.told.flood() {
            return Poll::Ready(Event::Refused(Reason::ENHANCE_YOUR_CALM, flood.as_str()));
        }
        match accepted {
            Poll::Ready(Some(Ok((request, respond)))) => {
                return Poll::Ready(Event::Request(Box::new((request, respond))));
            }
            Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(Event::Closed),
            Poll::Pending => {}
        }
        if self.place.poll_leave(cx, true).is_ready() && !self.leaving {
            return Poll::Ready(Event::Leave);
        }
        self.poll_deadlines(cx, is_idle)
    }

    fn poll_deadlines(&mut self, cx: &mut Context<'_>, is_idle: bool) -> Poll<Event> {
        let head = self.told.head_since().map(|since| self.began + since + self.head_timeout);
        // Whoever was told to go and does not is cut off.
        let idle_timeout = if self.leaving { FAREWELL } else { self.idle_timeout };
        let idle = self.idle_since.filter(|_| is_idle).map(|since| since + idle_timeout);
        let Some(due) = head.into_iter().chain(idle).min() else { return Poll::Pending };
        if self.alarm.poll_until(cx, due).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(match head {
            Some(head) if head <= due => Event::Refused(Reason::ENHANCE_YOUR_CALM, "slow_head"),
            _ if self.leaving => Event::Closed,
            _ => Event::Leave,
        })
    }
}
