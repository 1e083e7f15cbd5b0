//! What pages and tools are shown of a document: plain structs, ready to render or to send.

use serde::Serialize;
use serde_json::Value;

/// An address that the document names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Server {
    /// Its URL with variables replaced by their defaults; may be relative.
    pub url: String,
    /// What it is for.
    pub description: String,
}

/// A group of operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// As operations name it.
    pub name: String,
    /// What belongs together here (CommonMark); may be empty.
    pub description: String,
}

/// One operation in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// Upper-case method.
    pub method: String,
    /// Path template, like `/countries/{code}`.
    pub path: String,
    /// The operationId given, else one derived from method and path; unique in its document.
    pub operation_id: String,
    /// One line; the id where the document has none.
    pub summary: String,
    /// The groups it is in.
    pub tags: Vec<String>,
    /// Whether callers should leave it.
    pub deprecated: bool,
}

/// All of one operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OperationDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub operation: Operation,
    /// CommonMark; may be empty.
    pub description: String,
    /// Path, query, header and cookie parameters; those of the path first where not overridden.
    pub parameters: Vec<Parameter>,
    /// What is sent, if anything.
    pub request_body: Option<RequestBody>,
    /// In the order of the document.
    pub responses: Vec<Response>,
    /// `x-codeSamples` of its author.
    pub code_samples: Vec<CodeSample>,
    /// What the API calls in turn; none inside another callback.
    pub callbacks: Vec<Callback>,
    /// Ways to prove who calls, any of which will do, as the document tells them.
    pub security: Vec<Vec<SecurityNeed>>,
    /// Where its author says more: an address and what is there.
    pub external_docs: Option<(String, String)>,
}

/// What an API calls in turn: an address that came with the request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Callback {
    /// The name its author gave it.
    pub name: String,
    /// The runtime expression of its address, like `{$request.body#/url}`.
    pub expression: String,
    /// What it sends, and which answers it understands.
    pub operation: OperationDetail,
}

/// One thing that proves who calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecurityNeed {
    /// Its name in the document.
    pub scheme: String,
    /// In words: `OAuth 2.0`, `key in the header X-Token`.
    pub kind: String,
    /// The scopes it must have.
    pub scopes: Vec<String>,
}

/// Tags that belong together (`x-tagGroups`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagGroup {
    /// What they have in common.
    pub name: String,
    /// Names of tags.
    pub tags: Vec<String>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query`, `header` or `cookie`.
    pub location: String,
    /// Whether a call must have it.
    pub required: bool,
    /// Whether callers should leave it.
    pub deprecated: bool,
    /// CommonMark; may be empty.
    pub description: String,
    /// What it holds.
    pub shape: Shape,
    /// Given, or made from its schema.
    pub example: Option<Value>,
    /// Whether a list is sent as a repeated parameter rather than with commas.
    pub explode: bool,
}

/// What a call sends.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestBody {
    /// Whether a call must have it.
    pub required: bool,
    /// CommonMark; may be empty.
    pub description: String,
    /// One entry per media type.
    pub content: Vec<Media>,
}

/// What a call answers with one status.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Response {
    /// `200`, `4XX` or `default`.
    pub status: String,
    /// CommonMark; may be empty.
    pub description: String,
    /// Its headers.
    pub headers: Vec<Member>,
    /// One entry per media type; empty where nothing is sent.
    pub content: Vec<Media>,
}

/// A body in one media type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Media {
    /// Like `application/json`.
    pub media_type: String,
    /// What it holds.
    pub shape: Shape,
    /// Given, or made from the schema.
    pub example: Option<Value>,
    /// Further examples of its author, by name.
    pub more_examples: Vec<(String, Value)>,
    /// Whether nobody wrote the example.
    pub example_generated: bool,
}

impl Media {
    /// The example as people read it: indented JSON, or a text as it is.
    #[must_use]
    pub fn example_text(&self) -> Option<String> {
        self.text_of(self.example.as_ref()?)
    }

    /// A value of this media type as people read it.
    #[must_use]
    pub fn text_of(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) if !is_json(&self.media_type) => Some(text.clone()),
            value => serde_json::to_string_pretty(value).ok(),
        }
    }
}

/// Whether a media type carries JSON (RFC 6839).
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence == "*/*" || essence.ends_with("+json")
}

/// A schema for reading: `allOf` merged, references followed, cycles cut.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Shape {
    /// The component that holds its members, also of a list's items; empty where none does.
    pub name: String,
    /// Its type in words: `Country`, `array of Country`, `string (date-time) or null`.
    pub summary: String,
    /// What its author calls it; may be empty.
    pub title: String,
    /// CommonMark; may be empty.
    pub description: String,
    /// The values it may have, where they are listed.
    pub allowed: Vec<String>,
    /// How many more values are listed than `allowed` has.
    pub allowed_more: usize,
    /// What holds when it is left out.
    pub default: Option<String>,
    /// What a value looks like, where its author says so.
    pub example: Option<String>,
    /// Bounds in words: `1 to 100`, `at most 64 characters`, `each once`.
    pub bounds: Vec<String>,
    /// The regular expression that a text must match; may be empty.
    pub pattern: String,
    /// Whether callers should leave it.
    pub deprecated: bool,
    /// Whether only answers carry it.
    pub read_only: bool,
    /// Whether only requests carry it.
    pub write_only: bool,
    /// Its members, those of a list's items, or those of a map's values.
    pub members: Vec<Member>,
    /// Its alternatives (`oneOf`, `anyOf`).
    pub variants: Vec<Shape>,
    /// How many more alternatives there are than `variants` has.
    pub variants_more: usize,
    /// Whether several alternatives may hold at once (`anyOf`).
    pub any_of: bool,
    /// The member that tells the alternatives apart; may be empty.
    pub discriminator: String,
    /// Whether it has members or alternatives that are left out here: a cycle, or too much for one page.
    pub cut: bool,
}

/// One member of an object, or one header.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Whether it is always there.
    pub required: bool,
    /// What it holds.
    pub shape: Shape,
}

/// A sample call that the document's author wrote (`x-codeSamples`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeSample {
    /// The language, as the author names it.
    pub language: String,
    /// What the tab says.
    pub label: String,
    /// The code.
    pub source: String,
}
