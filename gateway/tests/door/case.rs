//! A case: bytes to a gateway, what must come back, and what its upstream may see.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate_domain::Target;
use tollgate_gateway::Settings;

use crate::http::{Message, read_message};
use crate::raw::{RawUpstream, Reply};
use crate::stage::{Plot, Stage};

/// A gateway before a raw upstream.
pub struct Door {
    pub stage: Stage,
    pub upstream: RawUpstream,
}

/// One row of a table. `{key}` stands for a field line with a good key.
pub struct Case<'c> {
    /// Its number in the list of bad inputs.
    pub number: u16,
    pub sent: Vec<u8>,
    /// The statuses of all answers, in order; none where the connection just closes.
    pub answers: &'c [u16],
    /// How many requests the upstream sees to their end.
    pub seen: usize,
}

pub fn case<'c>(number: u16, sent: impl AsRef<[u8]>, answers: &'c [u16], seen: usize) -> Case<'c> {
    Case { number, sent: sent.as_ref().to_vec(), answers, seen }
}

/// A request that is refused with this status; the upstream hears nothing of it.
pub fn refused<'c>(number: u16, sent: impl AsRef<[u8]>, answers: &'c [u16]) -> Case<'c> {
    case(number, sent, answers, 0)
}

/// `POST /v1/items` with a host, a key and these further field lines.
pub fn post(fields: &str, body: &str) -> String {
    format!("POST /v1/items HTTP/1.1\r\nHost: a.example\r\n{{key}}{fields}\r\n{body}")
}

/// `GET /v1/items` with a host, a key and these further field lines.
pub fn get(fields: &str) -> String {
    format!("GET /v1/items HTTP/1.1\r\nHost: a.example\r\n{{key}}{fields}\r\n")
}

impl Door {
    pub async fn open() -> Self {
        Self::tuned(|_| {}).await
    }

    pub async fn tuned(tune: impl Fn(&mut Settings) + 'static) -> Self {
        let mut plot = Plot::new().await.tune(tune);
        let upstream = RawUpstream::start().await;
        let url = format!("http://{}/base", upstream.address);
        plot.blueprint.services[0].targets = vec![Target { url, weight: 1 }];
        plot.blueprint.services[0].read_timeout_ms = 1_000;
        Self { stage: plot.start().await, upstream }
    }

    pub fn bytes(&self, text: &[u8]) -> Vec<u8> {
        let key = format!("X-API-Key: {}\r\n", self.stage.key);
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.windows(5).position(|window| window == b"{key}") {
            bytes.extend_from_slice(&rest[..at]);
            bytes.extend_from_slice(key.as_bytes());
            rest = &rest[at + 5..];
        }
        bytes.extend_from_slice(rest);
        bytes
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.stage.gateway).await.expect("the gateway accepts")
    }

    /// Sends bytes on a connection of their own and reads `answers` messages; with them, whether it then ended.
    pub async fn send(&self, bytes: &[u8], answers: usize) -> (Vec<Message>, bool) {
        let mut stream = self.connect().await;
        let (mut reading, mut writing) = stream.split();
        let bytes = self.bytes(bytes);
        let write = async {
            // A refusal may come, and the connection end, before all is sent.
            let _ = writing.write_all(&bytes).await;
        };
        let read = async {
            let mut all = Vec::new();
            while all.len() < answers
                && let Some(message) = read_message(&mut reading, false).await
            {
                all.push(message);
            }
            all
        };
        let both = async { tokio::join!(write, read).1 };
        let all = tokio::time::timeout(Duration::from_secs(30), both).await;
        let all =
            all.unwrap_or_else(|_| panic!("no answer to {}", bytes[..bytes.len().min(300)].escape_ascii()));
        let refused = all.last().is_none_or(|answer| answer.status() >= 400);
        let ended = refused && {
            let end = tokio::time::timeout(Duration::from_secs(30), reading.read_u8()).await;
            end.is_ok_and(|byte| byte.is_err())
        };
        (all, ended)
    }

    /// Every row: answered as written, closed where it is refused, and upstream exactly what was answered from there.
    pub async fn hold(&self, cases: &[Case<'_>]) {
        for case in cases {
            let before = self.upstream.complete();
            let (answers, ended) = self.send(&case.sent, case.answers.len()).await;
            let shown =
                format!("case {}: {}", case.number, case.sent[..case.sent.len().min(300)].escape_ascii());
            let statuses: Vec<u16> = answers.iter().map(Message::status).collect();
            assert_eq!(statuses, case.answers, "{shown}");
            if case.answers.last().is_none_or(|status| *status >= 400) {
                assert!(ended, "still open: {shown}");
            }
            assert_eq!(self.upstream.complete() - before, case.seen, "seen upstream: {shown}");
            self.check_stamps(&answers, &shown);
        }
        self.upstream.seen().iter().for_each(crate::raw::Seen::check);
    }

    /// What was answered from upstream are the last requests there, in their order.
    fn check_stamps(&self, answers: &[Message], shown: &str) {
        let seen = self.upstream.seen();
        let mut last =
            seen.iter().enumerate().filter(|(_, seen)| seen.complete).map(|(number, _)| number).rev();
        for answer in answers.iter().rev().filter(|answer| answer.status() < 400) {
            let stamp = format!("stamp {}", last.next().expect("a request for each answer"));
            assert_eq!(String::from_utf8_lossy(&answer.body), stamp, "{shown}");
        }
    }

    /// A call that is in order, answered with these bytes; what the caller gets up to the end or the first answer.
    pub async fn answered_with(&self, reply: Reply) -> Option<Message> {
        self.upstream.reply(reply);
        let mut stream = self.connect().await;
        stream.write_all(&self.bytes(get("").as_bytes())).await.unwrap();
        let read = read_message(&mut stream, false);
        tokio::time::timeout(Duration::from_secs(30), read).await.expect("an answer or an end in time")
    }
}
