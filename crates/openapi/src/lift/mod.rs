//! Older documents in today's form: everything is stored as OpenAPI 3.1.

mod v2;
mod v2_parts;
mod v30;

use serde_json::Value;

use crate::kind::Dialect;

/// The document as OpenAPI 3.1. A checked 3.1 document is returned as it is.
pub(crate) fn lift(root: Value, dialect: Dialect) -> Value {
    match dialect {
        Dialect::V31 => root,
        Dialect::V30 => v30::lift(root),
        Dialect::V2 => v30::lift(v2::lift(root)),
    }
}
