//! Conditions on a call's fields as a schema; the bodies themselves are those of the domain.

use utoipa::ToSchema;

/// A field that a call must have, once and with exactly this value.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[schema(example = json!({ "name": "x-api-version", "value": "2" }))]
pub struct HeaderMatch {
    /// The field's name; kept in lower case. Not one with a meaning of its own, like `Host`, `Authorization` or `Cookie`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9-]+$")]
    name: String,
    /// Its value, letter for letter.
    #[schema(min_length = 1, max_length = 200)]
    value: String,
}
