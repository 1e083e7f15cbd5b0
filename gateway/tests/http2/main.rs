//! HTTP/2 as callers speak it, and as attackers do: cases 85 to 100 of the list of bad inputs with raw frames, each with
//! its number, and a friend's calls beside them.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

#[path = "../proxy/fake_source.rs"]
mod fake_source;
#[path = "../proxy/http.rs"]
mod http;
#[path = "../proxy/stage.rs"]
mod stage;

mod friend;
mod raw;
mod upstream;

mod bodies;
mod calls;
mod deadlines;
mod floods;
mod heads;
mod onward;
mod pages;
