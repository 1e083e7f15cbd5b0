//! OpenAPI documents, read once per version, and what the catalogue needs of them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tollgate_domain::{ApiId, HeaderMatch};
use tollgate_openapi::{Call, Document, Language, Operation, OperationDetail, snippet};
use tollgate_store::{ApiRow, Store};

use crate::error::Fault;

/// How many read documents are kept at once.
const KEPT: usize = 64;

type Key = (ApiId, i32);

/// Documents by API and number; a number never changes its content.
#[derive(Clone, Default)]
pub struct Documents(Arc<RwLock<HashMap<Key, Arc<Document>>>>);

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Documents")
    }
}

impl Documents {
    /// The document in force, if there is one that can be read.
    ///
    /// # Errors
    /// The database is away.
    pub async fn of(&self, store: &Store, api: &ApiRow) -> Result<Option<Arc<Document>>, Fault> {
        if api.document_number == 0 {
            return Ok(None);
        }
        let key = (api.id, api.document_number);
        if let Some(document) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Some(Arc::clone(document)));
        }
        let Some(value) = store.find_document(api.id).await? else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || Document::from_value(value)).await;
        let document = match read {
            Ok(Ok(document)) => Arc::new(document),
            Ok(Err(faults)) => {
                tracing::warn!(api = %api.slug, faults = faults.len(), "a stored document cannot be read");
                return Ok(None);
            }
            Err(_) => return Ok(None),
        };
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&document));
        Ok(Some(document))
    }
}

/// Where an API is called: the gateway's address with the API's first host, if it has one, and its base path.
#[must_use]
pub fn base_url(gateway_url: &str, api: &ApiRow) -> String {
    let gateway = gateway_url.trim_end_matches('/');
    let address = match (api.hosts.first(), gateway.split_once("://")) {
        (Some(host), Some((scheme, authority))) => {
            let port =
                authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
            port.map_or_else(|| format!("{scheme}://{host}"), |(_, port)| format!("{scheme}://{host}:{port}"))
        }
        _ => gateway.to_owned(),
    };
    format!("{address}{}", api.base_path)
}

/// Where an API is called, and what its calls must say to be its own.
#[derive(Debug, Clone)]
pub struct Address {
    /// Of all its operations.
    pub base_url: String,
    /// Mostly nothing.
    pub headers: Vec<HeaderMatch>,
}

impl Address {
    /// An address whose calls need to say nothing.
    #[must_use]
    pub fn plain(base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), headers: Vec::new() }
    }

    /// The address of an API.
    #[must_use]
    pub fn of(gateway_url: &str, api: &ApiRow) -> Self {
        Self { base_url: base_url(gateway_url, api), headers: api.match_headers.clone() }
    }

    /// A sample call of an operation.
    #[must_use]
    pub fn call(&self, operation: &OperationDetail) -> Call {
        let mut call = Call::of(&self.base_url, operation);
        let is_said = |header: &(String, String)| {
            self.headers.iter().any(|condition| header.0.eq_ignore_ascii_case(&condition.name))
        };
        call.headers.retain(|header| !is_said(header));
        call.headers.splice(0..0, self.headers.iter().map(|one| (one.name.clone(), one.value.clone())));
        call
    }
}

/// How many operations are looked at for one to show first.
const CANDIDATES: usize = 8;

/// The operation to show first: one that reads and needs the fewest parameters. Large documents have thousands,
/// so only those with the fewest path parameters are read closely.
#[must_use]
pub fn first_call(document: &Document) -> Option<OperationDetail> {
    let reads = |operation: &&Operation| operation.method == "GET" && !operation.deprecated;
    let mut candidates: Vec<&Operation> = document.operations().iter().filter(reads).collect();
    candidates.sort_by_key(|operation| operation.path.matches('{').count());
    let read =
        candidates.into_iter().take(CANDIDATES).filter_map(|one| document.operation(&one.operation_id));
    read.min_by_key(|detail| detail.parameters.iter().filter(|parameter| parameter.required).count())
}

/// What stands for the reader's own key in commands.
pub const KEY_PLACEHOLDER: &str = "YOUR_KEY";

/// A curl command for an operation; without a key, with a placeholder.
#[must_use]
pub fn curl(gateway_url: &str, api: &ApiRow, operation: &OperationDetail, key: Option<&str>) -> String {
    let call = Address::of(gateway_url, api).call(operation);
    snippet(Language::Curl, &call, key.unwrap_or(KEY_PLACEHOLDER))
}

/// The example of the first answer that went well, with its media type.
#[must_use]
pub fn good_answer(operation: &OperationDetail) -> Option<String> {
    let good = operation.responses.iter().find(|response| response.status.starts_with('2'))?;
    good.content.iter().find_map(tollgate_openapi::Media::example_text)
}
