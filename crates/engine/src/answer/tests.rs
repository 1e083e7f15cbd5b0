use proptest::prelude::*;

use super::*;

/// The same in one piece and byte by byte.
fn read_for(head: &[u8], to_head: bool) -> Result<Option<Answer>, BadAnswer> {
    let whole = AnswerReader::default().read(head, to_head);
    let mut reader = AnswerReader::default();
    let dripped = (1..=head.len()).map(|end| reader.read(&head[..end], to_head));
    let early = { dripped }.find(|read| *read != Ok(None)).unwrap_or(Ok(None));
    assert_eq!(whole, early, "{}", head.escape_ascii());
    whole
}

fn read(head: &[u8]) -> Result<Option<Answer>, BadAnswer> {
    read_for(head, false)
}

fn end(status: u16, fields: &str, to_head: bool) -> Result<End, BadAnswer> {
    let head = format!("HTTP/1.1 {status} Some reason\r\n{fields}\r\n");
    read_for(head.as_bytes(), to_head).map(|answer| answer.expect("a complete head").end)
}

#[test]
fn an_ordinary_answer_is_measured() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Name:  caf\xc3\xa9\t\r\nX_Y:\r\n\r\n";
    let answer = Answer { bytes: head.len(), status: 200, end: End::Length(2), length: Some(2), keeps: true };
    assert_eq!(read(head), Ok(Some(answer)));
    let mut reader = AnswerReader::default();
    assert_eq!(reader.read(&[head.as_slice(), b"ok"].concat(), false), Ok(Some(answer)));
    let fields: Vec<_> = reader.fields().iter().map(|field| (field.name(head), field.value(head))).collect();
    let expected: [(&[u8], &[u8]); 3] =
        [(b"Content-Length", b"2"), (b"X-Name", b"caf\xc3\xa9"), (b"X_Y", b"")];
    assert_eq!(fields, expected);
    for end in 0..head.len() {
        assert_eq!(AnswerReader::default().read(&head[..end], false), Ok(None), "{end}");
    }
    for reasonless in ["HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n"] {
        assert_eq!(read(reasonless.as_bytes()).unwrap().unwrap().status, 200);
    }
}

#[test]
fn the_end_of_an_answer_is_known_in_one_way_or_not_at_all() {
    assert_eq!(end(200, "", false), Ok(End::Close));
    assert_eq!(end(200, "Content-Length: 0\r\n", false), Ok(End::Empty));
    assert_eq!(end(200, "content-length:7\r\n", false), Ok(End::Length(7)));
    assert_eq!(end(200, "Transfer-Encoding: Chunked\r\n", false), Ok(End::Chunked));
    for (status, to_head) in [(204, false), (304, false), (100, false), (200, true)] {
        assert_eq!(end(status, "Content-Length: 7\r\n", to_head), Ok(End::Empty));
        assert_eq!(end(status, "Transfer-Encoding: chunked\r\n", to_head), Ok(End::Empty));
    }
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 05\r\n",
        "Content-Length: +5\r\n",
        "Content-Length:\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
    ] {
        for to_head in [false, true] {
            assert!(matches!(end(200, fields, to_head), Err(BadAnswer::Ambiguous(_))), "{fields}");
        }
    }
    let old = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(read(old), Err(BadAnswer::Ambiguous("transfer_encoding")));
}

#[test]
fn a_connection_is_kept_only_where_its_next_answer_can_be_told_from_this_one() {
    for (head, keeps) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x, Close\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\n\r\n", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", false),
        ("HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 204 OK\r\nContent-Length: 1\r\n\r\n", false),
        ("HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false),
    ] {
        assert_eq!(read(head.as_bytes()).unwrap().unwrap().keeps, keeps, "{head}");
    }
}

#[test]
fn what_is_no_answer_is_refused_at_its_first_wrong_byte() {
    for head in [
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 No\r\n\r\n",
        "HTTP/1.1 600 No\r\n\r\n",
        "HTTP/1.1 999 No\r\n\r\n",
        "HTTP/1.1 200 OK\n\r\n",
        "HTTP/1.1 200 O\0K\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX\r\n\r\n",
        "secret garbage\r\n\r\n",
    ] {
        assert!(read(head.as_bytes()).is_err(), "{head:?}");
    }
}

#[test]
fn an_answers_head_is_bounded() {
    let start = "HTTP/1.1 200 OK\r\n";
    let fields = |count: usize| format!("{start}{}\r\n", "X: a\r\n".repeat(count));
    assert!(matches!(read(fields(FIELDS_MAX).as_bytes()), Ok(Some(_))));
    assert_eq!(read(fields(FIELDS_MAX + 1).as_bytes()), Err(BadAnswer::TooLarge));
    // In one piece as byte by byte: what stands behind the bound changes nothing.
    let line = |bytes: usize| format!("HTTP/1.1 200 {}", "a".repeat(bytes - 13));
    let longest = format!("{}\r\n\r\n", line(STATUS_LINE_BYTES_MAX));
    assert!(matches!(read(longest.as_bytes()), Ok(Some(_))));
    for behind in ["", "\r", "\n", "\r\n\r\n"] {
        let longer = format!("{}{behind}", line(STATUS_LINE_BYTES_MAX + 1));
        assert_eq!(read(longer.as_bytes()), Err(BadAnswer::TooLarge), "{behind:?}");
    }
    for behind in ["", "\0", "\r\nX Y\r\n\r\n", "\r\n\r\n"] {
        let head = format!("{start}X: {}{behind}", "a".repeat(HEAD_BYTES_MAX));
        assert_eq!(
            AnswerReader::default().read(head.as_bytes(), false),
            Err(BadAnswer::TooLarge),
            "{behind:?}"
        );
    }
}

proptest! {
    /// Whatever comes in whatever pieces is read alike, and never to an end that is not there.
    #[test]
    fn pieces_make_no_difference(
        lines in prop::collection::vec("(X|Content-Length|Transfer-Encoding|Connection): ?(chunked|close|5|a b|\\PC{0,8})\r\n", 0..6),
        broken in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        piece in 1usize..40,
    ) {
        let mut bytes = format!("HTTP/1.1 200 OK\r\n{}\r\nbody", lines.concat()).into_bytes();
        if let Some((at, byte)) = broken {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let whole = AnswerReader::default().read(&bytes, false);
        let mut reader = AnswerReader::default();
        let ends = (1..=bytes.len()).step_by(piece).chain([bytes.len()]);
        let pieces = { ends }.map(|end| reader.read(&bytes[..end], false)).find(|read| *read != Ok(None));
        let pieces = pieces.unwrap_or(Ok(None));
        prop_assert_eq!(whole, pieces);
        if let Ok(Some(answer)) = whole {
            prop_assert!(bytes[..answer.bytes].ends_with(b"\r\n\r\n"));
        }
    }
}
