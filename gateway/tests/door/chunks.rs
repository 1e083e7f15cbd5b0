//! Cases 22–29: bodies in chunks. What breaks their framing ends the call; the upstream never sees the end of it.

use crate::case::{Door, case, post, refused};

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

#[tokio::test]
async fn a_body_whose_chunks_can_be_read_in_two_ways_never_completes_upstream() {
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(70_000));
    let mut cases = vec![
        refused(23, chunked("5 \r\nhello\r\n0\r\n\r\n"), &[400]),
        refused(24, chunked("5\nhello\r\n0\r\n\r\n"), &[400]),
        refused(25, chunked("5;\nhello\r\n0\r\n\r\n"), &[400]),
        refused(25, chunked("5;a\nhello\r\n0\r\n\r\n"), &[400]),
        refused(26, chunked("5\r\nhello\n0\r\n\r\n"), &[400]),
        refused(26, chunked("5\r\nhello!\r\n0\r\n\r\n"), &[400]),
        refused(26, chunked("5\r\nhello\r\n0\r\n\n"), &[400]),
        refused(27, chunked("3\r\nabc\r\n5;a\rb\r\nhello\r\n0\r\n\r\n"), &[400]),
        refused(28, chunked(&long), &[400]),
        refused(29, chunked("0\r\nContent-Length : 5\r\n\r\n"), &[400]),
        refused(29, chunked("0\r\nX: \0\r\n\r\n"), &[400]),
    ];
    for size in ["0x5", "-1", " 5", "1_0", "00000000000000005", ""] {
        cases.push(refused(22, chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")), &[400]));
    }
    let door = Door::open().await;
    door.hold(&cases).await;
    assert!(door.upstream.seen().len() <= cases.len(), "no half-sent body is tried a second time");
    assert_eq!(door.upstream.complete(), 0);
}

#[tokio::test]
async fn extensions_and_trailers_that_are_in_order_stay_here() {
    let door = Door::open().await;
    let body = "5;a=\"b c\"\r\nhello\r\n0\r\nContent-Length: 7\r\nAuthorization: forged\r\nX-Sum: 1\r\n\r\n";
    door.hold(&[case(29, chunked(body), &[200], 1)]).await;
    assert_eq!(door.upstream.seen()[0].body, b"5\r\nhello\r\n0\r\n\r\n");
}
