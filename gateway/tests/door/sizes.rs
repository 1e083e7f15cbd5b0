//! Cases 53–57: how much is read.

use crate::case::{Door, case, get, post, refused};

fn filler(bytes: usize) -> String {
    // Lines of 1,000 bytes, and one with the rest.
    let mut lines = "X-Fill: ".to_owned() + &"a".repeat(990) + "\r\n";
    lines = lines.repeat(bytes / 1_000);
    lines
}

#[tokio::test]
async fn what_is_too_large_is_refused_while_it_comes() {
    let target = |bytes: usize| format!("/v1/items/{}", "a".repeat(bytes - 10));
    let line = |bytes: usize| get("").replace("/v1/items", &target(bytes));
    let one = |bytes: usize| get(&format!("X: {}\r\n", "a".repeat(bytes - 5)));
    let door = Door::tuned(|settings| settings.body_bytes_max = 10).await;
    door.hold(&[
        case(53, line(8_192), &[200], 1),
        refused(53, line(8_193), &[414]),
        refused(53, line(1_000_000), &[414]),
        case(54, one(8_192), &[200], 1),
        refused(54, one(8_193), &[431]),
        refused(54, one(65_000), &[431]),
        case(54, get(&filler(64_000)), &[200], 1),
        refused(54, get(&filler(66_000)), &[431]),
        case(55, get(&"X: a\r\n".repeat(98)), &[200], 1),
        refused(55, get(&"X: a\r\n".repeat(99)), &[431]),
        refused(55, get(&"X: a\r\n".repeat(300)), &[431]),
        refused(56, get(&filler(2_000_000)), &[431]),
        case(57, post("Content-Length: 10\r\n", "ten bytes!"), &[200], 1),
        refused(57, post("Content-Length: 11\r\n", ""), &[413]),
        refused(57, post("Content-Length: 1000000\r\n", &"a".repeat(1_000_000)), &[413]),
        refused(
            57,
            post("Transfer-Encoding: chunked\r\n", "6\r\neleven\r\n6\r\n bytes\r\n0\r\n\r\n"),
            &[413],
        ),
    ])
    .await;
}
