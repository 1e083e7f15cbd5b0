//! The door, attacked with raw bytes: every case of the list of bad inputs that HTTP/1.1 on a plain port can have, with
//! its number there. An upstream stamps and keeps every byte it sees, and after each case it must hold that requests
//! seen upstream are requests answered from there, and that nothing went on that two readers could read differently.
//!
//! HTTP/2 and gRPC (cases 85–100 and 108–112) are in `tests/http2`, TLS in `tests/tls`. Handshakes of WebSockets are in
//! `requests`, a 101 that nobody asked for in `answers`, their tunnels (102, 104–106) in `tests/proxy/websocket.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

#[path = "../proxy/fake_source.rs"]
mod fake_source;
#[path = "../proxy/http.rs"]
mod http;
#[path = "../proxy/stage.rs"]
mod stage;

mod case;
mod raw;

mod answers;
mod chunks;
mod deadlines;
mod framing;
mod heads;
mod page;
mod paths;
mod requests;
mod sizes;
