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
    /// Its type in words: `integer`, `string (date-time)`, `array of string`.
    pub schema: String,
    /// The values it may have, where they are listed.
    pub allowed: Vec<String>,
    /// What holds when it is left out.
    pub default: Option<String>,
    /// Bounds in words: `1 to 100`, `at most 64 characters`.
    pub bounds: Option<String>,
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
    /// Names and meanings of its headers.
    pub headers: Vec<Property>,
    /// One entry per media type; empty where nothing is sent.
    pub content: Vec<Media>,
}

/// A body in one media type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Media {
    /// Like `application/json`.
    pub media_type: String,
    /// Its shape.
    pub schema: Schema,
    /// Given, or made from the schema.
    pub example: Option<Value>,
    /// Whether nobody wrote the example.
    pub example_generated: bool,
}

impl Media {
    /// The example as people read it: indented JSON, or a text as it is.
    #[must_use]
    pub fn example_text(&self) -> Option<String> {
        match self.example.as_ref()? {
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
pub struct Schema {
    /// Its name among the components; empty for one that stands inline.
    pub name: String,
    /// Its type in words: `Country`, `array of Country`.
    pub summary: String,
    /// CommonMark; may be empty.
    pub description: String,
    /// The values it may have, where they are listed.
    pub allowed: Vec<String>,
    /// Its members, and the members of these one level deeper.
    pub properties: Vec<Property>,
    /// Its alternatives (`oneOf`, `anyOf`), shown as tabs.
    pub variants: Vec<Variant>,
}

/// One of the alternatives of a schema.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variant {
    /// Its title or type in words.
    pub summary: String,
    /// Its members.
    pub properties: Vec<Property>,
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// 0 for a member of the schema itself, 1 for a member of the member before it.
    pub depth: u8,
    /// Its type in words.
    pub schema: String,
    /// Whether it is always there.
    pub required: bool,
    /// Whether callers should leave it.
    pub deprecated: bool,
    /// CommonMark; may be empty.
    pub description: String,
    /// The values it may have, where they are listed.
    pub allowed: Vec<String>,
    /// What holds when it is left out.
    pub default: Option<String>,
    /// Bounds in words.
    pub bounds: Option<String>,
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
