//! Sample calls read well in every language, and mean the same to those that are installed here.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use serde_json::json;
use tollgate_openapi::{Body, Call, Language, Part, snippet};

fn call(body: Body) -> Call {
    Call {
        method: "POST".into(),
        url: "https://api.example.com/v1/cities?q=a%20b".into(),
        headers: vec![("X-Trace".into(), "it's \"so\" $HOME #{1}".into())],
        body,
    }
}

fn all(call: &Call) -> String {
    let parts = Language::ALL
        .map(|language| format!("## {}\n\n{}\n", language.label(), snippet(language, call, "YOUR_KEY")));
    parts.join("\n")
}

/// Compares with a file beside this test; `TOLLGATE_REWRITE_SNIPPETS=1` writes it.
fn compare(name: &str, found: &str) {
    let path = format!("{}/tests/snippets/{name}.md", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("TOLLGATE_REWRITE_SNIPPETS").is_some() {
        std::fs::write(&path, found).expect("the file can be written");
    }
    let wanted = std::fs::read_to_string(&path).expect("the file is committed");
    assert_eq!(found, wanted, "{name}.md differs");
}

#[test]
fn every_language_reads_as_it_was_reviewed() {
    let value = json!({"name": "Malmö \"C\" `x` \\ #{1} $y", "open": true, "size": [1, 2.5], "owner": null, "none": {}});
    compare("json", &all(&call(Body::Json("application/json".into(), value))));
    let fields = vec![("a b".into(), "1&2".into()), ("c".into(), "ü".into())];
    compare("form", &all(&call(Body::Form(fields))));
    let parts = vec![
        Part { name: "note".into(), value: "hello".into(), is_file: false },
        Part { name: "photo".into(), value: "file.bin".into(), is_file: true },
    ];
    compare("multipart", &all(&call(Body::Multipart(parts))));
    let get = Call {
        method: "GET".into(),
        url: "https://api.example.com/v1".into(),
        headers: vec![],
        body: Body::None,
    };
    compare("get", &all(&get));
}

/// Answers one request and returns its head and body.
fn hear(listener: &TcpListener) -> String {
    let (mut socket, _) = listener.accept().expect("a caller");
    let mut heard = Vec::new();
    let mut buffer = [0u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            if body.len() >= length.map_or(0, |n| n.trim().parse().expect("a length")) {
                socket
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                    .expect("sent");
                return text;
            }
        }
        let read = socket.read(&mut buffer).expect("bytes");
        assert!(read > 0, "the caller hung up after {text}");
        heard.extend_from_slice(&buffer[..read]);
    }
}

fn runs(program: &str, arguments: &[&str], language: Language) {
    if Command::new(program).arg("--version").output().is_err() {
        println!("skipped: {program} is not installed");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let value =
        json!({"name": "Malmö \"C\" `x` \\ #{1} $y ' \u{2028}", "open": true, "n": [1, 2.5], "no": null});
    let call = Call {
        url: format!("http://{address}/v1/cities?q=a%20b"),
        ..call(Body::Json("application/json".into(), value.clone()))
    };
    let code = snippet(language, &call, "tg_test_abc");
    let heard = std::thread::spawn(move || hear(&listener));
    let output = Command::new(program).args(arguments).arg(&code).output().expect("it starts");
    assert!(output.status.success(), "{}\n{code}", String::from_utf8_lossy(&output.stderr));
    let heard = heard.join().expect("a request");
    let (head, body) = heard.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("POST /v1/cities?q=a%20b HTTP/1.1"), "{head}");
    let has = |line: &str| head.lines().any(|found| found.eq_ignore_ascii_case(line));
    assert!(has("x-api-key: tg_test_abc") && has("x-trace: it's \"so\" $HOME #{1}"), "{head}");
    assert!(has("content-type: application/json"), "{head}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).expect("JSON"), value);
}

#[test]
fn curl_and_node_send_what_is_meant() {
    runs("sh", &["-c"], Language::Curl);
    runs("node", &["--input-type=module", "-e"], Language::JavaScript);
}
