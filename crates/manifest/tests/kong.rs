//! A file of Kong becomes a state of ours, and nothing of it is left out in silence.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use tollgate_manifest::{KongNote, from_kong};

const FILE: &str = r#"
_format_version: "3.0"
services:
  - name: billing
    host: billing.upstream
    port: 8080
    path: /v2
    protocol: http
    connect_timeout: 500
    retries: 5
    routes:
      - name: invoices
        paths: [/billing, "~/bills/(?<id>\\d+)$"]
        methods: [GET, POST]
        hosts: [API.example.com, "*.example.com"]
        plugins:
          - name: cors
    plugins:
      - name: rate-limiting
        config: { minute: 60, month: 10000, year: 5, limit_by: ip }
  - name: maps
    url: https://maps.example.net/
routes:
  - name: tiles
    service: { name: maps }
    paths: [/tiles]
    strip_path: false
    headers: { X-Version: ["2"] }
  - name: fonts
    service: { name: maps }
    paths: [/fonts]
    headers: { X-Version: ["1", "2"] }
  - name: icons
    service: { name: maps }
    paths: [/icons]
    headers: { Host: [a.example] }
  - name: lost
    paths: [/lost]
upstreams:
  - name: billing.upstream
    targets:
      - { target: "10.0.0.1:8000", weight: 100 }
      - { target: "10.0.0.2:8000", weight: 50 }
plugins:
  - name: key-auth
    config: { key_in_query: false, key_names: [x-api-key] }
  - name: rate-limiting
    service: maps
    config: { minute: 90 }
consumers:
  - username: globex
    keyauth_credentials: [{ key: secret }]
    acls: [{ group: a }]
vaults: []
"#;

fn of<'a>(notes: &'a [KongNote], entry: &str) -> Vec<&'a KongNote> {
    notes.iter().filter(|note| note.entry == entry).collect()
}

#[test]
fn services_routes_and_limits_are_taken_over() {
    let (state, notes) = from_kong(FILE).unwrap();
    let urls: Vec<&str> = state.services[0].targets.iter().map(|target| target.url.as_str()).collect();
    assert_eq!(urls, ["http://10.0.0.1:8000/v2", "http://10.0.0.2:8000/v2"]);
    assert_eq!((state.services[0].connect_timeout_ms, state.services[0].read_timeout_ms), (500, 60_000));
    assert_eq!(state.services[1].targets[0].url, "https://maps.example.net");

    let bases: Vec<(&str, &str, Vec<String>)> =
        state.apis.iter().map(|api| (api.slug.as_str(), api.base_path.as_str(), api.hosts.clone())).collect();
    assert_eq!(
        bases,
        [
            ("billing-billing", "/billing", vec!["api.example.com".to_owned()]),
            ("maps-tiles", "", vec![]),
            ("maps-fonts", "/fonts", vec![]),
            ("maps-icons", "/icons", vec![]),
        ]
    );
    let headers: Vec<(&str, &str)> = { state.apis[1].match_headers.iter() }
        .map(|condition| (condition.name.as_str(), condition.value.as_str()))
        .collect();
    assert_eq!(headers, [("x-version", "2")]);
    assert!(state.apis[2..].iter().all(|api| api.match_headers.is_empty()));
    let document: serde_json::Value = serde_json::from_str(state.apis[1].document.as_ref().unwrap()).unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/tiles", "/tiles/{*rest}"]);
    let limits: Vec<(&str, u64)> =
        state.plans[0].limits.iter().map(|limit| (limit.name.as_str(), limit.amount)).collect();
    assert_eq!(limits, [("minute", 90), ("month", 10_000)]);
    assert!(of(&notes, "plugin key-auth of everything")[0].whole);
}

#[test]
fn what_could_not_be_taken_over_is_said() {
    let (_, notes) = from_kong(FILE).unwrap();
    for (entry, text) in [
        ("service billing", "without retries"),
        ("route invoices", "hosts have no wildcards"),
        ("route invoices", "regular expression"),
        ("plugin cors of route invoices", "nothing here was made of it"),
        ("plugin rate-limiting of service billing", "counted by ip"),
        ("plugin rate-limiting of service billing", "per year"),
        ("route fonts", "one value of a header"),
        ("route icons", "meaning of its own"),
        ("route lost", "no service"),
        ("consumer globex", "1 key must be replaced"),
        ("consumer globex", "acls"),
        ("vaults", "nothing here is like it"),
    ] {
        let found = of(&notes, entry);
        assert!(found.iter().any(|note| !note.whole && note.text.contains(text)), "{entry}: {found:#?}");
    }
}

#[test]
fn what_is_written_can_be_read_again() {
    let (state, _) = from_kong(FILE).unwrap();
    let text = tollgate_manifest::stream(&state);
    let file = tollgate_manifest::File { name: "kong.yaml".to_owned(), text };
    let read = tollgate_manifest::Manifest::read(&[file], &mut |_, path| Err(format!("{path} is not there")));
    assert!(read.faults.is_empty(), "{:#?}", read.faults);
    let conditions = |state: &tollgate_domain::declared::State| -> std::collections::BTreeMap<_, _> {
        state.apis.iter().map(|api| (api.slug.clone(), api.match_headers.clone())).collect()
    };
    assert_eq!(conditions(&read.state), conditions(&state));
}

#[test]
fn what_is_no_file_of_kong_is_refused() {
    for (text, reason) in [("a: [", "line"), ("[]", "mapping"), ("openapi: 3.1.0", "no declarative file")] {
        assert!(from_kong(text).unwrap_err().contains(reason), "{text}");
    }
}
