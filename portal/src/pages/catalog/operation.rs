//! One operation, rendered from the OpenAPI document.

use askama::Template;
use axum::extract::{Path, State};
use tollgate_openapi::{Media, OperationDetail, Parameter, Property, Response};

use super::product::{TagGroup, tag_groups};
use super::visible_api;
use crate::error::{Answer, Fault};
use crate::markup::{self, Html};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters, reference, show};

/// A parameter or a member of a body.
pub struct Field {
    pub name: String,
    pub depth: u8,
    pub kind: String,
    pub required: bool,
    pub deprecated: bool,
    pub description: Option<Html>,
    pub note: Option<String>,
}

pub struct ParameterGroup {
    pub place: &'static str,
    pub title: &'static str,
    pub items: Vec<Field>,
}

pub struct Variant {
    pub kind: String,
    pub fields: Vec<Field>,
}

pub struct Body {
    pub media: String,
    pub kind: String,
    pub fields: Vec<Field>,
    pub variants: Vec<Variant>,
}

pub struct Request {
    pub required: bool,
    pub description: Option<Html>,
    pub bodies: Vec<Body>,
}

pub struct Reply {
    pub status: String,
    pub tone: &'static str,
    pub description: Option<Html>,
    pub bodies: Vec<Body>,
}

#[derive(Template)]
#[template(path = "catalog/operation.html")]
pub struct View {
    pub shell: Shell,
    pub product_name: String,
    pub product_href: String,
    pub api_title: String,
    pub tags: Vec<TagGroup>,
    pub method: String,
    pub path: String,
    pub deprecated: bool,
    pub description: Option<Html>,
    pub parameters: Vec<ParameterGroup>,
    pub request: Option<Request>,
    pub responses: Vec<Reply>,
    pub curl: String,
    pub key_href: Option<String>,
    pub request_example: Option<Html>,
    pub answer: Option<Html>,
}

/// `GET /products/{slug}/apis/{api}/operations/{operation_id}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product_slug, api_slug, operation_id)): Path<(String, String, String)>,
) -> Answer {
    let (product, api) = visible_api(&state.store, &visit, &product_slug, &api_slug).await?;
    let document = state.documents.of(&state.store, &api).await?.ok_or_else(Fault::not_found)?;
    let detail = document.operation(&operation_id).ok_or_else(Fault::not_found)?;
    let curl = reference::curl(&state.settings.gateway_url, &api, &detail, None);
    let shell = visit.shell(Area::Reference, detail.operation.summary.clone()).await?;
    visit.page(&View {
        product_name: product.name,
        product_href: format!("/products/{product_slug}"),
        tags: tag_groups(&product_slug, &api_slug, &document, &operation_id),
        key_href: visit.account.is_none().then(|| format!("/signup?product={product_slug}")),
        ..View::of(shell, api.name, &detail, curl)
    })
}

impl View {
    fn of(shell: Shell, api_title: String, detail: &OperationDetail, curl: String) -> Self {
        let request = detail.request_body.as_ref();
        Self {
            shell,
            product_name: String::new(),
            product_href: String::new(),
            api_title,
            tags: Vec::new(),
            method: detail.operation.method.clone(),
            path: detail.operation.path.clone(),
            deprecated: detail.operation.deprecated,
            description: text(&detail.description),
            parameters: parameter_groups(&detail.parameters),
            request: request.map(|body| Request {
                required: body.required,
                description: text(&body.description),
                bodies: body.content.iter().map(body_of).collect(),
            }),
            responses: detail.responses.iter().map(reply).collect(),
            curl,
            key_href: None,
            request_example: request
                .and_then(|body| body.content.iter().find_map(Media::example_text))
                .map(|text| markup::json(&text)),
            answer: reference::good_answer(detail).map(|text| markup::json(&text)),
        }
    }
}

fn text(markdown: &str) -> Option<Html> {
    (!markdown.is_empty()).then(|| markup::markdown(markdown))
}

fn parameter_groups(parameters: &[Parameter]) -> Vec<ParameterGroup> {
    [("path", "Path parameters"), ("query", "Query parameters"), ("header", "Headers"), ("cookie", "Cookies")]
        .into_iter()
        .map(|(place, title)| ParameterGroup {
            place,
            title,
            items: parameters.iter().filter(|one| one.location == place).map(parameter).collect(),
        })
        .filter(|group| !group.items.is_empty())
        .collect()
}

fn parameter(one: &Parameter) -> Field {
    Field {
        name: one.name.clone(),
        depth: 0,
        kind: one.schema.clone(),
        required: one.required,
        deprecated: one.deprecated,
        description: text(&one.description),
        note: note(&one.allowed, one.default.as_deref(), one.bounds.as_deref()),
    }
}

fn property(one: &Property) -> Field {
    Field {
        name: one.name.clone(),
        depth: one.depth,
        kind: one.schema.clone(),
        required: one.required,
        deprecated: one.deprecated,
        description: text(&one.description),
        note: note(&one.allowed, one.default.as_deref(), one.bounds.as_deref()),
    }
}

/// `One of a, b · 1 to 100 · default 20`
fn note(allowed: &[String], default: Option<&str>, bounds: Option<&str>) -> Option<String> {
    let mut parts = Vec::new();
    if !allowed.is_empty() {
        parts.push(format!("one of {}", allowed.join(", ")));
    }
    parts.extend(bounds.map(str::to_owned));
    parts.extend(default.map(|value| format!("default {value}")));
    let joined = parts.join(" · ");
    let mut chars = joined.chars();
    let first = chars.next()?;
    Some(first.to_uppercase().chain(chars).collect())
}

fn body_of(media: &Media) -> Body {
    Body {
        media: media.media_type.clone(),
        kind: media.schema.summary.clone(),
        fields: media.schema.properties.iter().map(property).collect(),
        variants: media
            .schema
            .variants
            .iter()
            .map(|one| Variant {
                kind: one.summary.clone(),
                fields: one.properties.iter().map(property).collect(),
            })
            .collect(),
    }
}

fn reply(response: &Response) -> Reply {
    let class = response.status.chars().next().and_then(|digit| digit.to_digit(10)).unwrap_or(0);
    Reply {
        status: response.status.clone(),
        tone: show::status_tone(u16::try_from(class * 100).unwrap_or(0)),
        description: text(&response.description),
        bodies: response.content.iter().map(body_of).collect(),
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        const DOCUMENT: &str = include_str!("sample.openapi.json");
        let document = tollgate_openapi::Document::parse(DOCUMENT).expect("the sample document is valid");
        ["op1", "op3"]
            .into_iter()
            .enumerate()
            .map(|(index, id)| {
                let detail = document.operation(id).expect("the sample has this operation");
                let path = format!("/products/countries/apis/countries/operations/{id}");
                let shell = Shell::sample(Area::Reference, &detail.operation.summary, &path);
                let curl =
                    tollgate_openapi::curl_example("http://127.0.0.1:8080/countries/v1", &detail, "YOUR_KEY");
                Self {
                    product_name: "Countries".into(),
                    product_href: "/products/countries".into(),
                    tags: super::product::sample_tags(index * 2 + 1),
                    key_href: Some("/signup?product=countries".into()),
                    ..Self::of(shell, "Countries API".into(), &detail, curl)
                }
            })
            .collect()
    }
}
