//! Cases 1–21: where a request ends.

use crate::case::{Door, case, post, refused};

#[tokio::test]
async fn a_request_with_two_ends_is_refused() {
    let te = "Transfer-Encoding: chunked\r\n";
    let end = "5\r\nhello\r\n0\r\n\r\n";
    let mut cases = vec![
        refused(1, post(&format!("Content-Length: 5\r\n{te}"), end), &[400]),
        refused(2, post(&format!("{te}Content-Length: 5\r\n"), end), &[400]),
        refused(3, post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), &[400]),
        refused(4, post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), &[400]),
        refused(5, post("Content-Length: 5, 5\r\n", "hello"), &[400]),
        refused(6, post("Content-Length: 5, 0\r\n", "hello"), &[400]),
        refused(8, post("Content-Length: 0005\r\n", "hello"), &[400]),
        refused(9, post("Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n", "hello"), &[400]),
        refused(9, post("Transfer-Encoding: xchunked\r\n", end), &[400]),
        refused(10, post("Transfer-Encoding: gzip, chunked\r\n", end), &[501]),
        refused(11, post("Transfer-Encoding: chunked, gzip\r\n", end), &[400]),
        refused(12, post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "hello"), &[400]),
        refused(13, post(&format!("{te}{te}"), end), &[400]),
        refused(14, post(&format!("Transfer-Encoding: identity\r\n{te}"), end), &[400]),
        refused(15, post("Transfer-Encoding : chunked\r\n", end), &[400]),
        refused(16, post("Transfer-Encoding: \x0bchunked\r\n", end), &[400]),
        refused(17, post("Transfer-Encoding: \"chunked\"\r\n", end), &[400]),
        refused(18, post("Transfer-Encoding: chunked;a=b\r\n", end), &[400]),
        refused(19, post("Transfer-Encoding:\r\n chunked\r\n", end), &[400]),
        refused(19, post("Transfer-Encoding: chu\r\n\tnked\r\n", end), &[400]),
        refused(20, post(te, end).replacen("HTTP/1.1", "HTTP/1.0", 1), &[400]),
        refused(21, post("Transfer_Encoding: chunked\r\n", end), &[400]),
        refused(21, post("Content_Length: 5\r\n", "hello"), &[400]),
    ];
    for value in ["+5", "-1", "0x5", "5 5", "", "18446744073709551616"] {
        cases.push(refused(7, post(&format!("Content-Length: {value}\r\n"), "hello"), &[400]));
    }
    Door::open().await.hold(&cases).await;
}

#[tokio::test]
async fn a_request_with_one_end_goes_on_with_that_end() {
    let door = Door::open().await;
    door.hold(&[
        case(1, post("Transfer-Encoding: Chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), &[200], 1),
        case(3, post("Content-Length: 5\r\n", "hello"), &[200], 1),
        case(8, post("Content-Length: 0\r\n", ""), &[200], 1),
    ])
    .await;
    let seen = door.upstream.seen();
    assert_eq!(seen[0].body, b"5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(
        (seen[1].fields("content-length"), seen[1].body.as_slice()),
        (vec!["5".into()], b"hello".as_slice())
    );
}
