//! What of an OpenAPI document can be found by the portal's search.

use tollgate_openapi::Document;
use tollgate_store::SearchEntry;

use crate::{Control, Result};

impl Control {
    /// Makes documents findable that were published before there was a search in the database.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn find_what_is_published(&self) -> Result<()> {
        for api in self.store.list_apis_not_findable().await? {
            let Some(document) = self.store.find_document(api).await? else { continue };
            // One that an older release took and this one does not is found by its product only.
            let reading = tokio::task::spawn_blocking(move || Document::from_value(document).ok());
            let Ok(Some(document)) = reading.await else { continue };
            let mut tx = self.store.begin().await?;
            tx.put_search_entries(api, &entries(&document)).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

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
