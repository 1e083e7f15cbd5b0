//! What is wrong with files is said all at once, each fault with its file, line and field.

use tollgate_manifest::{File, Manifest};

fn read(texts: &[(&str, &str)]) -> Manifest {
    let file = |(name, text): &(&str, &str)| File { name: (*name).to_owned(), text: (*text).to_owned() };
    let files: Vec<File> = texts.iter().map(file).collect();
    Manifest::read(&files, &mut |_, path| match path {
        "./there.yaml" => Ok(File { name: "dir/there.yaml".to_owned(), text: "openapi: 3.1.0\n".to_owned() }),
        _ => Err("no such file".to_owned()),
    })
}

fn faults(manifest: &Manifest) -> Vec<String> {
    manifest.faults.iter().map(ToString::to_string).collect()
}

const PLAN: &str = "kind: plan
product: atlas
slug: free
name: Free
price: { minor: 0, currency: EUR }
limits:
  - name: burst
    kind: rate
    amount: 10
    period: second
";

#[test]
fn every_fault_of_every_file_is_told_at_once() {
    let manifest = read(&[
        (
            "services.yaml",
            "kind: service\nslug: Atlas!\nname: Atlas\nnam: x\ntargets:\n  - url: http://127.0.0.1\n    weight: many\n---\nkind: servise\n",
        ),
        (
            "plans.yaml",
            "- kind: plan\n  product: atlas\n  slug: free\n  name: 7\n  state: opne\n- just words\n",
        ),
        ("broken.yaml", "kind: service\n  slug: [\n"),
    ]);
    assert_eq!(
        faults(&manifest),
        [
            "services.yaml:2:7: service Atlas!, slug: expected a slug: 1 to 64 of a-z, 0-9 and -, with a letter or digit at both ends, found `Atlas!`",
            "services.yaml:4:1: service Atlas!, nam: there is no such field; did you mean `name`?",
            "services.yaml:7:13: service Atlas!, targets[0].weight: expected a whole number between 0 and 1000, found `many`",
            "services.yaml:9:7: kind: `servise` is no kind of resource: expected one of `service`, `api`, `product`, `plan`, `policies`, `portal`, `page`; did you mean `service`?",
            "plans.yaml:1:3: plan atlas/free, price: missing; what it costs",
            "plans.yaml:4:9: plan atlas/free, name: expected text, found the number 7; text that looks like something else stands in quotes",
            "plans.yaml:5:10: plan atlas/free, state: expected one of `open`, `announced`, `closed`, found `opne`; did you mean `open`?",
            "plans.yaml:6:3: expected a resource that begins with `kind:`, found `just words`",
            "broken.yaml:2:7: not valid YAML: mapping values are not allowed in this context",
        ]
    );
    assert!(manifest.is_empty());
}

#[test]
fn a_resource_declared_twice_names_both_places() {
    let manifest = read(&[("a.yaml", PLAN), ("b.yaml", PLAN)]);
    assert_eq!(
        faults(&manifest),
        ["b.yaml:3:1: plan atlas/free, slug: declared twice; the first is at a.yaml:3"]
    );
    assert_eq!(manifest.len(), 1);
}

#[test]
fn a_key_that_stands_twice_is_a_fault() {
    let manifest = read(&[("a.yaml", &format!("{PLAN}name: Again\n"))]);
    assert_eq!(faults(&manifest), ["a.yaml:11:1: the key `name` stands twice; the first is on line 4"]);
}

#[test]
fn faults_of_the_platform_come_back_to_their_lines() {
    let api = "kind: api\nslug: atlas\nname: Atlas\nservice: atlas\ndocument: ./there.yaml\n---\nkind: api\nslug: inside\nname: Inside\nservice: atlas\ndocument:\n  openapi: 3.1.0\n  paths:\n    things: {}\n";
    let manifest = read(&[("plans.yaml", PLAN), ("apis.yaml", api)]);
    assert_eq!(faults(&manifest), [""; 0]);
    for (pointer, message, expected) in [
        (
            "/plans/0/limits/0/amount",
            "too much",
            "plans.yaml:9:5: plan atlas/free, limits[0].amount: too much",
        ),
        ("/plans/0/limits/0/burst", "missing", "plans.yaml:7:5: plan atlas/free, limits[0].burst: missing"),
        (
            "/apis/0/document/paths/things",
            "line 4: no slash",
            "dir/there.yaml:4: api atlas, document: at /paths/things: no slash",
        ),
        (
            "/apis/1/document/paths/things",
            "line 1: no slash",
            "apis.yaml:14:5: api inside, document: at /paths/things: no slash",
        ),
        ("", "the whole is wrong", "the whole is wrong"),
    ] {
        assert_eq!(manifest.place(pointer, message).to_string(), expected);
    }
}

#[test]
fn a_document_that_cannot_be_read_is_a_fault_of_its_field() {
    let api = "kind: api\nslug: atlas\nname: Atlas\nservice: atlas\ndocument: ./gone.yaml\n";
    assert_eq!(faults(&read(&[("apis.yaml", api)])), ["apis.yaml:5:1: api atlas, document: no such file"]);
}

#[test]
fn openapi_documents_among_the_files_are_no_manifests() {
    let api = "kind: api\nslug: atlas\nname: Atlas\nservice: atlas\ndocument: ./there.yaml\n";
    let openapi = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\n";
    let manifest = read(&[("apis.yaml", api), ("dir/there.yaml", openapi), ("dir/other.yaml", openapi)]);
    assert_eq!(faults(&manifest), [""; 0]);
    assert_eq!(manifest.unused_documents, ["dir/other.yaml"]);
}

#[test]
fn defaults_are_filled_in_and_aliases_copied() {
    let text = "kind: service\nslug: a\nname: &name Same\ntargets:\n  - url: http://a\n---\nkind: product\nslug: p\nname: &n P\nsummary: *n\n";
    let manifest = read(&[("a.yaml", text)]);
    assert_eq!(faults(&manifest), [""; 0]);
    let service = &manifest.state.services[0];
    assert_eq!((service.read_timeout_ms, service.targets[0].weight), (30_000, 100));
    assert_eq!(manifest.state.products[0].summary, "P");
}

#[test]
fn a_few_lines_of_aliases_cannot_grow_without_bound() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [below.as_str(); 10].join(", ")));
    }
    let manifest = read(&[("bomb.yaml", &text)]);
    assert!(manifest.faults[0].message.contains("more than 1000000 values"), "{:?}", faults(&manifest));
}
