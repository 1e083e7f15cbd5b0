//! A wrong document is refused as a whole, and every fault says where it is and what was expected.

use tollgate_openapi::{Document, Fault};

fn faults(text: &str) -> Vec<Fault> {
    Document::parse(text).expect_err("refused")
}

#[test]
fn each_fault_names_its_place() {
    let head = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n";
    let ok = "responses: {'200': {description: ok}}";
    // Text, pointer, line, words of the message.
    let cases: Vec<(String, &str, Option<u32>, &str)> = vec![
        ("".into(), "", Some(1), "empty"),
        ("  \n".into(), "", Some(1), "empty"),
        ("<!doctype html><html>".into(), "", Some(1), "HTML"),
        ("just words".into(), "", Some(1), "expected an OpenAPI document"),
        ("[]".into(), "", Some(1), "expected an OpenAPI document"),
        ("{\"a\": 1}".into(), "", Some(1), "neither `openapi` nor `swagger`"),
        ("openapi: 4.0.0\n".into(), "/openapi", Some(1), "expected OpenAPI 3.1"),
        ("openapi: 3.10.0\n".into(), "/openapi", Some(1), "expected OpenAPI 3.1"),
        ("{\n \"openapi\": \"3.1.0\",\n}".into(), "", Some(3), "a key in double quotes"),
        ("{\"openapi\": \"3.1.0\", \"paths\": {\"/a\" 1}}".into(), "/paths", Some(1), "`:` after the key"),
        ("{\"openapi\": 3.1.0}".into(), "/openapi", Some(1), "not valid JSON"),
        ("{\"openapi\": \"3.1.0\"} x".into(), "", Some(1), "nothing more"),
        ("{\"openapi\": \"3.1".into(), "/openapi", Some(1), "never ends"),
        ("{\"info\": 1, \"info\": 2}".into(), "/info", Some(1), "here twice"),
        ("openapi: 3.1.0\ninfo: {}\ninfo: {}\n".into(), "/info", Some(3), "here twice"),
        ("openapi: 3.1.0\ninfo: [\n".into(), "/info", None, "not valid YAML"),
        ("openapi: 3.1.0\n---\nopenapi: 3.1.0\n".into(), "", None, "second YAML document"),
        ("openapi: 3.1.0\npaths: {}\n".into(), "", Some(1), "`info` is missing"),
        ("openapi: 3.1.0\ninfo: {title: T}\npaths: {}\n".into(), "/info", Some(2), "`version` is missing"),
        (
            "openapi: 3.1.0\ninfo: {title: T, version: 1.0}\npaths: {}\n".into(),
            "/info/version",
            Some(2),
            "put it in quotes",
        ),
        (head.into(), "", Some(1), "`paths` is missing"),
        (format!("{head}paths: []\n"), "/paths", Some(3), "expected an object"),
        (
            format!("{head}paths:\n  pets:\n    get: {{{ok}}}\n"),
            "/paths/pets",
            Some(4),
            "does not begin with `/`",
        ),
        (format!("{head}paths:\n  /a?b: {{}}\n"), "/paths/~1a?b", Some(4), "queries are parameters"),
        (format!("{head}paths:\n  '/a/{{x': {{}}\n"), "/paths/~1a~1{x", Some(4), "closed by"),
        (format!("{head}paths:\n  '/{{x}}/{{x}}': {{}}\n"), "/paths/~1{x}~1{x}", Some(4), "stands twice"),
        (
            format!("{head}paths:\n  '/a/{{x}}': {{}}\n  '/a/{{y}}': {{}}\n"),
            "/paths/~1a~1{y}",
            Some(5),
            "same calls as `/a/{x}`",
        ),
        (
            format!(
                "{head}paths:\n  /a:\n    get: {{operationId: x}}\n  /b:\n    get:\n      operationId: x\n"
            ),
            "/paths/~1b/get/operationId",
            Some(8),
            "already the operationId at /paths/~1a/get/operationId",
        ),
        (
            format!("{head}paths:\n  /a:\n    parameters:\n      - name: n\n        in: body\n"),
            "/paths/~1a/parameters/0/in",
            Some(7),
            "path, query, header, cookie",
        ),
        (
            format!("{head}paths:\n  /a:\n    parameters:\n      - name: n\n"),
            "/paths/~1a/parameters/0",
            Some(6),
            "`in` is missing",
        ),
        (
            format!("{head}paths:\n  /a:\n    $ref: 'https://example.com/a.yaml'\n"),
            "/paths/~1a/$ref",
            Some(5),
            "outside this document",
        ),
        (
            format!("{head}paths: {{}}\ncomponents:\n  schemas:\n    A:\n      $ref: 'file:///etc/passwd'\n"),
            "/components/schemas/A/$ref",
            Some(7),
            "outside this document",
        ),
        (
            format!("{head}paths: {{}}\ncomponents:\n  schemas:\n    A: {{$ref: other.yaml#/A}}\n"),
            "/components/schemas/A/$ref",
            Some(6),
            "outside this document",
        ),
        (
            format!(
                "{head}paths: {{}}\ncomponents:\n  schemas:\n    A: {{$ref: '#/components/schemas/B'}}\n"
            ),
            "/components/schemas/A/$ref",
            Some(6),
            "leads nowhere",
        ),
        (
            format!(
                "{head}paths: {{}}\ncomponents:\n  schemas:\n    A: {{$ref: '#/components/schemas/A'}}\n"
            ),
            "/components/schemas/A/$ref",
            Some(6),
            "back to itself",
        ),
        (format!("{head}paths: {{}}\nx-a: \"a\\0b\"\n"), "/x-a", Some(4), "NUL"),
        (format!("{head}paths: {{}}\nx-a: !mine 1\n"), "/x-a", Some(4), "has no meaning"),
        (format!("{head}paths: {{}}\nx-a: &a [*a]\n"), "/x-a/0", Some(4), "inside the value"),
    ];
    for (text, pointer, line, words) in cases {
        let found = faults(&text);
        let hit = found.iter().any(|f| {
            f.pointer == pointer
                && (line.is_none() || f.line == line)
                && f.column.is_some()
                && f.message.contains(words)
        });
        assert!(hit, "expected {pointer:?} line {line:?} {words:?} in\n{text}\nfound {found:#?}");
    }
}

#[test]
fn data_that_only_looks_like_a_reference_is_left_alone() {
    let text = r##"{
        "openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {},
        "x-note": {"$ref": "http://example.com/"},
        "components": {"schemas": {"A": {
            "properties": {"$ref": {"type": "string"}, "default": {"type": "string"}},
            "default": {"$ref": "nowhere"}, "enum": [{"$ref": "nowhere"}], "examples": [{"$ref": "x.json"}]
        }}}
    }"##;
    let document = Document::parse(text).expect("no faults");
    let names: Vec<String> =
        document.schema("A").expect("there").members.into_iter().map(|p| p.name).collect();
    assert_eq!(names, ["$ref", "default"]);
}

#[test]
fn many_faults_are_reported_at_once_but_not_endlessly() {
    let mut text = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n".to_owned();
    for n in 0..200 {
        text.push_str(&format!("  p{n}: {{}}\n"));
    }
    let found = faults(&text);
    assert_eq!(found.len(), 50);
    assert_eq!(
        found[49].to_string(),
        "line 53, /paths/p49: `p49` does not begin with `/`; expected a path like /countries/{code}"
    );
}

#[test]
fn more_operations_than_the_bound_are_refused() {
    let mut text = r#"{"openapi":"3.1.0","info":{"title":"T","version":"1"},"paths":{"#.to_owned();
    let paths: Vec<String> =
        (0..=tollgate_openapi::OPERATIONS_MAX).map(|n| format!(r#""/p{n}":{{"get":{{}}}}"#)).collect();
    text.push_str(&paths.join(","));
    text.push_str("}}");
    assert!(faults(&text)[0].message.contains("at most 10000"));
}

#[test]
fn aliases_and_merge_keys_are_expanded_and_faults_inside_take_the_place_of_the_alias() {
    let text = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\nx-shared: &shared\n  summary: Shared\n  tags: [a]\n\
                paths:\n  /a:\n    get:\n      <<: *shared\n      summary: Own\n  /b:\n    get: *shared\n";
    let document = Document::parse(text).expect("no faults");
    let summaries: Vec<&str> = document.operations().iter().map(|o| o.summary.as_str()).collect();
    assert_eq!(summaries, ["Own", "Shared"]);
    assert_eq!(document.operations()[0].tags, ["a"]);

    let text = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\nx-p: &p {name: 1, in: query}\npaths:\n  /a:\n    parameters:\n      - *p\n";
    let found = faults(text);
    assert_eq!((found[0].pointer.as_str(), found[0].line), ("/paths/~1a/parameters/0/name", Some(7)));
}
