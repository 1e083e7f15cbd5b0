//! This API's own OpenAPI 3.1: what operations say of themselves, completed by what all of them share.

mod components;
mod links;
mod polish;
mod shared;

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Description;

use crate::routes;
use crate::writes::DryRun;

/// What stands around the operations.
#[derive(OpenApi)]
#[openapi(info(title = "Tollgate admin API", version = "1"), components(schemas(DryRun)))]
struct Frame;

const ABOUT: &str = "\
The control plane of Tollgate for scripts: everything that the admins' web UI can do, in JSON.

**Signing in.** Every operation below `/v1` takes a service token as `Authorization: Bearer tgadm_live_…`. A token has \
a role, and may be narrowed to scopes within it; `POST /v1/tokens` makes further ones.

**Lists** come in pages, oldest first: `limit` (1 to 200, 50 by default) and `cursor`. The answer is \
`{\"data\": […], \"next_cursor\": …}`; `next_cursor` is `null` on the last page. Where it says so, `sort` gives another order, \
`q` searches, and filters are named after their field.

**Changes.** `PATCH` changes what is sent and leaves the rest alone; `null` is refused where a field cannot be null, and \
so is every field that the operation does not know. `PATCH` and `DELETE` of what has a version need `If-Match`: they happen only \
where the `ETag` that you read is still the stored version (`*`: whatever it is). `PUT` makes or replaces the whole thing. With \
`Idempotency-Key` a `POST` happens once, however often it is sent; with `?dry_run=true` a write is only tried, and tells what \
would change and who would notice; `POST /v1/batch` does several. Every change is one transaction with its audit entry, and gateways run it within a second; \
`?wait=applied` answers when they do.

**Errors** are `application/problem+json` (RFC 9457) with a stable `code`, the request's id, and in `errors` a JSON \
Pointer or the name of the parameter for every fault.

**Values.** Ids carry their kind (`svc_…`, `api_…`), times are RFC 3339 in UTC, money is integer minor units with an ISO \
4217 code. Services, APIs, products and organizations can be named by slug wherever a path takes their id.";

/// The part that exists before any operation.
pub fn frame() -> Description {
    Frame::openapi()
}

/// The whole document: what `/openapi.json` serves and the repository keeps.
#[must_use]
pub fn document() -> Value {
    let described = routes::all().to_openapi();
    let mut document = serde_json::to_value(described).expect("descriptions hold nothing that JSON cannot");
    document["info"] = json!({
        "title": "Tollgate admin API", "version": "1", "summary": "Publish APIs, sell plans, manage keys.",
        "description": ABOUT, "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
    });
    document["servers"] = json!([{ "url": "/", "description": "The listener that serves this document." }]);
    document["security"] = json!([{ "serviceToken": [] }]);
    document["tags"] = components::tags();
    shared::complete(&mut document);
    links::add(&mut document);
    document
}

/// The document as text, ready to be served.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).expect("a JSON value can be written");
    text.push('\n');
    text
}
