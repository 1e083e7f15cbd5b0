//! The upstream on a real socket.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn it_serves_until_it_is_told_to_stop_even_with_an_idle_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(tollgate_demo::serve(listener, shutdown.clone()));
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(b"GET /v1/countries/NZ HTTP/1.1\r\nHost: atlas\r\n\r\n").await.expect("sent");
    let mut answer = String::new();
    // The record ends with two braces: its coordinates' and its own.
    while !answer.ends_with("}}") {
        let mut part = [0; 4096];
        let length = stream.read(&mut part).await.expect("readable");
        assert!(length > 0, "closed after {answer}");
        answer.push_str(std::str::from_utf8(&part[..length]).expect("UTF-8"));
    }
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("New Zealand"), "{answer}");
    shutdown.cancel();
    server.await.expect("no panic").expect("ended in order");
}
