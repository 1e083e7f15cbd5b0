//! OpenAPI documents: read, check, lift to 3.1, and list what they offer.
//!
//! Pure: nothing is fetched, and whatever the text, reading it ends quickly, within bounds, and without
//! recursion that input could deepen beyond them. A document with any fault is refused as a whole.

mod check;
mod curl;
mod detail;
mod document;
mod example;
mod fault;
mod kind;
mod lift;
mod pointer;
mod read;
mod schema;
mod view;

pub use check::OPERATIONS_MAX;
pub use curl::curl_example;
pub use document::Document;
pub use fault::Fault;
pub use kind::Dialect;
pub use read::TEXT_BYTES_MAX;
pub use view::{
    CodeSample, Media, Operation, OperationDetail, Parameter, Property, RequestBody, Response, Schema,
    Server, Tag, Variant,
};
