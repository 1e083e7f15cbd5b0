//! What an API is called, where it is, and where it stands in its life.

use std::borrow::Cow;

use axum::extract::{Path, State};
use tollgate_control::{ApiInput, ApiPatch};
use tollgate_domain::{ApiState, ServiceId};
use tollgate_store::{ApiRow, Page};

use super::{LIST, find, frame, headers, metering};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::desk::{Desk, SAVED, not_taken};
use crate::pages::admin::policy_lines as lines;
use crate::pages::admin::rename::Rename;
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, Fieldset, FormPart, Input, Reader, Section, Sent};
use crate::session::Visit;
use crate::shell::Flash;

/// Services to choose from: what is sent and what is read.
pub type Services = Vec<(String, String)>;

/// The services that an API can forward to.
///
/// # Errors
/// The database is away.
pub async fn services(state: &PortalState) -> Result<Services, Fault> {
    let mut rows = state.store.list_services(Page::FIRST_500).await?;
    rows.sort_by_key(|row| row.name.to_lowercase());
    Ok(rows.into_iter().map(|row| (row.id.to_string(), format!("{} ({})", row.name, row.slug))).collect())
}

/// The fields that making and changing share.
#[must_use]
pub fn fieldsets(form: &Form, services: &Services) -> Vec<Fieldset> {
    let states = [
        (ApiState::Draft, "Draft: not served"),
        (ApiState::Published, "Published: served"),
        (ApiState::Deprecated, "Deprecated: served, and told that it will go"),
        (ApiState::Retired, "Retired: gone, answered with 410"),
    ];
    vec![
        Fieldset::new(
            "",
            vec![
                Input::line(form, "name", "Name").required(),
                Input::line(form, "slug", "Slug")
                    .hint("Its name in files and URLs. Left empty, it is made from the name."),
                Input::long(form, "summary", "Summary", 2)
                    .hint("One sentence, up to 500 characters, shown in the portal."),
            ],
        ),
        Fieldset::new(
            "Where it is called",
            vec![
                Input::line(form, "base_path", "Base path")
                    .hint("Stands before every path, like /countries/v1. Empty means the root."),
                Input::long(form, "hosts", "Hosts", 2)
                    .hint("Host names without port, one per line. Empty means any."),
                headers::input(form),
            ],
        ),
        Fieldset::new("Who answers", vec![Input::one(form, "service", "Service", services.iter().cloned())]),
        metering::fieldset(form),
        lines::of_api(form),
        Fieldset::new(
            "Life",
            vec![Input::one(form, "state", "State", states.map(|(state, text)| (state.as_str(), text)))],
        ),
    ]
}

/// What was typed, as far as it could be read.
///
/// # Errors
/// The form with what is wrong.
pub fn typed(sent: &Sent) -> Result<ApiInput, Form> {
    let mut reader = Reader::new(sent);
    let slug = reader.slug();
    let service_id: Option<ServiceId> = reader.value("service", "choose a service");
    let state = reader.value("state", "choose a state");
    let match_headers = headers::typed(sent, &mut reader);
    let policies = lines::typed_of_api(sent, &mut reader);
    let metering = metering::typed(&mut reader, sent);
    if let Some(form) = reader.refused() {
        return Err(form);
    }
    match (slug, service_id, state) {
        (Some(slug), Some(service_id), Some(state)) => Ok(ApiInput {
            slug,
            name: sent.get("name"),
            summary: sent.get("summary"),
            service_id,
            hosts: sent.get("hosts").split_whitespace().map(str::to_owned).collect(),
            base_path: sent.get("base_path"),
            match_headers,
            state,
            sunset_at: None,
            successor_id: None,
            metering,
            policies,
        }),
        _ => Err(sent.form()),
    }
}

fn filled(row: &ApiRow) -> Form {
    let values: [(Cow<'static, str>, String); 8] = [
        ("name".into(), row.name.clone()),
        ("slug".into(), row.slug.to_string()),
        ("summary".into(), row.summary.clone()),
        ("base_path".into(), row.base_path.clone()),
        ("hosts".into(), row.hosts.join("\n")),
        (headers::FIELD.into(), headers::written(row)),
        ("service".into(), row.service_id.to_string()),
        ("state".into(), row.state.to_string()),
    ];
    Form::with(
        values.into_iter().chain(metering::values(&row.metering)).chain(lines::filled_of_api(&row.policies)),
    )
}

/// One line for each policy, for those who may only look.
fn held_to(row: &ApiRow) -> Vec<String> {
    let mut lines = lines::lines_of(row.policies.own());
    lines.extend(lines::operation_lines(&row.policies));
    lines
}

fn part(form: &Form, row: &ApiRow, services: &Services) -> FormPart {
    FormPart::new("api-form", form, fieldsets(form, services), "Save settings")
        .with("version", row.version.to_string())
}

/// `GET /admin/apis/{slug}/settings`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let sheet = frame(&visit, &desk, &row)
        .await?
        .narrow()
        .action(desk.may_write, Action::link(format!("{LIST}/{slug}/delete"), "x", "Delete"));
    if !desk.may_write {
        let facts = vec![
            fact("Summary", Cell::text_or(row.summary.clone(), "none")),
            fact("Base path", Cell::Code(super::shown_base(&row))),
            fact("Hosts", Cell::text_or(row.hosts.join(", "), "any")),
            fact("Headers", Cell::text_or(headers::written(&row).replace('\n', ", "), "any")),
            fact("Held to", Cell::text_or(held_to(&row).join("; "), "what all calls are")),
        ];
        return sheet.part(Section::Facts("Settings".into(), facts)).answer(&visit, &asked);
    }
    sheet.part(part(&filled(&row), &row, &services(&state).await?)).answer(&visit, &asked)
}

/// `POST /admin/apis/{slug}/settings`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let services = services(&state).await?;
    let sheet = frame(&visit, &desk, &row).await?.narrow();
    let input = match typed(&sent) {
        Ok(input) => input,
        Err(form) => return visit.refused(&sheet.part(part(&form, &row, &services))),
    };
    let held: i64 = match input.slug == row.slug {
        true => 0,
        false => state.store.list_held_to(&row.slug).await?.iter().map(|holder| holder.amount).sum(),
    };
    let keys = match held {
        0 => "No key is held to it by name.".to_owned(),
        1 => "1 key is held to it by name, and will not open it any more.".to_owned(),
        held => format!("{held} keys are held to it by name, and will not open it any more."),
    };
    let (version, path) = (row.version, format!("{LIST}/{}/settings", row.slug));
    let consequence = format!("Its pages in the portal move; where it is called stays. {keys}");
    let rename = Rename { what: "API", old: &row.slug, new: &input.slug, version, consequence };
    if rename.is_open(&sent) {
        return visit.page(&rename.ask(sheet, &sent, &path));
    }
    let patch = ApiPatch {
        policies: Some(input.policies.clone()),
        metering: Some(input.metering),
        slug: Some(input.slug),
        name: Some(input.name),
        summary: Some(input.summary),
        service_id: Some(input.service_id),
        hosts: Some(input.hosts),
        base_path: Some(input.base_path),
        match_headers: Some(input.match_headers),
        state: Some(input.state),
        ..ApiPatch::default()
    };
    match state.control.update_api(&desk.actor, row.id, sent.read("version"), patch).await {
        Ok(row) => visit.go(&format!("{LIST}/{}/settings", row.slug), Some(Flash::done(SAVED))).await,
        Err(error) => {
            let stored = async { Ok((filled(&row), row.version)) };
            let error = lines::placed(headers::placed(error), lines::OF_API, &input.policies);
            not_taken(&visit, sheet, &sent, error, stored, |form| part(form, &row, &services)).await
        }
    }
}
