//! A new API: by its settings alone, or with the OpenAPI document that lists its operations.

use axum::extract::State;

use super::settings::{Services, fieldsets, services, typed};
use super::{LIST, headers};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::desk::{Desk, sheet};
use crate::pages::admin::policy_lines::{OF_API, placed};
use crate::parts::{Fieldset, FormPart, Input, Notice, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;

/// Where a document is pasted or chosen.
#[must_use]
pub fn document_fields(form: &Form, about: &str) -> Fieldset {
    Fieldset::new(
        "OpenAPI document",
        vec![
            Input::file(form, "file", "File", ".json,.yaml,.yml,application/json,application/yaml"),
            Input::code(form, "document", "Or its text", 10),
        ],
    )
    .about(about)
}

/// The document that was sent: the file where one was chosen, else the text.
#[must_use]
pub fn sent_document(sent: &Sent) -> String {
    let file = sent.get("file");
    if file.is_empty() { sent.get("document") } else { file }
}

async fn page(visit: &Visit, form: &Form, services: &Services) -> Result<Sheet, Fault> {
    let sheet = sheet(visit, "Create an API").await?.below(LIST, "APIs").narrow();
    if services.is_empty() {
        return Ok(sheet.part(
            Notice::new(
                "info",
                "A service comes first",
                "An API forwards its calls to a service: a system of yours with its addresses.",
            )
            .with("/admin/new/service", "Create service"),
        ));
    }
    let mut sets = fieldsets(form, services);
    sets.push(document_fields(form, "OpenAPI 3.1, 3.0 or Swagger 2, as JSON or YAML. It gives the API its operations; it can also be published later."));
    let mut part = FormPart::new("api-form", form, sets, "Create API").or_back(LIST);
    part.files = true;
    Ok(sheet.intro("What callers may ask, and which service answers.").part(part))
}

/// `GET /admin/new/api`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    Desk::publishing(&visit)?;
    let services = services(&state).await?;
    let form = Form::with([("state", "published".to_owned())]);
    visit.page(&page(&visit, &form, &services).await?)
}

/// `POST /admin/new/api`
pub async fn post(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let services = services(&state).await?;
    let document = sent_document(&sent);
    let input = match typed(&sent) {
        Ok(input) => input,
        Err(form) => return visit.refused(&page(&visit, &form, &services).await?),
    };
    let given = (!document.is_empty()).then_some(document.as_str());
    let policies = input.policies.clone();
    match state.control.create_api(&desk.actor, input, given).await {
        Ok(row) => {
            let flash = Flash::done(format!(
                "{} is there. Put it into a product, so that keys can open it.",
                row.name
            ));
            visit.go(&format!("{LIST}/{}", row.slug), Some(flash)).await
        }
        Err(error) => {
            let error = placed(headers::placed(error), OF_API, &policies);
            let form = sent.form().refused(error)?;
            visit.refused(&page(&visit, &form, &services).await?)
        }
    }
}
