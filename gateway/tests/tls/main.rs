//! TLS as callers meet it: which certificate they get, how it changes under them, what they have to show themselves.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

#[path = "../proxy/fake_source.rs"]
mod fake_source;
#[path = "../proxy/http.rs"]
mod http;
#[path = "../proxy/stage.rs"]
mod stage;

mod dial;

mod certificates;
mod challenges;
mod clients;
mod handshakes;
