//! What of an OpenAPI document can be found by the portal's search.

use tollgate_openapi::Document;
use tollgate_store::SearchEntry;

/// Its operations and schemas.
pub fn entries(document: &Document) -> Vec<SearchEntry> {
    let operations = document.operations().iter().map(|one| SearchEntry {
        kind: "operation",
        name: one.operation_id.clone(),
        method: one.method.clone(),
        title: one.summary.clone(),
        about: one.path.clone(),
        names: words(&format!("{} {} {} {}", one.operation_id, one.path, one.tags.join(" "), one.method)),
        text: document.operation(&one.operation_id).map(|detail| detail.description).unwrap_or_default(),
    });
    let schemas = document.schema_names().map(|name| SearchEntry {
        kind: "schema",
        name: name.to_owned(),
        title: name.to_owned(),
        names: words(name),
        ..SearchEntry::default()
    });
    operations.chain(schemas).collect()
}

/// Names as people look for them: `getCountry` also as get and Country, a path without its slashes.
fn words(names: &str) -> String {
    let mut apart = String::with_capacity(names.len() * 2);
    let mut before = ' ';
    for c in names.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            apart.push(' ');
        }
        apart.push(if c.is_alphanumeric() { c } else { ' ' });
        before = c;
    }
    let whole = names.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' });
    whole.chain(" ".chars()).chain(apart.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whole_and_in_parts() {
        let found = words("getCountry /v1/countries/{code}");
        let found: Vec<&str> = found.split_whitespace().collect();
        assert_eq!(
            found,
            ["getCountry", "v1", "countries", "code", "get", "Country", "v1", "countries", "code"]
        );
    }
}
