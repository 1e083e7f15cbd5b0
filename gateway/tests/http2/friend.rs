//! A caller that speaks HTTP/2 as it should.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use tokio::net::TcpStream;

use crate::stage::{Plot, Stage};

/// A gateway that speaks HTTP/2 without TLS.
pub async fn stage() -> Stage {
    plot().await.start().await
}

pub async fn plot() -> Plot {
    Plot::new().await.tune(|settings| settings.h2c = true)
}

#[derive(Clone)]
pub struct Friend {
    send: SendRequest<Bytes>,
    key: String,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

impl Friend {
    pub async fn connect(stage: &Stage) -> Self {
        Self::over(connected(stage.gateway).await, stage).await
    }

    /// Over a transport that is ready.
    pub async fn over<S>(io: S, stage: &Stage) -> Self
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let (send, connection) = h2::client::handshake(io).await.expect("HTTP/2");
        tokio::spawn(async move {
            // How it ends is seen by its calls.
            let _ = connection.await;
        });
        Self { send, key: stage.key.clone() }
    }

    pub fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("http://api.example{path}"))
            .header("x-api-key", &self.key)
    }

    /// Sends a head, and says where the body goes.
    pub async fn begin(
        &mut self,
        request: Request<()>,
        ends: bool,
    ) -> (h2::client::ResponseFuture, SendStream<Bytes>) {
        self.send = self.send.clone().ready().await.expect("room for a stream");
        self.send.send_request(request, ends).expect("a request")
    }

    /// A call with a body; none where there is none.
    pub async fn call(
        &mut self,
        request: http::request::Builder,
        body: Option<&[u8]>,
    ) -> Result<Answer, h2::Error> {
        let (answer, mut up) = self.begin(request.body(()).unwrap(), body.is_none()).await;
        if let Some(body) = body {
            up.send_data(Bytes::copy_from_slice(body), true)?;
        }
        read(answer.await?).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.request("GET", path);
        self.call(request, None).await.expect("an answer")
    }
}

pub async fn connected(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("the gateway accepts");
    stream.set_nodelay(true).unwrap();
    stream
}

pub async fn read(answer: Response<RecvStream>) -> Result<Answer, h2::Error> {
    let (head, mut stream) = answer.into_parts();
    let mut body = Vec::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk?;
        stream.flow_control().release_capacity(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    let trailers = stream.trailers().await?;
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body, trailers })
}
