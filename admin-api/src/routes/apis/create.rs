//! `POST /v1/apis`

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_control::{ApiInput, Error, FieldFault};
use tollgate_domain::{ApiId, ApiPolicies, ApiState, HeaderMatch, Metering, ServiceId, Slug};
use utoipa::ToSchema;

use super::{Api, of_routes};
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::problem::{Answer, Refusal, invalid};
use crate::schema;

/// What an API is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "slug": "countries", "name": "Countries", "summary": "Facts about countries.",
    "service_id": "svc_01ks2v8d3tf5cs9y0v3jq1q7zb", "base_path": "/countries", "state": "published",
    "document": {
        "openapi": "3.1.0", "info": { "title": "Countries", "version": "1.0.0" },
        "paths": { "/{code}": { "get": {
            "operationId": "getCountry", "summary": "One country",
            "parameters": [{ "name": "code", "in": "path", "required": true, "schema": { "type": "string" } }],
            "responses": { "200": { "description": "The country." } }
        } } }
    }
}))]
pub struct NewApi {
    /// Its name in URLs; unique.
    #[schema(value_type = schema::Slug)]
    slug: Slug,
    /// Its name.
    #[schema(value_type = schema::Name)]
    name: Text,
    /// One sentence.
    #[serde(default)]
    #[schema(value_type = String, max_length = 500)]
    summary: Text,
    /// Where calls go.
    #[schema(value_type = schema::ServiceId)]
    service_id: ServiceId,
    /// Hosts it answers on, without port; empty means any.
    #[serde(default)]
    #[schema(value_type = Vec<schema::Host>, max_items = 32)]
    hosts: Vec<Text>,
    /// What stands before every path: empty, or `/segments` without a final slash.
    #[serde(default)]
    #[schema(value_type = schema::BasePath)]
    base_path: Text,
    /// Fields that a call must have to be this API's, beside host and path: all of them, each once and with this value. So two
    /// versions live at one address; where several APIs fit, the one that asks for most answers.
    #[serde(default)]
    #[schema(value_type = Vec<schema::HeaderMatch>, max_items = 4)]
    match_headers: Vec<HeaderMatch>,
    /// Where it stands in its life.
    #[serde(default = "draft")]
    #[schema(value_type = schema::ApiState, default = "draft")]
    state: ApiState,
    /// When it stops being served, to the second: from then on its calls are answered with 410. Only of an API that is
    /// deprecated or retired; absent or `null` is not decided.
    #[serde(default)]
    sunset_at: Option<DateTime<Utc>>,
    /// The API that takes its place: callers are led to it. Only of an API that is deprecated or retired.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^api_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    successor_id: Option<ApiId>,
    /// How its calls are metered.
    #[serde(default)]
    #[schema(value_type = schema::Metering)]
    metering: Metering,
    /// What its calls are held to, besides what all are and what their plan says.
    #[serde(default)]
    #[schema(value_type = schema::ApiPolicies)]
    policies: ApiPolicies,
    /// Its OpenAPI document (3.1, 3.0 or Swagger 2): an object, or JSON or YAML as one string. The API gets exactly
    /// the document's operations.
    #[serde(default)]
    #[schema(value_type = schema::Document)]
    document: Option<Box<RawValue>>,
}

const fn draft() -> ApiState {
    ApiState::Draft
}

/// Create an API
///
/// With a document its operations are there at once; without, publish one later. Gateways serve an API whose state is
/// `published`, or `deprecated` until its sunset.
#[utoipa::path(
    post, path = "/v1/apis", tag = "APIs", operation_id = "createApi", request_body = NewApi,
    responses((status = 201, description = "The new API.", body = Api))
)]
pub async fn create_api(writer: Writer, Json(body): Json<NewApi>) -> Answer {
    let (input, document) = body.parts()?;
    let was_text = matches!(document, Some(Sent::Text(_)));
    let row = writer
        .control
        .create_api(&writer.actor, input, document.as_ref().map(Sent::text))
        .await
        .map_err(|error| placed_in_body(error, was_text))?;
    Ok(answer::tagged(row.version, answer::created("apis", row.id, Api::from(row))))
}

/// A document inside a body.
#[derive(Debug)]
pub enum Sent {
    /// As an object.
    Object(Box<RawValue>),
    /// As a string of JSON or YAML.
    Text(String),
}

impl Sent {
    fn read(raw: Box<RawValue>) -> Option<Self> {
        match raw.get().as_bytes().first() {
            Some(b'{') => Some(Self::Object(raw)),
            Some(b'"') => serde_json::from_str(raw.get()).ok().map(Self::Text),
            _ => None,
        }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        match self {
            Self::Object(raw) => raw.get(),
            Self::Text(text) => text,
        }
    }
}

impl NewApi {
    /// The API, and its document where it has one.
    pub fn parts(self) -> Result<(ApiInput, Option<Sent>), Refusal> {
        let document = match self.document.map(Sent::read) {
            None => None,
            Some(Some(document)) => Some(document),
            Some(None) => {
                let fault = FieldFault::new("/document", "an object, or a string of JSON or YAML");
                return Err(invalid(vec![fault]).into());
            }
        };
        let input = ApiInput {
            slug: self.slug,
            name: self.name.0,
            summary: self.summary.0,
            service_id: self.service_id,
            hosts: self.hosts.into_iter().map(|host| host.0).collect(),
            base_path: self.base_path.0,
            match_headers: self.match_headers,
            state: self.state,
            sunset_at: self.sunset_at,
            successor_id: self.successor_id,
            metering: self.metering,
            policies: self.policies,
        };
        Ok((input, document))
    }
}

/// Faults of the document are told by pointers into it; in this body it stands below `/document`. Lines are those
/// of the text that was sent as a string; in an object they would mislead.
pub fn placed_in_body(error: Error, was_text: bool) -> Refusal {
    let faults = match of_routes(error) {
        Error::Invalid(faults) => faults,
        other => return other.into(),
    };
    let of_input = |pointer: &str| {
        let first = pointer.split('/').nth(1).unwrap_or_default();
        let fields =
            ["slug", "name", "summary", "service_id", "hosts", "base_path", "match_headers", "state"];
        fields.contains(&first) || ["metering", "sunset_at", "successor_id", "policies"].contains(&first)
    };
    let placed = faults.into_iter().map(|fault| {
        if of_input(&fault.pointer) {
            fault
        } else if was_text {
            let place = if fault.pointer.is_empty() { String::new() } else { format!("{}: ", fault.pointer) };
            FieldFault::new("/document", format!("{place}{}", fault.message))
        } else {
            let message = match fault.message.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
                Some((line, message)) if line.bytes().all(|byte| byte.is_ascii_digit()) => message.to_owned(),
                _ => fault.message,
            };
            FieldFault::new(format!("/document{}", fault.pointer), message)
        }
    });
    invalid(placed.collect()).into()
}
