//! The committed JSON Schema is the one of the code.

use std::path::PathBuf;

#[test]
fn the_committed_schema_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/files.schema.json");
    let expected = format!("{:#}\n", tollgate_manifest::schema());
    if std::env::var_os("TOLLGATE_REWRITE_SCHEMA").is_some() {
        std::fs::write(&path, &expected).expect("the schema can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "write it again: tollgate schema > docs/files.schema.json, or run this test with TOLLGATE_REWRITE_SCHEMA=1"
    );
}
