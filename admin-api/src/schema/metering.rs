//! How an API's calls are metered, as schemas; the bodies themselves are those of the domain.

use utoipa::ToSchema;

/// How calls are metered: which are charged, what each costs, and which numbers their answers carry.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[schema(example = json!({
    "charged": ["2xx", "404"],
    "costs": [{ "method": "POST", "path": "/images", "units": 20 }],
    "readings": [{ "meter": "tokens", "json": "/usage/total_tokens" }]
}))]
pub struct Metering {
    /// Statuses of the upstream's answers that are charged: `2xx`, `3xx`, `4xx` or single ones. Where none is named, all
    /// below 500. Failures and refusals never are.
    #[schema(required = false, value_type = Vec<String>, max_items = 32, pattern = "^([234]xx|[234][0-9]{2})$")]
    charged: Vec<String>,
    /// Operations whose calls cost more or less than one unit of a quota.
    #[schema(required = false, max_items = 1_000)]
    costs: Vec<OperationCost>,
    /// Numbers read from answers, each a meter of its own. What an answer does not carry counts as 0.
    #[schema(required = false, max_items = 2)]
    readings: Vec<Reading>,
}

/// What a call of one operation costs.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub struct OperationCost {
    /// Upper-case method.
    method: String,
    /// Path template, as in the API's document.
    path: String,
    /// Units of a charged call; 0 is free of quota.
    #[schema(maximum = 1_000_000)]
    units: u32,
}

/// A number that is read from answers: `json` or `header` says where it stands.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub struct Reading {
    /// The meter that it moves.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,23}$")]
    meter: String,
    /// A JSON Pointer (RFC 6901) into the body; in a stream of events, into the last event that has it.
    #[schema(required = false, value_type = String, pattern = "^(/([^~/]|~[01])*){1,16}$", max_length = 200)]
    json: Option<String>,
    /// A response header, in lower case.
    #[schema(required = false, value_type = String, pattern = "^[a-z0-9_-]{1,64}$")]
    header: Option<String>,
}
