use super::*;

/// The same in one piece and byte by byte.
fn read(head: &[u8]) -> Result<Option<Head>, BadHead> {
    let whole = HeadReader::default().read(head);
    let mut reader = HeadReader::default();
    let dripped = (1..=head.len()).map(|end| reader.read(&head[..end])).find(|read| *read != Ok(None));
    let early = dripped.unwrap_or(Ok(None));
    assert_eq!(whole, early, "{}", head.escape_ascii());
    whole
}

fn framing(lines: &str) -> Result<Framing, BadHead> {
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    read(head.as_bytes()).map(|head| head.expect("a complete head").framing)
}

#[test]
fn an_ordinary_head_is_measured() {
    let head = b"GET /a?b=c HTTP/1.1\r\nHost: a.example:80\r\nX-Any:\t~!  \r\nEmpty:\r\n\r\n";
    let followed = [head.as_slice(), b"GET / HTTP/1.1\r\n"].concat();
    let expected = Ok(Some(Head { bytes: head.len(), framing: Framing::Empty }));
    assert_eq!(HeadReader::default().read(&followed), expected);
    assert_eq!(read(head), expected);
    for end in 0..head.len() {
        assert_eq!(HeadReader::default().read(&head[..end]), Ok(None), "{end}");
    }
    let after_an_empty_line = [b"\r\n".as_slice(), head].concat();
    assert_eq!(read(&after_an_empty_line), Ok(Some(Head { bytes: head.len() + 2, framing: Framing::Empty })));
    assert!(read(b"\r\n\r\nGET / HTTP/1.1\r\n").is_err());
}

#[test]
fn the_end_of_a_body_is_known_in_one_way_or_not_at_all() {
    assert_eq!(framing(""), Ok(Framing::Empty));
    assert_eq!(framing("Content-Length: 0\r\n"), Ok(Framing::Empty));
    assert_eq!(framing("content-length:5\r\n"), Ok(Framing::Length(5)));
    assert_eq!(framing("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
    for (lines, reason) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "transfer_encoding_and_content_length"),
        ("Transfer-Encoding: gzip, chunked\r\nContent-Length: 0\r\n", "transfer_encoding_and_content_length"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "transfer_encoding"),
        ("Transfer-Encoding: identity\r\n", "transfer_encoding"),
        ("Transfer-Encoding:\r\n", "transfer_encoding"),
        ("Transfer-Encoding: chunked;a=b\r\n", "transfer_encoding"),
        ("Transfer-Encoding: x, chunked\r\n", "transfer_encoding"),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "content_length"),
        ("Content-Length: 05\r\n", "content_length"),
        ("Content-Length: 9999999999999999999\r\n", "content_length"),
        ("Upgrade: foo\r\nContent-Length: 1\r\n", "upgrade_with_body"),
        ("Connection: close, X-API-Key\r\n", "connection_option"),
        ("Connection: X-Forwarded-For\r\n", "connection_option"),
    ] {
        assert_eq!(framing(lines), Err(BadHead::Ambiguous(reason)), "{lines}");
    }
    assert_eq!(
        framing("Transfer-Encoding: gzip, chunked\r\n"),
        Err(BadHead::Denied(Denial::CodingNotImplemented))
    );
    assert_eq!(
        read(b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Err(BadHead::Ambiguous("transfer_encoding"))
    );
}

#[test]
fn a_head_is_bounded_in_bytes_fields_and_each_line() {
    let start = "GET / HTTP/1.1\r\nHost: a\r\n";
    let line = |bytes: usize| format!("X: {}\r\n", "a".repeat(bytes - 5));
    let longest = format!("{start}{}\r\n", line(LINE_BYTES_MAX));
    assert!(matches!(read(longest.as_bytes()), Ok(Some(_))));
    let longer = format!("{start}{}\r\n", line(LINE_BYTES_MAX + 1));
    assert_eq!(read(longer.as_bytes()), Err(BadHead::TooLarge));
    // In one piece as byte by byte: what stands behind the bound changes nothing.
    for behind in ["", "\0", "\r\n\r\n"] {
        let endless = format!("{start}Host: {}{behind}", "a".repeat(LINE_BYTES_MAX));
        assert_eq!(read(endless.as_bytes()), Err(BadHead::TooLarge), "{behind:?}");
    }
    let large = format!("{start}{}", line(LINE_BYTES_MAX).repeat(8));
    assert_eq!(HeadReader::default().read(large.as_bytes()), Err(BadHead::TooLarge));
    let most = format!("{start}{}\r\n", "X: a\r\n".repeat(FIELDS_MAX - 1));
    assert!(matches!(read(most.as_bytes()), Ok(Some(_))));
    let more = format!("{start}{}\r\n", "X: a\r\n".repeat(FIELDS_MAX));
    assert_eq!(read(more.as_bytes()), Err(BadHead::TooLarge));
}

#[test]
fn what_is_no_http_is_known_by_its_first_bytes() {
    for start in [
        &b"\x16\x03\x01"[..],
        b"\0",
        b"\n",
        b" GET",
        b"G@",
        b"GET  ",
        b"GET /\t",
        b"GET /\r\n",
        b"GET /\xc3",
        b"GET /#",
        b"GET / http",
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.10",
        b"GET / HTTP/2",
        b"PUT / HTTP/1.1\r\nHost a",
        b"PUT / HTTP/1.1\r\n ",
        b"PUT / HTTP/1.1\r\nA_B: c\r\n",
        b"PUT / HTTP/1.1\r\nA: \x80",
        b"PUT / HTTP/1.1\r\nA: b\rc",
        b"PUT / HTTP/1.1\r\nA: \x0b",
        b"PUT / HTTP/1.1\r\nA: b\r\n c",
        b"PUT / HTTP/1.1\r\nA: b\nC: d",
    ] {
        assert!(read(start).is_err(), "{}", start.escape_ascii());
    }
}
