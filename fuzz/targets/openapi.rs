//! Reading any document ends, within bounds, and so does listing what it offers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_openapi::Document;

fuzz_target!(|text: &str| {
    let Ok(document) = Document::parse(text) else { return };
    for operation in document.operations() {
        let _ = document.operation(&operation.operation_id);
    }
    for name in document.schema_names() {
        let _ = (document.schema(name), document.schema_example(name));
    }
    // What was taken is taken again.
    assert!(Document::from_value(document.value().clone()).is_ok());
});
