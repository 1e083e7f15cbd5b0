//! How large the bodies of an API's requests may be, as schemas; the bodies themselves are those of the domain.

use utoipa::ToSchema;

/// How large the bodies of requests may be. What is larger is refused with 413 `body_too_large`: at once where its length is
/// announced, else where it passes the limit. Of gRPC it is each message that is held to it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[schema(example = json!({
    "body_bytes_max": 65536,
    "operations": [{ "method": "POST", "path": "/images", "body_bytes_max": 52428800 }]
}))]
pub struct BodyLimits {
    /// Bytes, for all operations without an amount of their own. Where none is said, the gateway's setting holds.
    #[schema(required = false, value_type = u64, maximum = 1_099_511_627_776_u64)]
    body_bytes_max: Option<u64>,
    /// Operations that take more or less than that.
    #[schema(required = false, max_items = 1_000)]
    operations: Vec<OperationBody>,
}

/// How large the body of one operation may be.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub struct OperationBody {
    /// Upper-case method.
    method: String,
    /// Path template, as in the API's document.
    path: String,
    /// Bytes; 0 takes no body.
    #[schema(maximum = 1_099_511_627_776_u64)]
    body_bytes_max: u64,
}
