//! OpenAPI documents: read, check, lift to 3.1, and list what they offer.
//!
//! Pure: nothing is fetched, and whatever the text, reading it ends quickly, within bounds, and without
//! recursion that input could deepen beyond them. A document with any fault is refused as a whole.

mod call;
mod check;
mod detail;
mod diff;
mod document;
mod example;
mod fault;
mod kind;
mod lift;
mod lint;
mod pointer;
mod read;
mod schema;
mod security;
mod shape;
mod snippet;
mod uses;
mod view;

pub use call::{Body, Call, Part};
pub use check::OPERATIONS_MAX;
pub use diff::{Fate, OperationDiff, diff};
pub use document::Document;
pub use fault::Fault;
pub use kind::Dialect;
pub use lint::{WARNINGS_MAX, Warning, lint};
pub use read::TEXT_BYTES_MAX;
pub use snippet::{Language, snippet};
pub use view::{
    Callback, CodeSample, Media, Member, Operation, OperationDetail, Parameter, RequestBody, Response,
    SecurityNeed, Server, Shape, Tag, TagGroup,
};
