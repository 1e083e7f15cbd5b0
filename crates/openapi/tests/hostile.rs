//! Whatever the text: no panic, no overflow, no long wait, and lifting what was lifted changes nothing.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use tollgate_openapi::{Call, Document, Language, TEXT_BYTES_MAX, snippet};

/// Parses on a thread with the stack of a small worker and returns how long it took.
fn refused(name: &str, text: String) {
    let started = Instant::now();
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    let result = thread.spawn(move || Document::parse(&text).map(|_| ())).expect("a thread").join();
    let faults = result.unwrap_or_else(|_| panic!("{name} panicked")).expect_err(name);
    let took = started.elapsed();
    println!("{name}: {took:?}: {}", faults[0]);
    // Unoptimised builds on a busy machine are slow; a bomb would take hours.
    assert!(took < Duration::from_secs(20), "{name} took {took:?}");
}

#[test]
fn bombs_end_quickly() {
    let mut laughs = "openapi: 3.1.0\na0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for n in 1..40 {
        let again = format!("*a{}, ", n - 1).repeat(9);
        laughs.push_str(&format!("a{n}: &a{n} [{}]\n", again.trim_end_matches(", ")));
    }
    refused("billion laughs", laughs);
    let mut long = format!("openapi: 3.1.0\na: &a \"{}\"\nb:\n", "x".repeat(1_000_000));
    long.push_str(&"  - *a\n".repeat(1_000));
    refused("a long text repeated", long);
    let mut nested = "openapi: 3.1.0\na: ".to_owned();
    for n in 0..150 {
        nested.push_str(&format!("&n{n} ["));
    }
    nested.push_str(&format!("\"{}\"", "x".repeat(1_000_000)));
    nested.push_str(&"]".repeat(150));
    refused("an anchor on every level", nested);
    refused("deep JSON arrays", "[".repeat(5_000_000));
    refused("deep JSON objects", "{\"a\":".repeat(1_000_000));
    refused("deep YAML flow", format!("a: {}", "[".repeat(1_000_000)));
    refused("deep YAML flow objects", format!("a: {}", "{a: ".repeat(300_000)));
    refused("deep YAML blocks", format!("a:\n  {}", "- ".repeat(1_000_000)));
    refused("deep YAML keys", format!("a:\n  {}", "? ".repeat(1_000_000)));
    // Long inputs that scanners with a lookahead are slow on.
    refused("many anchors", (0..60_000).map(|n| format!("k{n}: &a{n} v\n")).collect());
    refused("a long plain text", format!("a: {}", "word\n  ".repeat(300_000)));
    refused("many empty lines", format!("a: b{}c", "\n".repeat(2_000_000)));
    refused("many comments", "# c\n".repeat(500_000));
    refused("an endless key", format!("{}: 1", "k".repeat(2_000_000)));
    refused("many possible keys", format!("[{}", "a, ".repeat(400_000)));
    refused("many possible keys in YAML", format!("a: [{}", "a, ".repeat(400_000)));
    refused("many quotes", format!("a: [{}", "'', \"\", ".repeat(200_000)));
    refused("many tags", format!("a: [{}", "!!str , ".repeat(200_000)));
    refused("many documents", "---\n".repeat(500_000));
    refused("many directives", "%TAG ! a:\n".repeat(200_000));
    refused("a block text", format!("a: |\n{}", "  x\n\n".repeat(400_000)));
    refused("many values", format!("{{\"a\":[{}1]}}", "1,".repeat(3_000_000)));
    refused("too long", " ".repeat(TEXT_BYTES_MAX + 1));
    refused("one long line", format!("{{\"a\": \"{}", "x".repeat(TEXT_BYTES_MAX - 100)));
}

#[test]
fn schemas_that_multiply_are_cut_off() {
    // Each level names the next twice: followed blindly, that is 2^60 schemas.
    let mut schemas = String::new();
    for n in 0..60 {
        schemas.push_str(&format!(
            r##""S{n}":{{"allOf":[{{"$ref":"#/components/schemas/S{m}"}},{{"$ref":"#/components/schemas/S{m}"}}],
            "properties":{{"a{n}":{{"$ref":"#/components/schemas/S{m}"}},"b{n}":{{"oneOf":[{{"$ref":"#/components/schemas/S{m}"}},
            {{"type":"array","items":{{"$ref":"#/components/schemas/S{m}"}}}}]}}}}}},"##,
            m = n + 1,
        ));
    }
    let text = format!(
        r##"{{"openapi":"3.1.0","info":{{"title":"T","version":"1"}},"paths":{{"/a":{{"post":{{"requestBody":{{"content":{{"application/json":
        {{"schema":{{"$ref":"#/components/schemas/S0"}}}}}}}},"responses":{{}}}}}}}},"components":{{"schemas":{{{schemas}"S60":
        {{"properties":{{"up":{{"$ref":"#/components/schemas/S0"}}}}}}}}}}}}"##
    );
    let started = Instant::now();
    let document = Document::parse(&text).expect("no faults");
    let detail = document.operation("post-a").expect("listed");
    assert!(serde_json::to_string(&detail).expect("plain").len() < 5_000_000);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

const SEED_V2: &str = r##"{"swagger":"2.0","info":{"title":"T","version":"1"},"host":"h","basePath":"/b","consumes":["application/json"],
"parameters":{"B":{"name":"b","in":"body","schema":{"$ref":"#/definitions/A"}},"Q":{"name":"q","in":"query","type":"array",
"items":{"type":"string"},"collectionFormat":"multi"}},"responses":{"R":{"description":"r","schema":{"type":"file"}}},
"securityDefinitions":{"o":{"type":"oauth2","flow":"accessCode","scopes":{}}},"paths":{"/a/{id}":{"parameters":[{"$ref":"#/parameters/Q"}],
"post":{"parameters":[{"$ref":"#/parameters/B"},{"name":"id","in":"path","required":true,"type":"string","x-nullable":true}],
"responses":{"200":{"$ref":"#/responses/R"},"default":{"description":"d","examples":{"text/plain":"x"}}}},
"put":{"parameters":[{"name":"f","in":"formData","type":"file"}],"responses":{}}}},
"definitions":{"A":{"type":"object","discriminator":"k","properties":{"a":{"$ref":"#/definitions/A"},"n":{"type":"integer","minimum":1,"exclusiveMinimum":true}}}}}"##;
const SEED_V30: &str = r##"{"openapi":"3.0.3","info":{"title":"T","version":"1"},"servers":[{"url":"https://{h}/","variables":{"h":{"default":"x"}}}],
"paths":{"/a/{id}":{"get":{"operationId":"g","parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer","nullable":true,"example":7}},
{"name":"l","in":"query","required":true,"schema":{"type":"array","items":{"type":"string","enum":["x y","z"]}}}],
"responses":{"200":{"description":"ok","headers":{"X-A":{"schema":{"type":"string","format":"byte"}}},
"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}}}},
"components":{"schemas":{"A":{"allOf":[{"$ref":"#/components/schemas/B"}],"nullable":true},"B":{"type":"object","properties":
{"next":{"$ref":"#/components/schemas/A"},"all":{"type":"array","items":{"$ref":"#/components/schemas/B"}},"v":{"oneOf":[{"type":"string"},{"type":"object","additionalProperties":{"type":"number"}}]}}}}}}"##;

/// Reads a text and, where it has no faults, uses everything that is offered.
fn exercise(text: &str) -> Result<(), TestCaseError> {
    let Ok(document) = Document::parse(text) else { return Ok(()) };
    for operation in document.operations() {
        let detail = document.operation(&operation.operation_id);
        let detail = detail.ok_or_else(|| TestCaseError::fail("an operation is listed but not found"))?;
        let call = Call::of("http://localhost", &detail);
        for language in Language::ALL {
            prop_assert!(snippet(language, &call, "k").contains("http://localhost"));
        }
    }
    document.schema_names().for_each(|name| drop(document.schema(name)));
    drop((document.servers(), document.tags()));
    let again = Document::parse(&document.value().to_string());
    let again = again.map_err(|faults| TestCaseError::fail(format!("lifted, then refused: {faults:?}")))?;
    prop_assert_eq!(again.value(), document.value());
    Ok(())
}

/// Replaces the n-th value of a document.
fn replace(value: &mut serde_json::Value, left: &mut usize, with: &serde_json::Value) {
    if *left == 0 {
        *value = with.clone();
    }
    *left = left.wrapping_sub(1);
    match value {
        serde_json::Value::Object(members) => members.values_mut().for_each(|v| replace(v, left, with)),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|v| replace(v, left, with)),
        _ => {}
    }
}

#[test]
fn the_seeds_of_the_mutations_are_good_documents() {
    for seed in [SEED_V2, SEED_V30] {
        Document::parse(seed).unwrap_or_else(|faults| panic!("{faults:#?}"));
        exercise(seed).expect("usable");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_replaced_value_never_panics(seed in 0..2usize, at in 0..120usize, with in 0..12usize) {
        let choices = serde_json::json!([null, true, 0, -1.5, "x", "", [], {}, [1, {"$ref": "#"}],
            {"$ref": "#/components/schemas/B"}, {"$ref": "#/definitions/A"}, {"type": ["null", 3], "nullable": true, "allOf": [true, {}]}]);
        let mut document: serde_json::Value = serde_json::from_str([SEED_V2, SEED_V30][seed]).expect("JSON");
        replace(&mut document, &mut at.clone(), &choices[with]);
        exercise(&document.to_string())?;
    }

    #[test]
    fn changed_bytes_never_panic(seed in 0..2usize, changes in prop::collection::vec((0..2000usize, any::<u8>()), 1..6), cut in 0..3000usize) {
        let mut bytes = [SEED_V2, SEED_V30][seed].as_bytes().to_vec();
        for (at, byte) in changes {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        if cut < bytes.len() && cut % 3 == 0 {
            bytes.truncate(cut);
        }
        exercise(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn any_text_is_answered(text in "(openapi: 3.1.0\n)?[ \\-?:,\\[\\]{}#&*!|>'\"%@`a-c0-9\n\t]{0,200}") {
        exercise(&text)?;
    }
}
