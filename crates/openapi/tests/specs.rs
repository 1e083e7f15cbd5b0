//! Real documents of every dialect are read, lifted and listed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tollgate_openapi::{Call, Dialect, Document, Language, OperationDetail, snippet};

fn curl_example(base_url: &str, operation: &OperationDetail, key: &str) -> String {
    snippet(Language::Curl, &Call::of(base_url, operation), key)
}

/// The folder of real documents, where it is present.
fn specs() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
    if !folder.is_dir() {
        println!("skipped: no folder {} with documents to read", folder.display());
        return None;
    }
    Some(folder)
}

fn document(name: &str) -> Option<Document> {
    let text = std::fs::read_to_string(specs()?.join(name)).expect("readable");
    Some(Document::parse(&text).unwrap_or_else(|faults| panic!("{name}: {faults:#?}")))
}

#[test]
fn every_document_is_read_lifted_and_read_again_unchanged() {
    let Some(folder) = specs() else { return };
    let mut read = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        if !name.starts_with('v') && !name.starts_with("discord") {
            continue;
        }
        let document = document(&name).expect("the folder is there");
        let expected = match &name[..4] {
            "v2.0" => Dialect::V2,
            "v3.0" => Dialect::V30,
            _ => Dialect::V31,
        };
        assert_eq!(document.written_in(), expected, "{name}");
        assert!(!document.title().is_empty() && !document.version().is_empty(), "{name}");
        if !name.contains("webhook") {
            assert!(!document.operations().is_empty(), "{name}");
        }
        for operation in document.operations() {
            let detail = document.operation(&operation.operation_id).expect("found by its id");
            assert_eq!(&detail.operation, operation);
            let named = operation.path.matches('{').count();
            let path_parameters = detail.parameters.iter().filter(|p| p.location == "path").count();
            assert_eq!(named, path_parameters, "{name} {} {}", operation.method, operation.path);
            assert!(
                !detail.responses.is_empty() || name.contains("scopes"),
                "{name} {}",
                operation.operation_id
            );
            let curl = curl_example("http://127.0.0.1:8080", &detail, "$KEY");
            assert!(curl.starts_with("curl 'http://127.0.0.1:8080/") && !curl.contains('\u{0}'), "{curl}");
        }
        let again = Document::parse(&document.value().to_string()).expect("a lifted document has no faults");
        assert_eq!(again.value(), document.value(), "{name}");
        assert_eq!(again.written_in(), Dialect::V31);
        assert_eq!(again.operations(), document.operations(), "{name}");
        read += 1;
    }
    assert!(read >= 11, "{read} documents");
}

#[test]
fn a_large_document_with_cycles_is_listed_and_detailed_quickly_on_a_small_stack() {
    let Some(folder) = specs() else { return };
    let text = std::fs::read_to_string(folder.join("discord-3.1.json")).expect("readable");
    let work = move || {
        let started = Instant::now();
        let document = Document::parse(&text).expect("no faults");
        assert!(document.operations().len() > 200);
        let parsed = started.elapsed();
        let mut slowest = Duration::ZERO;
        let mut bytes = 0;
        for operation in document.operations() {
            let before = Instant::now();
            let detail = document.operation(&operation.operation_id).expect("listed");
            bytes += serde_json::to_string(&detail).expect("plain").len();
            slowest = slowest.max(before.elapsed());
        }
        for name in document.schema_names() {
            assert_eq!(document.schema(name).expect("listed").name, name);
        }
        println!("parsed in {parsed:?}; slowest operation {slowest:?}; {bytes} bytes of details");
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
        assert!(bytes < 60_000_000, "{bytes}");
    };
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(work).expect("a thread");
    thread.join().expect("no overflow and no panic");
}

#[test]
fn swagger_2_becomes_servers_bodies_and_components() {
    let Some(document) = document("v2.0-petstore-expanded.json") else { return };
    assert_eq!(document.servers()[0].url, "http://petstore.swagger.io/api");
    let add = document.operation("addPet").expect("there");
    let body = add.request_body.expect("a body");
    assert!(body.required);
    assert_eq!(body.content[0].media_type, "application/json");
    assert_eq!(body.content[0].shape.summary, "NewPet");
    assert_eq!(body.content[0].shape.members[0].name, "name");
    let find = document.operation("findPets").expect("there");
    assert_eq!(find.parameters[0].shape.summary, "array of string");
    assert!(!find.parameters[0].explode);
    assert_eq!(find.responses[0].content[0].shape.summary, "array of Pet");
    let names: Vec<&str> =
        find.responses[0].content[0].shape.members.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["name", "tag", "id"]);
}

#[test]
fn operations_of_3_1_carry_merged_parameters_and_examples() {
    let Some(document) = document("v3.1-tictactoe.yaml") else { return };
    let square = document.operation("put-square").expect("there");
    let names: Vec<&str> = square.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["row", "column", "progressUrl"]);
    assert_eq!(square.parameters[0].shape.bounds, ["1 to 3"]);
    let bad = square.responses.iter().find(|r| r.status == "400").expect("documented");
    assert_eq!(bad.content[0].example_text().as_deref(), Some("Illegal coordinates."));
    assert_eq!(document.tags()[0].name, "Gameplay");
    let curl = curl_example("https://api.example.com/", &square, "$TOLLGATE_KEY");
    assert!(curl.contains("'https://api.example.com/board/1/1'"), "{curl}");
    assert!(curl.contains("-X PUT") && curl.contains("-H \"X-API-Key: $TOLLGATE_KEY\""), "{curl}");
    assert!(curl.contains("-d '\".\"'"), "{curl}");
}
