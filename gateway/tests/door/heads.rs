//! Cases 30–51: the form of a request line and its fields.

use crate::case::{Case, Door, case, get, refused};

fn line(number: u16, line: &str, status: &'static [u16]) -> Case<'static> {
    refused(number, format!("{line}\r\nHost: a.example\r\n{{key}}\r\n"), status)
}

fn host(number: u16, host: &str) -> Case<'static> {
    refused(number, format!("GET /v1/items HTTP/1.1\r\n{host}{{key}}\r\n"), &[400])
}

#[tokio::test]
async fn fields_that_are_not_in_order_are_refused() {
    let mut non_ascii = get("").into_bytes();
    non_ascii.truncate(non_ascii.len() - 2);
    let eighty = [&non_ascii[..], b"X: caf\x80\r\n\r\n"].concat();
    let utf8 = [&non_ascii[..], "X: café\r\n\r\n".as_bytes()].concat();
    Door::open()
        .await
        .hold(&[
            refused(30, get("").replace("\r\n", "\n"), &[400]),
            refused(31, get("X: a\nTransfer-Encoding: chunked\r\n"), &[400]),
            refused(32, get("X: a\rb\r\n"), &[400]),
            refused(32, get("X: a\0b\r\n"), &[400]),
            refused(32, get("X\0: a\r\n"), &[400]),
            refused(32, get("X: a\x7fb\r\n"), &[400]),
            refused(33, get("X\r\n"), &[400]),
            refused(33, get(": a\r\n"), &[400]),
            refused(33, get("X Y: a\r\n"), &[400]),
            refused(33, get(" X: a\r\n"), &[400]),
            refused(33, get("X: a\r\n b\r\n"), &[400]),
            refused(33, "GET /v1/items HTTP/1.1\r\n Host: a\r\n{key}\r\n", &[400]),
            refused(34, eighty, &[400]),
            refused(34, utf8, &[400]),
        ])
        .await;
}

#[tokio::test]
async fn one_host_in_one_form_is_needed() {
    let mut cases = vec![
        host(35, ""),
        host(36, "Host: a.example\r\nHost: a.example\r\n"),
        host(36, "Host: a.example\r\nHost: b.example\r\n"),
        line(38, "GET http://b.example/v1/items HTTP/1.1", &[400]),
        line(38, "GET http://a.example/v1/items HTTP/1.1", &[400]),
        line(39, "GET http://user@a.example/v1/items HTTP/1.1", &[400]),
    ];
    for value in ["a b", "a/b", "", "a@b", "[::1", "a:99999"] {
        cases.push(host(37, &format!("Host: {value}\r\n")));
    }
    Door::open().await.hold(&cases).await;
}

#[tokio::test]
async fn a_request_line_that_is_not_in_order_is_refused() {
    let long = "A".repeat(9_000);
    let mut cases = vec![
        line(40, "GET * HTTP/1.1", &[400]),
        line(40, "OPTIONS * HTTP/1.1", &[400]),
        line(41, "GET a.example:80 HTTP/1.1", &[400]),
        line(42, "GET v1/items HTTP/1.1", &[400]),
        line(43, "CONNECT a.example:443 HTTP/1.1", &[405]),
        line(44, "TRACE /v1/items HTTP/1.1", &[405]),
        line(45, "get /v1/items HTTP/1.1", &[501]),
        line(46, "G@T /v1/items HTTP/1.1", &[400]),
        refused(47, format!("{long} /v1/items HTTP/1.1\r\nHost: a\r\n\r\n"), &[501]),
        refused(47, long, &[501]),
        refused(48, "GET /v1/items\r\n", &[400]),
        line(49, "GET  /v1/items HTTP/1.1", &[400]),
        line(49, "GET /v1/items  HTTP/1.1", &[400]),
        line(49, " GET /v1/items HTTP/1.1", &[400]),
        line(50, "GET\t/v1/items\tHTTP/1.1", &[400]),
    ];
    for version in ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/1.10", "http/1.1"] {
        cases.push(line(48, &format!("GET /v1/items {version}"), &[400]));
    }
    for byte in [" ", "\0", "#", "é", "\\", "|", "\t", "\"", "<"] {
        cases.push(line(51, &format!("GET /v1/items{byte}x HTTP/1.1"), &[400]));
    }
    Door::open().await.hold(&cases).await;
}

#[tokio::test]
async fn what_is_in_order_passes() {
    Door::open()
        .await
        .hold(&[
            case(30, get("X-Any: ~ !\t\"{}\r\nEmpty:\r\n"), &[200], 1),
            case(33, format!("\r\n{}", get("")), &[200], 1),
            case(37, get("").replace("a.example", "[::1]:80"), &[200], 1),
            case(48, get("").replacen("HTTP/1.1", "HTTP/1.0", 1), &[200], 1),
        ])
        .await;
}
